internal import SalvorJSON

/// A deployment's template with its parameters: which resources it makes, and in which order.
struct Template {
    /// One resource, of a loop one turn. Its body is only evaluated when what it needs is there.
    struct Resource {
        let id: ResourceID
        let body: JSONValue
        let turns: [TemplateScope.Turn]
        let apiVersion: String
        /// Keys of resources of this template that have to be there first.
        var needs: [String] = []

        var json: JSONValue {
            [
                "id": .string(id.description), "body": body, "turns": .array(turns.map(\.json)),
                "apiVersion": .string(apiVersion), "needs": .array(needs.map { .string($0) }),
            ]
        }

        init(id: ResourceID, body: JSONValue, turns: [TemplateScope.Turn], apiVersion: String) {
            self.id = id
            self.body = body
            self.turns = turns
            self.apiVersion = apiVersion
        }

        init?(_ json: JSONValue) {
            guard let id = json["id"]?.string.flatMap({ ResourceID($0) }) else { return nil }
            self.init(
                id: id, body: json["body"] ?? [:],
                turns: (json["turns"]?.array ?? []).compactMap(TemplateScope.Turn.init),
                apiVersion: json["apiVersion"]?.string ?? "")
            needs = (json["needs"]?.array ?? []).compactMap(\.string)
        }
    }

    private(set) var resources: [Resource]
    let parameters: TemplateParameters
    /// Where its resources and outputs are evaluated.
    let scope: TemplateScope

    /// - Parameter properties: of the deployment.
    /// - Throws: `InvalidTemplate`.
    init(_ properties: JSONValue, at place: TemplateScope.Place) throws(ARMError) {
        guard properties[member: "templateLink"] == nil else {
            throw ARMError(
                400, "FeatureNotSupported", "Templates by link are not supported by this emulator.",
                target: "templateLink")
        }
        guard let template = properties[member: "template"], template.object != nil else {
            throw .invalidTemplate("the template is missing")
        }
        var scope = TemplateScope(template: template, place: place)
        parameters = try TemplateParameters(properties[member: "parameters"], in: scope)
        scope.parameters = parameters.values
        var plan = TemplatePlan(scope: scope)
        switch template[member: "resources"] {
        case .array(let items):
            for item in items { try plan.add(item, parent: nil, symbol: nil) }
        case .object(let items):
            for (name, item) in items.sorted(by: { $0.key < $1.key }) { try plan.add(item, parent: nil, symbol: name) }
        default: throw .invalidTemplate("the template has no resources")
        }
        resources = try plan.finish()
        scope.symbols = plan.symbols
        self.scope = scope
    }

    /// A resource's body, as it is put.
    /// - Parameter lookup: nil while it is planned.
    static func body(
        of resource: Resource, in scope: TemplateScope, lookup: TemplateScope.Lookup?
    ) throws(ARMError) -> JSONValue {
        var scope = scope
        scope.turns = resource.turns
        scope.lookup = lookup
        guard resource.id.type.lowercased() == "microsoft.resources/deployments" else {
            return try scope.evaluate(resource.body).withoutNulls
        }
        // A template in a template has a scope of its own, where it says so.
        var body = resource.body
        let isInner =
            body[path: "properties.expressionEvaluationOptions.scope"]?.string?.lowercased() == "inner"
        let inner = isInner ? body[path: "properties.template"] : nil
        if isInner { body[path: "properties.template"] = nil }
        body = try scope.evaluate(body).withoutNulls
        if let inner { body[path: "properties.template"] = inner }
        return body
    }
}

extension JSONValue {
    /// Members that are null are as good as missing in a template.
    var withoutNulls: JSONValue {
        switch self {
        case .array(let items): .array(items.map(\.withoutNulls))
        case .object(let members): .object(members.filter { $0.value != .null }.mapValues(\.withoutNulls))
        default: self
        }
    }
}
