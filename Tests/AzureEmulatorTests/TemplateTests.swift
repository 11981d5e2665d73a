import AzureEmulator
import SalvorJSON
import Testing

private let path = "resourceGroups/rg/providers/Microsoft.Resources/deployments/d"
private let group = "/subscriptions/\(TestEmulator.subscription)/resourceGroups/rg"

extension TestEmulator {
    /// Deploys a template and waits for it.
    fileprivate func deploy(_ template: JSONValue, parameters: JSONValue = [:]) async throws -> JSONValue {
        let reply = try await self(
            "PUT", path,
            ["properties": ["mode": "Incremental", "template": template, "parameters": parameters]])
        #expect(reply.status == 201 || reply.status == 200, "\(reply.json)")
        for _ in 0..<300 {
            let json = try await self("GET", path).json
            if !["Accepted", "Running"].contains(json[path: "properties.provisioningState"]?.string) { return json }
            pass(.milliseconds(100))
        }
        Issue.record("the deployment does not end")
        return .null
    }

    /// What an expression is.
    fileprivate func value(of expression: String, in template: JSONValue = ["resources": []]) async throws -> JSONValue?
    {
        var template = template
        template[path: "outputs.it"] = ["type": "object", "value": .string(expression)]
        return try await deploy(template)[path: "properties.outputs.it.value"]
    }
}

private func disk(_ name: String, _ more: JSONValue = [:]) -> JSONValue {
    let body: JSONValue = [
        "type": "Microsoft.Compute/disks", "name": .string(name), "apiVersion": "2024-03-02", "location": "westeurope",
        "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 4],
    ]
    return body.merged(with: more)
}

@Suite struct TemplateTests {
    @Test(
        "Functions give what Azure's documentation says",
        arguments: [
            ("[concat('a', 1, 'b')]", "a1b"), ("[concat(createArray(1), createArray(2))]", [1, 2]),
            ("[format('{0}-{1:D3}-{{}}', 'x', 7)]", "x-007-{}"), ("[format('{0:X}', 255)]", "FF"),
            ("[toLower('ABC')]", "abc"), ("[toUpper('abc')]", "ABC"), ("[replace('a-b-c', '-', '')]", "abc"),
            ("[split('a,b;c', createArray(',', ';'))]", ["a", "b", "c"]), ("[split('a,b', ',')]", ["a", "b"]),
            ("[join(createArray('a', 'b'), '-')]", "a-b"), ("[substring('abcdef', 1, 3)]", "bcd"),
            ("[substring('abc', 1)]", "bc"), ("[trim('  a ')]", "a"), ("[padLeft('7', 3, '0')]", "007"),
            ("[startsWith('abcdef', 'AB')]", true), ("[endsWith('abcdef', 'EF')]", true),
            ("[indexOf('abcabc', 'c')]", 2), ("[lastIndexOf('abcabc', 'c')]", 5), ("[indexOf('abc', 'x')]", -1),
            ("[base64('one')]", "b25l"), ("[base64ToString('b25l')]", "one"), ("[uriComponent('a b/')]", "a%20b%2F"),
            ("[uri('http://a', 'b')]", "http://a/b"), ("[string(createObject('a', 1))]", "{\"a\":1}"),
            ("[string(true())]", "True"), ("[json('{\"a\": [1]}')]", ["a": [1]]), ("[int('12')]", 12),
            ("[bool('TRUE')]", true), ("[bool(0)]", false), ("[add(1, 2)]", 3), ("[sub(1, 2)]", -1),
            ("[mul(3, 4)]", 12), ("[div(7, 2)]", 3), ("[mod(7, 4)]", 3), ("[min(3, 1, 2)]", 1),
            ("[max(createArray(3, 5))]", 5), ("[range(2, 3)]", [2, 3, 4]), ("[and(true(), not(false()))]", true),
            ("[or(false(), equals('a', 'a'))]", true), ("[equals('a', 'A')]", false), ("[less(1, 2)]", true),
            ("[greaterOrEquals('b', 'a')]", true), ("[if(equals(1, 1), 'yes', 'no')]", "yes"),
            ("[if(false(), parameters('none'), 'lazy')]", "lazy"), ("[coalesce(null(), 'x')]", "x"),
            ("[empty('')]", true), ("[empty(createArray(1))]", false), ("[length('abc')]", 3),
            ("[length(createArray(1, 2))]", 2), ("[first('abc')]", "a"), ("[last(createArray(1, 2))]", 2),
            ("[contains('abc', 'b')]", true), ("[contains(createArray(1, 2), 2)]", true),
            ("[contains(createObject('Key', 1), 'key')]", true), ("[skip(createArray(1, 2, 3), 1)]", [2, 3]),
            ("[take('abc', 2)]", "ab"), ("[union(createArray(1, 2), createArray(2, 3))]", [1, 2, 3]),
            (
                "[union(createObject('a', createObject('x', 1)), createObject('a', createObject('y', 2)))]",
                ["a": ["x": 1, "y": 2]]
            ),
            ("[intersection(createArray(1, 2), createArray(2, 3))]", [2]), ("[createObject('a', 1).a]", 1),
            ("[createArray('a', 'b')[1]]", "b"), ("[createObject('a', 1)['A']]", 1),
            ("[flatten(createArray(createArray(1), createArray(2)))]", [1, 2]),
            ("[items(createObject('b', 2, 'a', 1))]", [["key": "a", "value": 1], ["key": "b", "value": 2]]),
            ("[objectKeys(createObject('b', 2, 'a', 1))]", ["a", "b"]), ("[tryGet(createObject('a', 1), 'b')]", .null),
            ("[map(createArray(1, 2), lambda('n', mul(lambdaVariables('n'), 2)))]", [2, 4]),
            ("[filter(createArray(1, 2), lambda('n', less(lambdaVariables('n'), 2)))]", [1]),
            ("[cidrSubnet('10.0.0.0/16', 24, 2)]", "10.0.2.0/24"), ("[cidrHost('10.0.0.0/24', 3)]", "10.0.0.4"),
            ("[resourceGroup().location]", "westeurope"), ("[resourceGroup().name]", "rg"),
            ("[subscription().subscriptionId]", .string(TestEmulator.subscription)), ("[deployment().name]", "d"),
            ("[tenant().tenantId]", .string(TestEmulator.tenant)),
            (
                "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'n', 's')]",
                .string("\(group)/providers/Microsoft.Network/virtualNetworks/n/subnets/s")
            ),
            (
                "[resourceId('other', 'Microsoft.Compute/disks', 'd')]",
                .string(
                    "/subscriptions/\(TestEmulator.subscription)/resourceGroups/other/providers/Microsoft.Compute/disks/d"
                )
            ),
            (
                "[resourceId('s2', 'g2', 'Microsoft.Compute/disks', 'd')]",
                "/subscriptions/s2/resourceGroups/g2/providers/Microsoft.Compute/disks/d"
            ),
            (
                "[subscriptionResourceId('A.B/c', 'd')]",
                .string("/subscriptions/\(TestEmulator.subscription)/providers/A.B/c/d")
            ),
            ("[extensionResourceId('/x', 'A.B/c', 'd')]", "/x/providers/A.B/c/d"),
            ("[[not an expression]", "[not an expression]"), ("it''s", "it''s"), ("[concat('it''s')]", "it's"),
        ] as [(String, JSONValue)])
    func functions(expression: String, value: JSONValue) async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        #expect(try await azure.value(of: expression) == value)
    }

    @Test("Names that are made of a hash are the same each time, and differ where they should")
    func hashes() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        for function in ["uniqueString", "guid"] {
            let one = try await azure.value(of: "[\(function)('a', 'b')]")
            #expect(try await azure.value(of: "[\(function)('a', 'b')]") == one)
            #expect(try await azure.value(of: "[\(function)('a', 'c')]") != one)
            #expect(one?.string?.count == (function == "guid" ? 36 : 13))
        }
    }

    @Test("Variables, own functions, defaults and loops see what they should")
    func scopes() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        let template: JSONValue = [
            "parameters": [
                "base": ["type": "string", "defaultValue": "x"],
                "an": ["type": "string", "defaultValue": "[concat(parameters('base'), 'y')]"],
                "secret": ["type": "securestring", "defaultValue": "hidden"],
            ],
            "functions": [
                [
                    "namespace": "own",
                    "members": [
                        "twice": [
                            "parameters": [["name": "text", "type": "string"]],
                            "output": ["type": "string", "value": "[concat(parameters('text'), parameters('text'))]"],
                        ]
                    ],
                ]
            ],
            "variables": [
                "deep": ["list": ["[parameters('an')]"]],
                "copy": [["name": "many", "count": 2, "input": "[format('n{0}', copyIndex('many', 1))]"]],
            ],
            "resources": [],
            "outputs": [
                "deep": ["type": "string", "value": "[own.twice(variables('deep').list[0])]"],
                "many": ["type": "array", "copy": ["count": 2, "input": "[variables('many')[copyIndex()]]"]],
                "secret": ["type": "securestring", "value": "[parameters('secret')]"],
                "never": ["type": "string", "condition": false, "value": "[parameters('none')]"],
            ],
        ]
        let json = try await azure.deploy(template)
        #expect(json[path: "properties.outputs.deep"] == ["type": "String", "value": "xyxy"])
        #expect(json[path: "properties.outputs.many.value"] == ["n1", "n2"])
        #expect(json[path: "properties.outputs.secret"] == ["type": "Securestring"])
        #expect(json[path: "properties.outputs.never"] == nil)
        #expect(json[path: "properties.parameters.an"] == ["type": "String", "value": "xy"])
        #expect(json[path: "properties.parameters.secret"] == ["type": "SecureString"])
        #expect(!json.text.contains("hidden"), "a secret is not shown")
    }

    @Test(
        "Parameters that do not fit are refused",
        arguments: [
            (["type": "string"], .null, "not provided"), (["type": "string"], 1, "expected a value of type"),
            (["type": "int"], "1", "expected a value of type"), (["type": "teapot"], 1, "teapot"),
            (["type": "string", "allowedValues": ["a"]], "b", "allowed value"),
            (["type": "string", "minLength": 3], "ab", "minLength"), (["type": "int", "maxValue": 3], 4, "maxValue"),
            (["type": "string", "defaultValue": "[parameters('it')]"], .null, "not found"),
        ] as [(JSONValue, JSONValue, String)])
    func parameters(declaration: JSONValue, value: JSONValue, message: String) async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        let given: JSONValue = value == .null ? [:] : ["it": ["value": value]]
        let body: JSONValue = [
            "properties": [
                "mode": "Incremental", "parameters": given,
                "template": ["parameters": ["it": declaration], "resources": []],
            ]
        ]
        for (method, path) in [("PUT", path), ("POST", "\(path)/validate")] {
            let reply = try await azure(method, path, body)
            #expect(reply.status == 400 && reply.code == "InvalidTemplate")
            #expect(reply.json[path: "error.message"]?.string?.contains(message) == true, "\(reply.json)")
        }
    }

    @Test(
        "Templates that cannot work are refused before anything is made",
        arguments: [
            [disk("a", ["dependsOn": ["b"]]), disk("b", ["dependsOn": ["a"]])], [disk("a"), disk("A")],
            [disk("a", ["dependsOn": ["b"]])], [disk("a", ["apiVersion": .null])],
            [
                disk("a", ["tags": ["x": "[reference('b').diskSizeGB]"]]),
                disk("b", ["tags": ["x": "[reference('a').id]"]]),
            ],
            [disk("[reference('a')]")], [disk("a", ["condition": "maybe"])],
            [disk("a", ["copy": ["name": "l", "count": 801]])], [disk("a", ["copy": ["name": "l", "count": 2]])],
            [disk("a", ["tags": ["x": "[concat('1' '2')]"]])], [disk("a", ["tags": ["x": "[variables('loop')]"]])],
            [disk("a", ["tags": ["x": "[variables('bomb9')]"]])],
        ] as [[JSONValue]])
    func refusals(resources: [JSONValue]) async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        var variables: JSONValue = ["loop": "[variables('loop')]", "bomb0": "[range(0, 10000)]"]
        for number in 1...9 {
            let inner = "variables('bomb\(number - 1)')"
            variables[path: "bomb\(number)"] = .string("[concat(\(inner), \(inner), \(inner), \(inner))]")
        }
        let body: JSONValue = [
            "properties": [
                "mode": "Incremental", "template": ["variables": variables, "resources": .array(resources)],
            ]
        ]
        for (method, path) in [("PUT", path), ("POST", "\(path)/validate")] {
            let reply = try await azure(method, path, body)
            #expect(reply.status == 400 && reply.code == "InvalidTemplate", "\(reply.json)")
        }
        #expect(try await azure("GET", path).status == 404)
        #expect(try await azure("GET", "\(group)/resources").json["value"] == [])
    }

    @Test("An unknown type and a size that is not there are found before anything is made, as inner errors")
    func preflight() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        let body: JSONValue = [
            "properties": [
                "mode": "Incremental",
                "template": [
                    "resources": [
                        disk("a"), disk("b", ["type": "Microsoft.Compute/teapots"]), disk("c", ["location": .null]),
                    ]
                ],
            ]
        ]
        let reply = try await azure("POST", "\(path)/validate", body)
        #expect(reply.status == 400 && reply.code == "InvalidTemplateDeployment")
        let codes = reply.json[path: "error.details"]?.array?.compactMap { $0["code"]?.string }
        #expect(codes == ["InvalidResourceType", "LocationRequired"])
        #expect(try await azure("PUT", path, body).code == "InvalidTemplateDeployment")
        #expect(try await azure("GET", "resourceGroups/rg/providers/Microsoft.Compute/disks/a").status == 404)
    }

    @Test("Loops, conditions, children, late references and outputs work together")
    func together() async throws {
        let azure = try TestEmulator(latency: .seconds(2))
        try await azure.makeGroup()
        let template: JSONValue = [
            "parameters": ["count": ["type": "int", "defaultValue": 3]],
            "resources": [
                disk(
                    "[format('disk{0}', copyIndex())]",
                    [
                        "copy": ["name": "disks", "count": "[parameters('count')]", "mode": "serial", "batchSize": 1],
                        "tags": ["turn": "[string(copyIndex('disks'))]"],
                    ]),
                disk("never", ["condition": "[equals(1, 2)]"]),
                disk(
                    "late",
                    [
                        "dependsOn": ["disks", "never"],
                        "tags": [
                            "size": "[string(reference(resourceId('Microsoft.Compute/disks', 'disk1')).diskSizeGB)]"
                        ],
                    ]),
                [
                    "type": "Microsoft.Network/virtualNetworks", "name": "net", "apiVersion": "2024-01-01",
                    "location": "westeurope",
                    "properties": ["addressSpace": ["addressPrefixes": ["10.0.0.0/16"]]],
                    "resources": [
                        [
                            "type": "subnets", "name": "one", "apiVersion": "2024-01-01", "dependsOn": ["net"],
                            "properties": ["addressPrefix": "10.0.1.0/24"],
                        ],
                        [
                            "type": "subnets", "name": "two", "apiVersion": "2024-01-01", "dependsOn": ["net"],
                            "properties": ["addressPrefix": "10.0.2.0/24"],
                        ],
                    ],
                ],
            ],
            "outputs": [
                "id": ["type": "string", "value": "[reference('late', '2024-03-02', 'Full').id]"],
                "state": ["type": "string", "value": "[reference('late').diskState]"],
            ],
        ]
        let json = try await azure.deploy(template)
        #expect(json[path: "properties.provisioningState"] == "Succeeded", "\(json)")
        #expect(json[path: "properties.outputs.state.value"] == "Unattached")
        #expect(json[path: "properties.outputs.id.value"]?.string == "\(group)/providers/Microsoft.Compute/disks/late")
        #expect(json[path: "properties.outputResources"]?.array?.count == 7)
        let late = try await azure("GET", "resourceGroups/rg/providers/Microsoft.Compute/disks/late").json
        #expect(late[path: "tags.size"] == "4")
        #expect(try await azure("GET", "resourceGroups/rg/providers/Microsoft.Compute/disks/never").status == 404)
        #expect(
            try await azure("GET", "resourceGroups/rg/providers/Microsoft.Compute/disks/disk2").json[path: "tags.turn"]
                == "2")
        let subnets = try await azure(
            "GET", "resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets")
        #expect(subnets.json["value"]?.array?.count == 2)
        let operations = try await azure("GET", "\(path)/operations").json["value"]?.array ?? []
        #expect(operations.count == 7)
        #expect(operations.allSatisfy { $0[path: "properties.provisioningState"] == "Succeeded" })
        #expect(operations.allSatisfy { $0[path: "properties.targetResource.id"]?.string != nil })
        let one = try #require(operations.first?["operationId"]?.string)
        #expect(try await azure("GET", "\(path)/operations/\(one)").json["operationId"]?.string == one)
        #expect(try await azure("POST", "\(path)/exportTemplate").json["template"] == template)
        #expect(try await azure("DELETE", path).status == 202)
        azure.pass(.seconds(2))
        #expect(try await azure("GET", path).status == 404)
        #expect(try await azure("GET", "resourceGroups/rg/providers/Microsoft.Compute/disks/late").status == 200)
    }

    @Test("What fails is named with its error; what does not need it goes on, what does is not made")
    func failure() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        let template: JSONValue = [
            "resources": [
                disk("bad", ["properties": ["diskSizeGB": 0]]), disk("good"), disk("waiting", ["dependsOn": ["bad"]]),
            ]
        ]
        let json = try await azure.deploy(template)
        #expect(json[path: "properties.provisioningState"] == "Failed")
        #expect(json[path: "properties.error.code"] == "DeploymentFailed")
        #expect(json[path: "properties.error.details"]?.array?.first?["code"] == "InvalidParameter")
        let disks = try await azure("GET", "resourceGroups/rg/providers/Microsoft.Compute/disks").json["value"]?.array
        #expect(disks?.compactMap { $0["name"]?.string } == ["good"])
        let operations = try await azure("GET", "\(path)/operations").json["value"]?.array ?? []
        let failed = operations.filter { $0[path: "properties.provisioningState"] == "Failed" }
        #expect(failed.count == 1)
        #expect(failed.first?[path: "properties.statusMessage.error.code"] == "InvalidParameter")
        #expect(failed.first?[path: "properties.statusCode"] == "BadRequest")
    }

    @Test("A deployment can be cancelled while it goes on, and not changed or deleted")
    func cancel() async throws {
        let azure = try TestEmulator(latency: .seconds(10))
        try await azure.makeGroup()
        let template: JSONValue = ["resources": [disk("a"), disk("b", ["dependsOn": ["a"]])]]
        let body: JSONValue = ["properties": ["mode": "Incremental", "template": template]]
        let reply = try await azure("PUT", path, body)
        #expect(
            reply.response[header: "Azure-AsyncOperation"]?.contains("/deployments/d/operationStatuses/") == true)
        azure.pass(.seconds(10))
        #expect(try await azure("GET", path).json[path: "properties.provisioningState"] == "Running")
        #expect(try await azure("PUT", path, body).code == "DeploymentActive")
        #expect(try await azure("DELETE", path).code == "DeploymentActive")
        #expect(try await azure("POST", "\(path)/cancel").status == 204)
        #expect(try await azure.follow(reply, "Azure-AsyncOperation").json["status"] == "Canceled")
        azure.pass(.seconds(60))
        #expect(try await azure("GET", path).json[path: "properties.provisioningState"] == "Canceled")
        #expect(try await azure("GET", "resourceGroups/rg/providers/Microsoft.Compute/disks/b").status == 404)
        #expect(try await azure("POST", "\(path)/cancel").code == "DeploymentCannotBeCancelled")
    }

    @Test("A template in a template is a deployment of its own, with its own scope")
    func nested() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        try await azure.makeGroup("other")
        let inner: JSONValue = [
            "type": "Microsoft.Resources/deployments", "name": "inner", "apiVersion": "2022-09-01",
            "resourceGroup": "other",
            "properties": [
                "mode": "Incremental", "expressionEvaluationOptions": ["scope": "inner"],
                "parameters": ["name": ["value": "[concat('from', '-outer')]"]],
                "template": [
                    "parameters": ["name": ["type": "string"]],
                    "resources": [disk("[parameters('name')]")],
                    "outputs": ["group": ["type": "string", "value": "[resourceGroup().name]"]],
                ],
            ],
        ]
        let json = try await azure.deploy([
            "resources": [inner],
            "outputs": [
                "group": [
                    "type": "string",
                    "value":
                        "[reference(resourceId('other', 'Microsoft.Resources/deployments', 'inner')).outputs.group.value]",
                ]
            ],
        ])
        #expect(json[path: "properties.provisioningState"] == "Succeeded", "\(json)")
        #expect(json[path: "properties.outputs.group.value"] == "other")
        #expect(
            try await azure("GET", "resourceGroups/other/providers/Microsoft.Compute/disks/from-outer").status == 200)
    }

    @Test("What was begun goes on after a restart, and no secret is kept when it has ended")
    func restart() async throws {
        let folder = try TestFolder()
        let template: JSONValue = [
            "parameters": ["secret": ["type": "securestring"]],
            "resources": [disk("a"), disk("b", ["dependsOn": ["a"]])],
        ]
        let start = EmulatorTime(milliseconds: 1_721_362_140_000)
        do {
            let azure = try TestEmulator(path: "\(folder.path)/state", latency: .seconds(10), at: start)
            try await azure.makeGroup()
            let body: JSONValue = [
                "properties": [
                    "mode": "Incremental", "template": template, "parameters": ["secret": ["value": "swordfish"]],
                ]
            ]
            #expect(try await azure("PUT", path, body).status == 201)
        }
        let azure = try TestEmulator(path: "\(folder.path)/state", latency: .seconds(1), at: start + .seconds(5))
        var state: String?
        for _ in 0..<100 where state != "Succeeded" {
            azure.pass(.seconds(1))
            state = try await azure("GET", path).json[path: "properties.provisioningState"]?.string
        }
        #expect(state == "Succeeded")
        #expect(try await azure("GET", "resourceGroups/rg/providers/Microsoft.Compute/disks/b").status == 200)
        #expect(try await !azure("POST", "\(path)/exportTemplate").json.text.contains("swordfish"))
    }
}
