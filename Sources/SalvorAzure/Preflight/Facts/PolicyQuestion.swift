internal import SalvorJSON

/// A resource that a rescue would make, for Azure Policy to judge beforehand.
struct PolicyQuestion: Hashable, Sendable {
    /// The group that it will be in; the subscription where there is none yet.
    var scope: ResourceID
    /// For messages: `the copy of the OS disk`.
    var what: String
    var type: String
    var version: APIVersion
    var content: JSONValue

    var body: JSONValue {
        ["resourceDetails": ["resourceContent": content, "apiVersion": .string(version.rawValue)]]
    }

    /// `checkPolicyRestrictions` wants the type inside of the resource.
    init(scope: ResourceID, what: String, type: String, version: APIVersion, content: [String: JSONValue]) {
        self.scope = scope
        self.what = what
        self.type = type
        self.version = version
        var content = content
        content["type"] = .string(type)
        self.content = .object(content)
    }
}

/// What a policy would refuse.
struct PolicyRefusal: Hashable, Sendable {
    /// Id of the assignment, which says where it comes from.
    var assignment: String
    var definition: String
    /// The fields that it looked at: `tags['owner']`, `location`, ….
    var fields: [String]
    /// Values that a field must have one of; for a field that the policy demands.
    var demanded: [String: [String]]

    static func all(in answer: JSONValue) -> [PolicyRefusal] {
        let evaluations = answer["contentEvaluationResult"]?["policyEvaluations"]?.array ?? []
        let denied = evaluations.filter { evaluation in
            evaluation["evaluationResult"]?.string == "NonCompliant"
                && ["deny", nil].contains(evaluation["effectDetails"]?["policyEffect"]?.string?.lowercased())
        }.map { evaluation in
            let expressions = evaluation["evaluationDetails"]?["evaluatedExpressions"]?.array ?? []
            let fields = expressions.compactMap { $0["path"]?.string ?? $0["expression"]?.string }
            return PolicyRefusal(
                policy: evaluation["policyInfo"], fields: fields.filter { $0.lowercased() != "type" }, demanded: [:])
        }
        return denied + required(in: answer["fieldRestrictions"]?.array ?? [])
    }

    /// Fields that the content lacks, and that policy asks for.
    private static func required(in restrictions: [JSONValue]) -> [PolicyRefusal] {
        restrictions.flatMap { restriction -> [PolicyRefusal] in
            guard let field = restriction["field"]?.string else { return [] }
            return (restriction["restrictions"]?.array ?? []).filter { $0["result"]?.string == "Required" }.map {
                PolicyRefusal(policy: $0["policy"], fields: [field], demanded: [field: $0.texts("values")])
            }
        }
    }

    private init(policy: JSONValue?, fields: [String], demanded: [String: [String]]) {
        assignment = policy?["policyAssignmentId"]?.string ?? ""
        definition = policy?["policyDefinitionId"]?.string ?? ""
        self.fields = fields
        self.demanded = demanded
    }
}
