internal import SalvorJSON

/// A deployment's template with its parameters: the resources that it makes, and in which order.
struct Template {
    struct Resource {
        let id: ResourceID
        let body: JSONValue
        /// Keys of resources of this template that have to be there first.
        let needs: [String]

        var json: JSONValue {
            ["id": .string(id.description), "body": body, "needs": .array(needs.map { .string($0) })]
        }
    }

    let resources: [Resource]

    /// - Throws: `InvalidTemplate`, `InvalidTemplateDeployment`.
    init(_ properties: JSONValue, in group: ResourceID, location: String) throws(ARMError) {
        guard let template = properties[member: "template"], let wanted = template[member: "resources"]?.array else {
            throw ARMError(400, "InvalidTemplate", "Deployment template validation failed: it has no resources.")
        }
        var parameters: [String: JSONValue] = [:]
        for (name, declared) in template[member: "parameters"]?.object ?? [:] {
            parameters[name.lowercased()] = declared[member: "defaultValue"]
        }
        for (name, given) in properties[member: "parameters"]?.object ?? [:] {
            parameters[name.lowercased()] = given[member: "value"]
        }
        var variables: [String: JSONValue] = [:]
        for (name, value) in template[member: "variables"]?.object ?? [:] { variables[name.lowercased()] = value }
        let expression = TemplateExpression(
            parameters: parameters, variables: variables, group: group, location: location)

        var resources: [(ResourceID, JSONValue, [String])] = []
        for raw in wanted {
            let resource = try expression.evaluate(raw)
            guard let type = resource[member: "type"]?.string, let name = resource[member: "name"]?.string else {
                throw ARMError(
                    400, "InvalidTemplate", "Deployment template validation failed: a resource has no type or no name.")
            }
            let parts = type.split(separator: "/").map(String.init)
            let names = name.split(separator: "/").map(String.init)
            guard parts.count == names.count + 1 else {
                throw ARMError(
                    400, "InvalidTemplate",
                    "Deployment template validation failed: 'The template resource '\(printable(name))' for type "
                        + "'\(printable(type))' has incorrect segment lengths.'")
            }
            let id = ResourceID(
                subscription: group.subscription, resourceGroup: group.resourceGroup, namespace: parts[0],
                types: Array(parts.dropFirst()), names: names)
            var body = resource
            for member in ["type", "name", "apiVersion", "dependsOn", "comments"] { body[path: member] = nil }
            resources.append(
                (id, body, (resource[member: "dependsOn"]?.array ?? []).compactMap { $0.string?.lowercased() }))
        }
        let keys = resources.map { $0.0 }
        self.resources = resources.map { id, body, needs in
            Resource(
                id: id, body: body,
                needs: needs.compactMap { need in
                    // By id, by type and name, or by name alone.
                    keys.first {
                        $0.key == need || "\($0.type)/\($0.names.joined(separator: "/"))".lowercased() == need
                            || $0.name.lowercased() == need
                    }?.key
                })
        }
    }
}
