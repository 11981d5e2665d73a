internal import SalvorJSON

/// `checkPolicyRestrictions`: what policy would say of a resource that is not there yet. Which values a field may have is not
/// worked out: `fieldRestrictions` is empty.
struct PolicyRestrictions: ResourceKind {
    let type = "Microsoft.PolicyInsights/checkPolicyRestrictions"

    func act(_ action: String, _ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer? {
        guard let content = call.body[path: "resourceDetails.resourceContent"],
            let type = content[member: "type"]?.string, case let parts = type.split(separator: "/").map(String.init),
            parts.count >= 2
        else {
            throw ARMError(
                400, "InvalidCheckRestrictionsRequest",
                "The request needs 'resourceDetails.resourceContent' with a 'type'.")
        }
        // A name that is not known yet is any.
        let name = content[member: "name"]?.string ?? "resource"
        let id = ResourceID(
            subscription: call.id.subscription, resourceGroup: call.id.resourceGroup, namespace: parts[0],
            types: Array(parts.dropFirst()), names: parts.dropFirst().map { _ in name })
        let violations = PolicySubject(id, type, content).map { PolicyRules.violations(by: $0, in: state) } ?? []
        let evaluations = violations.map { violation -> JSONValue in
            [
                "policyInfo": [
                    "policyDefinitionId": .string(violation.definition.id),
                    "policyAssignmentId": .string(violation.assignment.id.description),
                ], "evaluationResult": "NonCompliant",
                "evaluationDetails": ["evaluatedExpressions": .array(violation.reasons)],
                "effectDetails": ["policyEffect": "Deny"],
            ]
        }
        return .done(
            200, ["fieldRestrictions": [], "contentEvaluationResult": ["policyEvaluations": .array(evaluations)]])
    }

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        throw .methodNotAllowed("PUT")
    }

    func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        throw .methodNotAllowed("DELETE")
    }

    func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion { .done(nil) }
}
