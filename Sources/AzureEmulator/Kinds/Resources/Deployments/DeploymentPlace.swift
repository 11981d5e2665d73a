internal import SalvorJSON

/// What a template is deployed into: a group, which has a location of its own, or a subscription, for which the deployment
/// has to say one.
enum DeploymentPlace {
    /// - Throws: for a location that is missing, not to be given, or another than before.
    static func check(_ call: ResourceCall, _ known: Record?) throws(ARMError) {
        let location = call.body[member: "location"]?.string
        guard call.id.group == nil else {
            guard location == nil else {
                throw invalid("The 'location' property is not allowed for '\(call.id.name)'.")
            }
            return
        }
        guard let location, !location.isEmpty else {
            throw invalid("The 'location' property must be specified for '\(call.id.name)'.")
        }
        if let was = known?.body["location"]?.string, was != Locations.plain(location) {
            throw ARMError(
                409, "InvalidDeploymentLocation",
                "Invalid deployment location '\(printable(location))'. The deployment '\(call.id.name)' already exists in "
                    + "location '\(was)'.")
        }
    }

    static func of(_ call: ResourceCall, in state: EmulatorState) throws(ARMError) -> TemplateScope.Place {
        let location: String
        var tags: JSONValue = [:]
        if let group = call.id.group {
            guard let record = state[group] else { throw .groupNotFound(group.name) }
            location = record.body["location"]?.string ?? Locations.standard
            tags = record.body["tags"] ?? [:]
        } else {
            let body = call.body[member: "location"] ?? state[call.id]?.body["location"]
            location = Locations.plain(body?.string ?? Locations.standard)
        }
        return TemplateScope.Place(
            scope: call.id.scope, location: location, tags: tags, tenant: call.surroundings.tenant,
            deployment: call.id.name, now: call.now, makeID: call.makeID)
    }

    /// - Throws: for a resource that can only be in a group, and is to be put beside all groups.
    static func check(_ resource: ResourceID) throws(ARMError) {
        let alone = ["microsoft.resources", "microsoft.authorization"]
        guard resource.group == nil, !alone.contains(resource.namespace?.lowercased() ?? alone[0]) else { return }
        throw .invalidTemplate(
            "the resource '\(printable(resource.name))' of type '\(printable(resource.type))' cannot be deployed at the scope "
                + "of a subscription: nest a deployment that names its resource group")
    }

    private static func invalid(_ message: String) -> ARMError {
        ARMError(
            400, "InvalidDeployment",
            message + " Please see https://aka.ms/deploy-to-subscription for usage details.")
    }
}
