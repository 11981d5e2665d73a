internal import SalvorJSON

/// Azure Policy, as far as it forbids: assignments whose definition's rule is true of a resource and has the effect `deny`.
enum PolicyRules {
    static let assignmentType = "Microsoft.Authorization/policyAssignments"
    static let definitionType = "Microsoft.Authorization/policyDefinitions"

    struct Violation {
        let assignment: Record
        let definition: PolicyDefinition
        let reasons: [JSONValue]
    }

    /// - Throws: `RequestDisallowedByPolicy`.
    static func check(_ subject: PolicySubject, in state: EmulatorState) throws(ARMError) {
        let violations = violations(by: subject, in: state)
        guard !violations.isEmpty else { return }
        let named = violations.map { violation -> JSONValue in
            [
                "policyAssignment": name(
                    violation.assignment.body, violation.assignment.id.name, violation.assignment.id.description),
                "policyDefinition": name(violation.definition.body, violation.definition.name, violation.definition.id),
            ]
        }
        var error = ARMError(
            403, "RequestDisallowedByPolicy",
            "Resource '\(printable(subject.id.name))' was disallowed by policy. Policy identifiers: "
                + "'\(JSONValue.array(named).text)'.", target: printable(subject.id.name))
        error.additionalInfo = violations.map(info)
        throw error
    }

    static func violations(by subject: PolicySubject, in state: EmulatorState) -> [Violation] {
        state.list(assignmentType, in: ResourceID(subscription: subject.id.subscription)).compactMap {
            violation(of: $0, by: subject, state)
        }
    }

    private static func violation(
        of assignment: Record, by subject: PolicySubject, _ state: EmulatorState
    ) -> Violation? {
        let properties = assignment.body["properties"] ?? [:]
        let excluded = (properties[member: "notScopes"]?.array ?? []).compactMap { $0.string.flatMap(ResourceID.init) }
        guard subject.id.isWithin(assignment.id.scope), !excluded.contains(where: { subject.id.isWithin($0) }),
            properties[member: "enforcementMode"]?.string?.lowercased() != "donotenforce",
            let definition = PolicyDefinition.find(properties[member: "policyDefinitionId"]?.string ?? "", in: state),
            definition.concerns(subject)
        else { return nil }
        let rule = PolicyRule(definition.rule, definition.parameters(given: properties[member: "parameters"]))
        guard rule.effect == "deny" else { return nil }
        var reasons: [JSONValue] = []
        return rule.holds(of: subject, &reasons)
            ? Violation(assignment: assignment, definition: definition, reasons: reasons) : nil
    }

    private static func name(_ body: JSONValue, _ name: String, _ id: String) -> JSONValue {
        ["name": body[path: "properties.displayName"] ?? .string(name), "id": .string(id)]
    }

    private static func info(_ violation: Violation) -> JSONValue {
        let (assignment, definition) = (violation.assignment, violation.definition)
        return [
            "type": "PolicyViolation",
            "info": [
                "policyDefinitionDisplayName": definition.body[path: "properties.displayName"]
                    ?? .string(definition.name),
                "policyDefinitionId": .string(definition.id), "policyDefinitionName": .string(definition.name),
                "policyDefinitionEffect": "deny", "policyAssignmentId": .string(assignment.id.description),
                "policyAssignmentName": .string(assignment.id.name),
                "policyAssignmentDisplayName": assignment.body[path: "properties.displayName"]
                    ?? .string(assignment.id.name),
                "policyAssignmentScope": .string(assignment.id.scope.description),
                "policyAssignmentParameters": assignment.body[path: "properties.parameters"] ?? [:],
                "policyExemptionIds": [],
                "evaluationDetails": ["evaluatedExpressions": .array(violation.reasons)],
            ],
        ]
    }
}

/// A resource as a policy's rule sees it.
struct PolicySubject {
    let id: ResourceID
    let type: String
    let body: JSONValue

    /// - Returns: nil for what policy does not look at.
    init?(_ id: ResourceID, _ type: String, _ body: JSONValue) {
        let lowered = type.lowercased()
        guard !id.isExtension, !id.parts.isEmpty || id.resourceGroup != nil,
            !lowered.hasPrefix("microsoft.authorization/"), lowered != "microsoft.resources/deployments",
            lowered != "microsoft.resources/tags"
        else { return nil }
        self.id = id
        self.type = type
        self.body = body
    }

    /// The values that a field has: several for one with `[*]` in its name, and nil where the resource lacks it.
    func values(of field: String) -> [JSONValue?] {
        let lowered = field.lowercased()
        switch lowered {
        case "name": return [.string(id.name)]
        case "fullname": return [.string(id.names.joined(separator: "/"))]
        case "type": return [.string(AccessRules.operationType(type))]
        case "id": return [.string(id.description)]
        case "kind", "tags": return [body[member: lowered]]
        case "location": return [body[member: "location"]?.string.map { .string(Locations.plain($0)) }]
        case "identity.type": return [body[path: "identity.type"]]
        case "microsoft.compute/virtualmachines/sku.name": return [body[path: "properties.hardwareProfile.vmSize"]]
        default: break
        }
        if lowered.hasPrefix("tags.") { return [tag(String(field.dropFirst(5)))] }
        if lowered.hasPrefix("tags[") {
            return [tag(field.dropFirst(5).dropLast().trimming("'"))]
        }
        let prefix = type.lowercased() + "/"
        guard lowered.hasPrefix(prefix) else { return [nil] }
        let path = field.dropFirst(prefix.count).split(separator: ".").flatMap { part in
            part.hasSuffix("[*]") ? [String(part.dropLast(3)), "[*]"] : [String(part)]
        }
        return Self.values(body, path[...])
    }

    /// An alias leaves out the `properties` that stand between.
    private static func values(_ value: JSONValue?, _ path: ArraySlice<String>) -> [JSONValue?] {
        guard let value, let name = path.first else { return [value] }
        if name == "[*]" { return (value.array ?? []).flatMap { values($0, path.dropFirst()) } }
        return values(value[member: name] ?? value[member: "properties"]?[member: name], path.dropFirst())
    }

    private func tag(_ name: String) -> JSONValue? { body["tags"]?[member: name] }
}

extension Substring {
    /// Without a mark at either end.
    fileprivate func trimming(_ mark: Character) -> String {
        String(drop { $0 == mark }.reversed().drop { $0 == mark }.reversed())
    }
}
