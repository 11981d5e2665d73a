internal import SalvorJSON

/// Deployments of templates into a resource group or a subscription: each resource is put when those that it depends on are there.
struct Deployments: ResourceKind {
    let type = "Microsoft.Resources/deployments"
    private static let links = Answer.Links.below(segment: "operationStatuses")

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try ResourceName.check(call.id.name, of: "deploymentName", longest: 64, others: "-_.()", lastMayNotBe: "")
        let known = state[call.id]
        try checkEnded(known, call, in: state)
        try DeploymentPlace.check(call, known)
        let template = try checked(call, in: state)
        if known != nil { state.removeTree(call.id) }
        var record = Record(id: call.id, body: ["properties": described(template, call)])
        if let location = call.body[member: "location"]?.string {
            record.body[path: "location"] = .string(Locations.plain(location))
        }
        record.body[path: "tags"] = call.body[member: "tags"]
        record.body[path: "properties.outputResources"] = []
        record.provisioningState = "Accepted"
        record.hidden = DeploymentProgress(template, call).json
        state.put(record)
        return .accepted(known == nil ? 201 : 200, record.json, call.begin("put", in: &state), Self.links)
    }

    /// Those of the scope itself, and not those of the groups in it.
    func list(_ call: ResourceCall, in state: EmulatorState) throws(ARMError) -> [JSONValue] {
        state.list(type, in: call.id).filter { $0.id.scope == call.id }.map(\.json)
    }

    func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard let record = state[call.id] else { return .done(204, nil) }
        try checkEnded(record, call, in: state)
        return .accepted(202, nil, call.begin("delete", in: &state), .location)
    }

    func actsAlone(_ action: String) -> Bool { action.lowercased() == "validate" }

    func act(_ action: String, _ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer? {
        switch action.lowercased() {
        case "validate":
            try ResourceName.check(call.id.name, of: "deploymentName", longest: 64, others: "-_.()", lastMayNotBe: "")
            try DeploymentPlace.check(call, nil)
            let template = try checked(call, in: state)
            var properties = described(template, call)
            properties[path: "provisioningState"] = "Succeeded"
            properties[path: "validatedResources"] = .array(
                template.resources.map { ["id": .string($0.id.description)] })
            return .done(200, Record(id: call.id, body: ["properties": properties]).json)
        case "exporttemplate":
            let template = try state.require(call.id).hidden["template"]
            return .done(200, ["template": template ?? [:]])
        case "cancel": return try cancel(call, in: &state)
        default: return nil
        }
    }

    private func cancel(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        var record = try state.require(call.id)
        guard var running = state.running(on: call.id), running.verb == "put" else {
            throw ARMError(
                409, "DeploymentCannotBeCancelled",
                "The deployment '\(call.id.name)' cannot be cancelled: it is in provisioning state "
                    + "'\(record.provisioningState)'.")
        }
        let error = ARMError(
            409, "DeploymentCanceled", "The deployment '\(call.id.name)' was cancelled at the request of the user.")
        running.status = .canceled
        running.error = error.json
        running.ended = call.now
        state.put(running)
        record.provisioningState = "Canceled"
        record.hidden = DeploymentProgress.ended(record.hidden)
        state.put(record)
        return .done(204, nil)
    }

    /// - Throws: `DeploymentActive` while it goes on.
    private func checkEnded(_ known: Record?, _ call: ResourceCall, in state: EmulatorState) throws(ARMError) {
        guard let known, let running = state.running(on: call.id) else { return }
        throw ARMError(
            409, "DeploymentActive",
            "Unable to edit or replace deployment '\(known.id.name)': previous deployment from '\(running.began.text)' is still "
                + "active. Please see https://aka.ms/arm-deploy for usage details.")
    }

    // MARK: Validation

    /// The template, with all that can be known of it before anything is made.
    /// - Throws: `InvalidTemplate` for the template itself, `InvalidTemplateDeployment` for its resources.
    private func checked(_ call: ResourceCall, in state: EmulatorState) throws(ARMError) -> Template {
        guard let properties = call.body[member: "properties"] else {
            throw ARMError(
                400, "InvalidRequestContent",
                "The request content was invalid and could not be deserialized: 'Required property 'properties' not found in "
                    + "JSON.'")
        }
        let mode = properties[member: "mode"]?.string ?? "Incremental"
        guard mode.lowercased() == "incremental" else {
            throw ARMError(
                400, "FeatureNotSupported",
                "The deployment mode '\(printable(mode))' is not supported by this emulator: only Incremental is.",
                target: "mode")
        }
        let template = try Template(properties, at: try DeploymentPlace.of(call, in: state))
        let errors = try DeploymentPreflight(call, state).errors(of: template)
        guard errors.isEmpty else {
            throw ARMError(
                400, "InvalidTemplateDeployment",
                "The template deployment '\(call.id.name)' is not valid according to the validation procedure. The tracking id "
                    + "is '\(call.makeID())'. See inner errors for details.", details: errors)
        }
        return template
    }

    /// What a deployment shows of its template.
    private func described(_ template: Template, _ call: ResourceCall) -> JSONValue {
        let byNamespace = Dictionary(grouping: template.resources) { $0.id.type.prefix { $0 != "/" } }
        let providers: [JSONValue] = byNamespace.sorted { $0.key < $1.key }.map { namespace, resources in
            [
                "namespace": .string(String(namespace)),
                "resourceTypes": .array(
                    Set(resources.map { $0.id.type.dropFirst(namespace.count + 1) }).sorted().map {
                        ["resourceType": .string(String($0)), "locations": [.null]]
                    }),
            ]
        }
        let ids = Dictionary(template.resources.map { ($0.id.key, $0.id) }) { one, _ in one }
        func named(_ id: ResourceID) -> JSONValue {
            [
                "id": .string(id.description), "resourceType": .string(id.type),
                "resourceName": .string(id.path),
            ]
        }
        let dependencies: [JSONValue] = template.resources.filter { !$0.needs.isEmpty }.map { resource in
            var json = named(resource.id)
            json[path: "dependsOn"] = .array(resource.needs.compactMap { ids[$0] }.map(named))
            return json
        }
        return [
            "templateHash": .string(
                String(template.scope.template.text.utf8.reduce(UInt64(5381)) { ($0 &* 33) ^ UInt64($1) })),
            "parameters": .object(template.parameters.shown), "mode": "Incremental",
            "timestamp": .string(call.now.text),
            "duration": "PT0S", "correlationId": .string(call.makeID()), "providers": .array(providers),
            "dependencies": .array(dependencies),
        ]
    }

    // MARK: Effects

    func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion {
        if operation.verb == "delete" {
            state.removeTree(operation.target)
            return .done(nil)
        }
        let record = try state.require(operation.target)
        var step = DeploymentStep(record, operation, context)
        return try step.take(in: &state)
    }
}
