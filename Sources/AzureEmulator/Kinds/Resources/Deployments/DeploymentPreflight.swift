internal import SalvorJSON

/// What Azure finds out about a template's resources before it makes any.
struct DeploymentPreflight {
    private let call: ResourceCall
    private let state: EmulatorState

    init(_ call: ResourceCall, _ state: EmulatorState) {
        self.call = call
        self.state = state
    }

    /// - Throws: what is wrong with the template itself.
    func errors(of template: Template) throws(ARMError) -> [ARMError] {
        var errors: [ARMError] = []
        for resource in template.resources {
            do throws(ARMError) {
                try check(resource, template)
            } catch {
                if error.code == "InvalidTemplate" { throw error }
                errors.append(error)
            }
        }
        return errors
    }

    private func check(_ resource: Template.Resource, _ template: Template) throws(ARMError) {
        _ = try APIVersion(resource.apiVersion)
        try check(type: resource.id)
        try DeploymentPlace.check(resource.id)
        let body: JSONValue
        do throws(ARMError) {
            body = try Template.body(of: resource, in: template.scope, lookup: nil)
        } catch  where error == TemplateScope.late {
            // It is known when others are there, and so is what is wrong with it.
            return
        }
        let hasPlace = ["microsoft.compute", "microsoft.network"].contains(resource.id.namespace?.lowercased() ?? "")
        guard resource.id.types.count == 1, !resource.id.isExtension, hasPlace else { return }
        let wanted = ResourceCall(
            id: resource.id, body: body, query: [:], surroundings: call.surroundings)
        let location = try wanted.location()
        guard resource.id.type.lowercased() == "microsoft.compute/virtualmachines", state[resource.id] == nil,
            let name = body[path: "properties.hardwareProfile.vmSize"]?.string
        else { return }
        let size = try VMSize.named(name)
        let offer = call.surroundings.offer
        let zones = (body[member: "zones"]?.array ?? []).compactMap(\.string)
        try size.checkAvailable(in: location, zones: zones, offer)
        do throws(ARMError) {
            try ComputeQuota(subscription: resource.id, location: location, offer: offer)
                .check(size, for: resource.id, in: state)
        } catch {
            throw ARMError(409, "QuotaExceeded", error.message)
        }
    }

    private func check(type id: ResourceID) throws(ARMError) {
        guard call.surroundings.isKind(id.type) else {
            throw ARMError(
                400, "InvalidResourceType",
                "The resource type '\(printable(id.types.joined(separator: "/")))' could not be found in the namespace "
                    + "'\(printable(id.namespace ?? ""))' for api version '\(printable(call.query["api-version"] ?? ""))'.",
                target: printable(id.description))
        }
    }
}
