import SalvorJSON
import Synchronization
import Testing

@testable import AzureEmulator

private let root = "/subscriptions/\(TestEmulator.subscription)"
private let path = "providers/Microsoft.Resources/deployments/d"

extension TestEmulator {
    fileprivate func deploy(
        _ template: JSONValue, parameters: JSONValue = [:], to path: String = path
    ) async throws -> JSONValue {
        let reply = try await self("PUT", path, subscriptionDeployment(template, parameters))
        #expect(reply.status == 201 || reply.status == 200, "\(reply.json)")
        for _ in 0..<300 {
            let json = try await self("GET", path).json
            if !["Accepted", "Running"].contains(json[path: "properties.provisioningState"]?.string) { return json }
            pass(.milliseconds(100))
        }
        Issue.record("the deployment does not end")
        return .null
    }
}

private func subscriptionDeployment(_ template: JSONValue, _ parameters: JSONValue = [:]) -> JSONValue {
    [
        "location": "West Europe",
        "properties": ["mode": "Incremental", "template": template, "parameters": parameters],
    ]
}

private func group(_ name: String) -> JSONValue {
    [
        "type": "Microsoft.Resources/resourceGroups", "apiVersion": "2024-03-01", "name": .string(name),
        "location": "[deployment().location]", "tags": ["run": "1"],
    ]
}

/// A deployment into a group that the same template makes, with a parameter that is secret.
private func nested(_ resources: JSONValue, dependsOn: JSONValue) -> JSONValue {
    [
        "type": "Microsoft.Resources/deployments", "apiVersion": "2024-03-01", "name": "inner",
        "resourceGroup": "rescue", "dependsOn": dependsOn,
        "properties": [
            "mode": "Incremental", "expressionEvaluationOptions": ["scope": "inner"],
            "parameters": ["hidden": ["value": "[parameters('hidden')]"]],
            "template": ["parameters": ["hidden": ["type": "secureString"]], "resources": resources],
        ],
    ]
}

private let disk: JSONValue = [
    "type": "Microsoft.Compute/disks", "apiVersion": "2024-03-02", "name": "one",
    "location": "[resourceGroup().location]",
    "tags": ["length": "[string(length(parameters('hidden')))]"],
    "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 4],
]

@Suite struct SubscriptionDeploymentTests {
    private static let dependencies: [JSONValue] = [
        ["[resourceId('Microsoft.Resources/resourceGroups/', 'rescue')]"],
        ["[subscriptionResourceId('Microsoft.Resources/resourceGroups', 'rescue')]"], ["rescue"],
    ]

    @Test(
        "A group and what is in it are made by one deployment, and its secrets are nowhere", arguments: dependencies)
    func groupAndContent(dependsOn: JSONValue) async throws {
        let azure = try TestEmulator(latencyOf: ["microsoft.compute/disks/create": .seconds(2)])
        let template: JSONValue = [
            "parameters": ["hidden": ["type": "securestring"], "more": ["type": "secureObject"]],
            "resources": [nested([disk], dependsOn: dependsOn), group("rescue")],
            "outputs": [
                "id": ["type": "string", "value": "[resourceId('rescue', 'Microsoft.Compute/disks', 'one')]"],
                "size": [
                    "type": "int",
                    "value":
                        "[reference(resourceId('rescue', 'Microsoft.Compute/disks', 'one'), '2024-03-02').diskSizeGB]",
                ],
            ],
        ]
        let parameters: JSONValue = ["hidden": ["value": "hush"], "more": ["value": ["key": "hush"]]]
        let done = try await azure.deploy(template, parameters: parameters)
        #expect(done[path: "properties.provisioningState"] == "Succeeded", "\(done)")
        #expect(done["id"]?.string == "\(root)/\(path)" && done["location"] == "westeurope")
        #expect(done[path: "properties.outputs.id.value"]?.string?.contains("/resourceGroups/rescue/") == true)
        #expect(done[path: "properties.outputs.size.value"]?.integer == 4)
        #expect(
            Set((done[path: "properties.outputResources"]?.array ?? []).compactMap { $0["id"]?.string }) == [
                "\(root)/resourceGroups/rescue",
                "\(root)/resourceGroups/rescue/providers/Microsoft.Resources/deployments/inner",
            ])
        let made = try await azure("GET", "resourceGroups/rescue/providers/Microsoft.Compute/disks/one").json
        #expect(made[path: "tags.length"] == "4" && made["location"] == "westeurope")
        #expect(try await azure("GET", "resourceGroups/rescue").json["tags"] == ["run": "1"])

        let inner = try await azure("GET", "resourceGroups/rescue/providers/Microsoft.Resources/deployments/inner").json
        for json in [done, inner] {
            #expect(json[path: "properties.parameters.hidden"] == ["type": "SecureString"])
            #expect(!json.text.contains("hush"))
        }
        let records = azure.emulator.core.withLock { $0.state.all("Microsoft.Resources/deployments") }
        #expect(records.count == 2)
        #expect(records.allSatisfy { !$0.hidden.text.contains("\"hush\"") })
    }

    @Test("It is listed, exported, and deleted with its operations, apart from those of the groups")
    func life() async throws {
        let azure = try TestEmulator()
        _ = try await azure.deploy(["resources": [group("a"), group("b")]])
        let names = try await azure("GET", "providers/Microsoft.Resources/deployments").json["value"]?.array
        #expect(names?.compactMap { $0["name"]?.string } == ["d"])
        let operations = try await azure("GET", "\(path)/operations").json["value"]?.array ?? []
        #expect(
            Set(operations.compactMap { $0[path: "properties.targetResource.resourceName"]?.string }) == ["a", "b"])
        #expect(try await azure("POST", "\(path)/exportTemplate").json[path: "template.resources"]?.array?.count == 2)
        #expect(try await azure("DELETE", path).status == 202)
        #expect(try await azure("GET", path).status == 404)
        let left = azure.emulator.core.withLock { $0.state.all("Microsoft.Resources/deployments/operations") }
        #expect(left.isEmpty)
        #expect(try await azure("GET", "resourceGroups/a").status == 200)
    }

    @Test(
        "What cannot be deployed into a subscription is refused before anything is made",
        arguments: [
            (subscriptionDeployment(["resources": []]).merged(with: ["location": .null]), "InvalidDeployment"),
            (subscriptionDeployment(["resources": [disk]], ["hidden": ["value": "x"]]), "InvalidTemplate"),
            (
                subscriptionDeployment(["resources": [group("[resourceGroup().name]")]]), "InvalidTemplate"
            ),
            (
                subscriptionDeployment([
                    "resources": [
                        group("a"),
                        [
                            "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2024-01-01", "name": "net",
                            "location": "westeurope",
                        ],
                    ]
                ]), "InvalidTemplate"
            ),
        ] as [(JSONValue, String)])
    func refusals(body: JSONValue, code: String) async throws {
        let azure = try TestEmulator()
        for (method, path) in [("PUT", path), ("POST", "\(path)/validate")] {
            let reply = try await azure(method, path, body)
            #expect(reply.status == 400 && reply.code == code, "\(reply.json)")
        }
        #expect(try await azure("GET", "resourcegroups").json["value"] == [])
    }

    @Test("It stays where it was first, and one of a group says no location")
    func locations() async throws {
        let azure = try TestEmulator()
        _ = try await azure.deploy(["resources": [group("a")]])
        let other = subscriptionDeployment(["resources": [group("a")]]).merged(with: ["location": "northeurope"])
        let moved = try await azure("PUT", path, other)
        #expect(moved.status == 409 && moved.code == "InvalidDeploymentLocation")
        let ofGroup = try await azure("PUT", "resourceGroups/a/\(path)", other)
        #expect(ofGroup.status == 400 && ofGroup.code == "InvalidDeployment")
    }

    @Test("What fails in a group fails the deployment, with the reason in it; cancelling stops what has not begun")
    func failures() async throws {
        let azure = try TestEmulator(latencyOf: ["microsoft.compute/disks/create": .seconds(60)])
        let missing = disk.merged(with: [
            "properties": [
                "creationData": [
                    "createOption": "Copy",
                    "sourceResourceId": .string("\(root)/resourceGroups/rescue/providers/Microsoft.Compute/disks/none"),
                ]
            ]
        ])
        let parameters: JSONValue = ["hidden": ["value": "x"]]
        func template(_ disk: JSONValue) -> JSONValue {
            [
                "parameters": ["hidden": ["type": "secureString"]],
                "resources": [group("rescue"), nested([disk], dependsOn: ["rescue"])],
            ]
        }
        let failed = try await azure.deploy(template(missing), parameters: parameters)
        #expect(failed[path: "properties.provisioningState"] == "Failed")
        #expect(failed[path: "properties.error.code"] == "DeploymentFailed")
        #expect(failed[path: "properties.error"]?.text.contains("ResourceNotFound") == true, "\(failed)")

        let began = try await azure("PUT", path, subscriptionDeployment(template(disk), parameters))
        #expect(began.status == 200)
        let again = try await azure("PUT", path, subscriptionDeployment(template(disk), parameters))
        #expect(again.status == 409 && again.code == "DeploymentActive")
        #expect(try await azure("POST", "\(path)/cancel").status == 204)
        #expect(try await azure("GET", path).json[path: "properties.provisioningState"] == "Canceled")
        #expect(try await azure.follow(began, "Azure-AsyncOperation").json["status"] == "Canceled")
    }

    @Test("What a deployment is told in secret is not written down, as deep as it may stand")
    func recorded() throws {
        let inner = nested([disk], dependsOn: []).merged(with: [
            "properties": ["parameters": ["hidden": ["value": "hush"], "open": ["value": "seen"]]]
        ])
        let body = subscriptionDeployment(
            ["parameters": ["Key": ["type": "SecureObject"]], "resources": [inner]],
            ["key": ["value": ["a": "hush"]], "other": ["value": "seen"]])
        let written = Recorder.withoutSecrets(body).text
        #expect(!written.contains("hush"))
        #expect(written.split(separator: "seen").count == 3)
    }
}
