internal import SalvorJSON

/// Rules that policy can enforce: see ``PolicyRules``.
struct PolicyDefinitions: AuthorizationKind {
    let type = PolicyRules.definitionType

    func missing(_ id: ResourceID) -> ARMError {
        ARMError(
            404, "PolicyDefinitionNotFound", "The policy definition '\(printable(id.name))' could not be found.")
    }

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        let properties = call.body[member: "properties"] ?? [:]
        guard let rule = properties[member: "policyRule"], PolicyRule.isWhole(rule) else {
            throw ARMError(
                400, "InvalidPolicyRule",
                "Failed to parse policy rule: it is to have an 'if' and a 'then' with an 'effect'.")
        }
        let isNew = state[call.id] == nil
        var record = Record(id: call.id, body: ["properties": ["policyType": "Custom"]])
        for name in ["displayName", "description", "mode", "metadata", "parameters", "policyRule", "version"] {
            record.body[path: "properties.\(name)"] = properties[member: name]
        }
        if record.body[path: "properties.mode"] == nil { record.body[path: "properties.mode"] = "Indexed" }
        state.put(record)
        return .done(isNew ? 201 : 200, record.json)
    }

    func list(_ call: ResourceCall, in state: EmulatorState) throws(ARMError) -> [JSONValue] {
        let kind = Self.text(call.query["$filter"] ?? "", after: "policyType")
        let own = state.list(type, in: ResourceID(subscription: call.id.subscription)).map(\.json)
        return (PolicyDefinition.builtIn.map(\.json) + own).filter {
            kind == nil || $0[path: "properties.policyType"]?.string?.lowercased() == kind
        }
    }
}

/// Where a rule holds, and with which parameters.
struct PolicyAssignments: AuthorizationKind {
    let type = PolicyRules.assignmentType

    func missing(_ id: ResourceID) -> ARMError {
        ARMError(
            404, "PolicyAssignmentNotFound", "The policy assignment '\(printable(id.name))' is not found.")
    }

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try checkScope(call, in: state)
        let properties = call.body[member: "properties"] ?? [:]
        let wanted = properties[member: "policyDefinitionId"]?.string ?? ""
        guard let definition = PolicyDefinition.find(wanted, in: state) else {
            throw ARMError(
                404, "PolicyDefinitionNotFound",
                "The policy definition '\(printable(wanted))' specified in policy assignment "
                    + "'\(printable(call.id.name))' could not be found.")
        }
        let given = definition.parameters(given: properties[member: "parameters"])
        let missing = (definition.body[path: "properties.parameters"]?.object ?? [:]).keys.filter {
            given[$0.lowercased()] == nil
        }
        guard missing.isEmpty else {
            throw ARMError(
                400, "MissingPolicyParameter",
                "The policy assignment '\(printable(call.id.name))' is missing the parameter(s) "
                    + "'\(printable(missing.sorted().joined(separator: ",")))' as defined in the policy definition "
                    + "'\(printable(definition.name))'.")
        }
        let isNew = state[call.id] == nil
        var record = Record(id: call.id, body: ["properties": ["scope": .string(call.id.scope.description)]])
        for name in ["displayName", "description", "metadata", "parameters", "notScopes", "nonComplianceMessages"] {
            record.body[path: "properties.\(name)"] = properties[member: name]
        }
        record.body[path: "properties.policyDefinitionId"] = .string(definition.id)
        record.body[path: "properties.enforcementMode"] = properties[member: "enforcementMode"] ?? "Default"
        for name in ["location", "identity"] { record.body[path: name] = call.body[member: name] }
        state.put(record)
        return .done(isNew ? 201 : 200, record.json)
    }
}
