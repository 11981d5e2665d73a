internal import SalvorJSON

/// A rule that policy can enforce: the user's own, or one of Azure's.
struct PolicyDefinition {
    let id: String
    let name: String
    let body: JSONValue

    var rule: JSONValue { body[path: "properties.policyRule"] ?? [:] }

    /// - Parameter id: with or without a subscription before it.
    static func find(_ id: String, in state: EmulatorState) -> PolicyDefinition? {
        if let record = ResourceID(id).flatMap({ state[$0] }) {
            return PolicyDefinition(id: record.id.description, name: record.id.name, body: record.body)
        }
        let name = id.split(separator: "/").last.map { $0.lowercased() } ?? ""
        guard id.lowercased().hasSuffix("/providers/microsoft.authorization/policydefinitions/\(name)") else {
            return nil
        }
        return builtIn.first { $0.name == name }
    }

    /// A rule of the mode `Indexed` looks only at what has a location and tags.
    func concerns(_ subject: PolicySubject) -> Bool {
        let mode = body[path: "properties.mode"]?.string?.lowercased() ?? "indexed"
        return mode == "all" || (!subject.id.parts.isEmpty && subject.body[member: "location"] != nil)
    }

    /// What an assignment gives, and what is left as it is.
    func parameters(given: JSONValue?) -> [String: JSONValue] {
        var parameters: [String: JSONValue] = [:]
        for (name, declared) in body[path: "properties.parameters"]?.object ?? [:] {
            parameters[name.lowercased()] = declared[member: "defaultValue"]
        }
        for (name, value) in given?.object ?? [:] { parameters[name.lowercased()] = value[member: "value"] }
        return parameters
    }

    var json: JSONValue {
        var json = body
        json[path: "id"] = .string(id)
        json[path: "name"] = .string(name)
        json[path: "type"] = .string(PolicyRules.definitionType)
        return json
    }

    /// Azure's own, by their ids there ("Azure Policy built-in policy definitions").
    static let builtIn: [PolicyDefinition] = [
        of(
            "e56962a6-4747-49cd-b67b-bf8b01975c4c", "Allowed locations", "Indexed",
            list: "listOfAllowedLocations",
            [
                "allOf": [
                    ["field": "location", "notIn": "[parameters('listOfAllowedLocations')]"],
                    ["field": "location", "notEquals": "global"],
                ]
            ]),
        of(
            "e765b5de-1225-4ba3-bd56-1ac6695af988", "Allowed locations for resource groups", "All",
            list: "listOfAllowedLocations",
            [
                "allOf": [
                    ["field": "type", "equals": "Microsoft.Resources/subscriptions/resourceGroups"],
                    ["field": "location", "notIn": "[parameters('listOfAllowedLocations')]"],
                ]
            ]),
        of(
            "cccc23c7-8427-4f53-ad12-b6a63eb452b3", "Allowed virtual machine size SKUs", "Indexed",
            list: "listOfAllowedSKUs",
            [
                "allOf": [
                    ["field": "type", "equals": "Microsoft.Compute/virtualMachines"],
                    [
                        "not": [
                            "field": "Microsoft.Compute/virtualMachines/sku.name",
                            "in": "[parameters('listOfAllowedSKUs')]",
                        ]
                    ],
                ]
            ]),
        of(
            "871b6d14-10aa-478d-b590-94f262ecfa99", "Require a tag on resources", "Indexed", text: "tagName",
            ["field": "[concat('tags[', parameters('tagName'), ']')]", "exists": "false"]),
        of(
            "6c112d4e-5bc7-47ae-a041-ea2d9dccd749", "Not allowed resource types", "Indexed",
            list: "listOfResourceTypesNotAllowed",
            [
                "allOf": [
                    ["field": "type", "in": "[parameters('listOfResourceTypesNotAllowed')]"],
                    ["value": "[field('type')]", "exists": "true"],
                ]
            ]),
        of(
            "83a86a26-fd1f-447c-b59d-e51f44264114", "Network interfaces should not have public IPs", "Indexed",
            [
                "allOf": [
                    ["field": "type", "equals": "Microsoft.Network/networkInterfaces"],
                    [
                        "not": [
                            "field": "Microsoft.Network/networkInterfaces/ipconfigurations[*].publicIpAddress.id",
                            "notLike": "*",
                        ]
                    ],
                ]
            ]),
    ]

    private static func of(
        _ name: String, _ title: String, _ mode: String, list: String? = nil, text: String? = nil,
        _ condition: JSONValue
    ) -> PolicyDefinition {
        var parameters: JSONValue = [:]
        if let list { parameters[path: list] = ["type": "Array", "metadata": ["displayName": .string(title)]] }
        if let text { parameters[path: text] = ["type": "String", "metadata": ["displayName": .string(title)]] }
        return PolicyDefinition(
            id: "/providers/\(PolicyRules.definitionType)/\(name)", name: name,
            body: [
                "properties": [
                    "displayName": .string(title), "policyType": "BuiltIn", "mode": .string(mode),
                    "description": .string(title), "metadata": ["version": "1.0.0", "category": "General"],
                    "parameters": parameters, "policyRule": ["if": condition, "then": ["effect": "deny"]],
                ]
            ])
    }
}
