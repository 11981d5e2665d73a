import AzureEmulator
import SalvorJSON
import Testing

/// What policy forbids.
@Suite struct PolicyTests {
    private static let root = "/subscriptions/\(TestEmulator.subscription)"
    private static let authorization = "providers/Microsoft.Authorization"
    private static let disk = "resourceGroups/rg/providers/Microsoft.Compute/disks/one"

    private let azure: TestEmulator

    init() async throws {
        azure = try TestEmulator()
        try await azure.makeGroup()
    }

    private static func disk(_ members: JSONValue = [:]) -> JSONValue {
        let whole: JSONValue = [
            "location": "westeurope", "tags": ["owner": "me"], "sku": ["name": "Standard_LRS"],
            "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 4],
        ]
        return whole.merged(with: members)
    }

    /// Makes a rule and assigns it to the subscription.
    private func assign(
        _ condition: JSONValue, effect: String = "deny", parameters: JSONValue = [:], scope: String = "",
        notScopes: JSONValue = [], mode: String = "All"
    ) async throws {
        let definition = "\(Self.authorization)/policyDefinitions/rule"
        let made = try await azure(
            "PUT", definition,
            [
                "properties": [
                    "displayName": "A rule", "mode": .string(mode),
                    "parameters": .object(parameters.object?.mapValues { _ in ["type": "String"] } ?? [:]),
                    "policyRule": ["if": condition, "then": ["effect": .string(effect)]],
                ]
            ])
        #expect(made.status == 201, "\(made.json)")
        let assigned = try await azure(
            "PUT", "\(scope)\(Self.authorization)/policyAssignments/assigned",
            [
                "properties": [
                    "policyDefinitionId": .string("\(Self.root)/\(definition)"), "notScopes": notScopes,
                    "parameters": .object(parameters.object?.mapValues { ["value": $0] } ?? [:]),
                ]
            ])
        #expect(assigned.status == 201, "\(assigned.json)")
    }

    static let conditions: [(JSONValue, Bool)] = [
        (["field": "location", "equals": "westeurope"], true), (["field": "location", "equals": "West Europe"], true),
        (["field": "location", "notEquals": "westeurope"], false),
        (["field": "location", "in": ["eastus", "westeurope"]], true),
        (["field": "location", "notIn": ["eastus"]], true),
        (["field": "type", "equals": "microsoft.compute/Disks"], true), (["field": "name", "like": "o*"], true),
        (["field": "name", "notLike": "*ne"], false), (["field": "tags.owner", "exists": "false"], false),
        (["field": "tags['owner']", "equals": "me"], true), (["field": "tags[owner]", "equals": "me"], true),
        (["field": "tags.cost", "exists": false], true),
        (["field": "[concat('tags[', parameters('tag'), ']')]", "exists": "true"], true),
        (["field": "tags", "containsKey": "owner"], true),
        (["field": "Microsoft.Compute/disks/sku.name", "equals": "Standard_LRS"], true),
        (["field": "Microsoft.Compute/disks/diskSizeGB", "equals": 4], true),
        (["field": "Microsoft.Compute/disks/creationData.createOption", "equals": "copy"], false),
        (["field": "Microsoft.Compute/snapshots/diskSizeGB", "exists": "true"], false),
        (["value": "[field('location')]", "equals": "westeurope"], true),
        (["value": "[parameters('tag')]", "equals": "owner"], true),
        (["not": ["field": "name", "equals": "two"]], true), (["not": ["field": "name", "equals": "one"]], false),
        (["allOf": [["field": "name", "equals": "one"], ["field": "location", "equals": "eastus"]]], false),
        (["anyOf": [["field": "name", "equals": "two"], ["field": "location", "equals": "westeurope"]]], true),
        (["allOf": []], true), (["anyOf": []], false), ([:], false), (["field": "name", "unknown": "one"], false),
    ]

    @Test("A rule is true of what it describes, and then forbids it", arguments: 0..<conditions.count)
    func rules(number: Int) async throws {
        let (condition, isTrue) = Self.conditions[number]
        try await assign(condition, parameters: ["tag": "owner"])
        let reply = try await azure("PUT", Self.disk, Self.disk())
        #expect(reply.code == (isTrue ? "RequestDisallowedByPolicy" : nil), "\(condition): \(reply.json)")
        #expect(reply.status == (isTrue ? 403 : 202))
    }

    @Test("A refusal says which policy it was")
    func refusal() async throws {
        try await assign(["field": "location", "equals": "westeurope"])
        let reply = try await azure("PUT", Self.disk, Self.disk())
        let error = try #require(reply.json["error"])
        #expect(error["target"]?.string == "one")
        #expect(
            error["message"]?.string?.hasPrefix("Resource 'one' was disallowed by policy. Policy identifiers: '[{")
                == true)
        let info = try #require(error["additionalInfo"]?.array?.first)
        #expect(info["type"] == "PolicyViolation")
        #expect(info[path: "info.policyDefinitionName"]?.string == "rule")
        #expect(
            info[path: "info.policyDefinitionId"]?.string == "\(Self.root)/\(Self.authorization)/policyDefinitions/rule"
        )
        #expect(info[path: "info.policyAssignmentScope"]?.string == Self.root)
    }

    @Test("Only what denies, in its scope, forbids", arguments: ["audit", "disabled", "Deny"])
    func effects(effect: String) async throws {
        try await azure.makeGroup("other")
        try await assign(
            ["field": "type", "equals": "Microsoft.Compute/disks"], effect: effect, scope: "resourceGroups/rg/")
        #expect(try await azure("PUT", Self.disk, Self.disk()).status == (effect == "Deny" ? 403 : 202))
        let other = "resourceGroups/other/providers/Microsoft.Compute/disks/one"
        #expect(try await azure("PUT", other, Self.disk()).status == 202)
    }

    @Test("What an assignment leaves out is free")
    func exceptions() async throws {
        try await assign(["field": "name", "like": "*"], notScopes: [.string("\(Self.root)/resourceGroups/rg")])
        #expect(try await azure("PUT", Self.disk, Self.disk()).status == 202)
        #expect(
            try await azure("PUT", "resourceGroups/new", ["location": "westeurope"]).code == "RequestDisallowedByPolicy"
        )
    }

    @Test("A patch is judged by what it leads to")
    func patches() async throws {
        #expect(try await azure("PUT", Self.disk, Self.disk()).status == 202)
        azure.pass(.seconds(60))
        try await assign(["field": "tags.owner", "exists": "false"])
        #expect(try await azure("PATCH", Self.disk, ["tags": ["more": "x"]]).code == nil)
        #expect(try await azure("PATCH", Self.disk, ["tags": ["owner": .null]]).code == "RequestDisallowedByPolicy")
    }

    @Test(
        "Azure's own policies are there",
        arguments: [
            ("e56962a6-4747-49cd-b67b-bf8b01975c4c", ["listOfAllowedLocations": ["value": ["eastus"]]], 403),
            ("e56962a6-4747-49cd-b67b-bf8b01975c4c", ["listOfAllowedLocations": ["value": ["westeurope"]]], 202),
            ("871b6d14-10aa-478d-b590-94f262ecfa99", ["tagName": ["value": "cost"]], 403),
            ("871b6d14-10aa-478d-b590-94f262ecfa99", ["tagName": ["value": "owner"]], 202),
            ("cccc23c7-8427-4f53-ad12-b6a63eb452b3", ["listOfAllowedSKUs": ["value": ["Standard_B2s"]]], 202),
            (
                "6c112d4e-5bc7-47ae-a041-ea2d9dccd749",
                ["listOfResourceTypesNotAllowed": ["value": ["Microsoft.Compute/disks"]]], 403
            ),
            ("83a86a26-fd1f-447c-b59d-e51f44264114", [:], 202),
        ] as [(String, JSONValue, Int)])
    func builtIn(name: String, parameters: JSONValue, status: Int) async throws {
        let definition = "/providers/Microsoft.Authorization/policyDefinitions/\(name)"
        #expect(try await azure("GET", definition).status == 200)
        let made = try await azure(
            "PUT", "\(Self.authorization)/policyAssignments/a",
            ["properties": ["policyDefinitionId": .string(definition), "parameters": parameters]])
        #expect(made.status == 201, "\(made.json)")
        #expect(try await azure("PUT", Self.disk, Self.disk()).status == status)
    }

    @Test("An interface with a public address is told apart")
    func publicAddresses() async throws {
        let machine = try await azure.makeGuest(group: "machines")
        #expect(azure.emulator.record(machine) != nil)
        _ = try await azure(
            "PUT", "\(Self.authorization)/policyAssignments/a",
            [
                "properties": [
                    "policyDefinitionId":
                        "/providers/Microsoft.Authorization/policyDefinitions/83a86a26-fd1f-447c-b59d-e51f44264114"
                ]
            ])
        let base = "resourceGroups/machines/providers/Microsoft.Network"
        func interface(_ address: JSONValue?) -> JSONValue {
            var configuration: JSONValue = [
                "subnet": ["id": .string("\(Self.root)/\(base)/virtualNetworks/net/subnets/default")]
            ]
            configuration[path: "publicIPAddress"] = address
            return [
                "location": "westeurope",
                "properties": ["ipConfigurations": [["name": "one", "properties": configuration]]],
            ]
        }
        let shown = try await azure(
            "PUT", "\(base)/networkInterfaces/new",
            interface(["id": .string("\(Self.root)/\(base)/publicIPAddresses/p")]))
        #expect(shown.code == "RequestDisallowedByPolicy", "\(shown.json)")
        #expect(try await azure("PUT", "\(base)/networkInterfaces/new", interface(nil)).status == 201)
    }

    @Test("A definition without a rule, an assignment without its parameters and one of nothing are refused")
    func badPolicies() async throws {
        let definition = "\(Self.authorization)/policyDefinitions/x"
        #expect(try await azure("PUT", definition, ["properties": [:]]).code == "InvalidPolicyRule")
        #expect(try await azure("GET", definition).code == "PolicyDefinitionNotFound")
        let assignment = "\(Self.authorization)/policyAssignments/x"
        let nothing = try await azure(
            "PUT", assignment, ["properties": ["policyDefinitionId": .string("\(Self.root)/\(definition)")]])
        #expect(nothing.code == "PolicyDefinitionNotFound")
        let incomplete = try await azure(
            "PUT", assignment,
            [
                "properties": [
                    "policyDefinitionId":
                        "/providers/Microsoft.Authorization/policyDefinitions/871b6d14-10aa-478d-b590-94f262ecfa99"
                ]
            ])
        #expect(incomplete.code == "MissingPolicyParameter")
        #expect(try await azure("GET", assignment).code == "PolicyAssignmentNotFound")
    }

    @Test("What policy would say can be asked before", arguments: ["", "resourceGroups/rg/"])
    func restrictions(scope: String) async throws {
        try await assign(["field": "location", "equals": "westeurope"])
        func ask(_ location: String) async throws -> JSONValue? {
            let reply = try await azure(
                "POST", "\(scope)providers/Microsoft.PolicyInsights/checkPolicyRestrictions",
                [
                    "resourceDetails": [
                        "resourceContent": ["type": "Microsoft.Compute/disks", "location": .string(location)]
                    ]
                ])
            #expect(reply.status == 200, "\(reply.json)")
            return reply.json[path: "contentEvaluationResult.policyEvaluations"]
        }
        let found = try await ask("westeurope")?.array?.first
        #expect(found?["evaluationResult"] == "NonCompliant")
        #expect(found?[path: "effectDetails.policyEffect"] == "Deny")
        #expect(try await ask("eastus")?.array == [])
        let nothing = try await azure("POST", "providers/Microsoft.PolicyInsights/checkPolicyRestrictions", [:])
        #expect(nothing.code == "InvalidCheckRestrictionsRequest")
    }
}
