internal import SalvorJSON

/// Deployments of templates into a resource group: each resource is put when those that it depends on are there.
struct Deployments: ResourceKind {
    let type = "Microsoft.Resources/deployments"
    private static let links = Answer.Links.asyncOperation(segment: "operationStatuses")
    private static let pause = Duration.milliseconds(50)

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try ResourceName.check(call.id.name, of: "deploymentName", longest: 64, others: "-_.()", lastMayNotBe: "")
        try Disks.checkIdle(call.id, in: state)
        let isNew = state[call.id] == nil
        let template = try Self.template(call, in: state)
        var record = Record(id: call.id, body: ["properties": call.body[member: "properties"] ?? [:]])
        for name in ["template", "parameters"] { record.body[path: "properties.\(name)"] = nil }
        record.body[path: "properties.timestamp"] = .string(call.now.text)
        record.body[path: "properties.correlationId"] = .string(call.makeID())
        record.body[path: "properties.outputResources"] = []
        record.provisioningState = "Accepted"
        record.hidden = ["pending": .array(template.resources.map(\.json)), "running": [:], "done": []]
        state.put(record)
        return .accepted(isNew ? 201 : 200, record.json, call.begin("put", in: &state), Self.links)
    }

    func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard state[call.id] != nil else { return .done(204, nil) }
        try Disks.checkIdle(call.id, in: state)
        state.remove(call.id)
        return .done(204, nil)
    }

    func actsAlone(_ action: String) -> Bool { ["validate", "whatif"].contains(action.lowercased()) }

    func act(_ action: String, _ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer? {
        guard action.lowercased() == "validate" else { return nil }
        let template = try Self.template(call, in: state)
        var json: JSONValue = ["properties": ["provisioningState": "Succeeded", "mode": "Incremental"]]
        json[path: "id"] = .string(call.id.description)
        json[path: "name"] = .string(call.id.name)
        json[path: "type"] = .string(type)
        json[path: "properties.validatedResources"] = .array(
            template.resources.map { ["id": .string($0.id.description)] })
        return .done(200, json)
    }

    func read(
        _ child: String, _ record: Record, _ call: ResourceCall, in state: EmulatorState
    ) throws(ARMError) -> JSONValue? {
        child.lowercased() == "operations" ? ["value": []] : nil
    }

    /// One step: takes note of what has ended, and puts what can be put now.
    func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion {
        guard var record = state[operation.target] else { throw .resourceNotFound(operation.target) }
        do throws(ARMError) {
            let isDone = try advance(&record, context, in: &state)
            record.provisioningState = isDone ? "Succeeded" : "Running"
            state.put(record)
            return isDone ? .done(nil) : .again(after: Self.pause)
        } catch {
            record.provisioningState = "Failed"
            let failure = ARMError(
                409, "DeploymentFailed",
                "At least one resource deployment operation failed. Please list deployment operations for details. Please see "
                    + "https://aka.ms/arm-deployment-operations for usage details.", details: [error])
            record.body[path: "properties.error"] = failure.json
            state.put(record)
            return .failed(failure)
        }
    }

    private func advance(
        _ record: inout Record, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Bool {
        var running = record.hidden["running"]?.object ?? [:]
        var done = (record.hidden["done"]?.array ?? []).compactMap(\.string)
        var pending = record.hidden["pending"]?.array ?? []
        for (key, id) in running.sorted(by: { $0.key < $1.key }) {
            guard let operation = state.operation(id.string ?? "") else { continue }
            if operation.isRunning { continue }
            if let error = operation.error {
                throw ARMError(
                    409, error["code"]?.string ?? "Conflict", error["message"]?.string ?? "", target: key)
            }
            running[key] = nil
            done.append(key)
        }
        for resource in pending {
            let needs = (resource["needs"]?.array ?? []).compactMap(\.string)
            guard needs.allSatisfy(done.contains), let id = resource["id"]?.string.flatMap(ResourceID.init) else {
                continue
            }
            let answer = try context.put(id, body: resource["body"] ?? [:], in: &state)
            pending.removeAll { $0["id"] == resource["id"] }
            if case .accepted(_, _, let operation, _) = answer {
                running[id.key] = .string(operation.id)
            } else {
                done.append(id.key)
            }
            record.body[path: "properties.outputResources"] = .array(
                (record.body[path: "properties.outputResources"]?.array ?? []) + [["id": .string(id.description)]])
        }
        guard !running.isEmpty || pending.isEmpty else {
            throw ARMError(
                400, "InvalidTemplate",
                "Deployment template validation failed: its resources depend on each other in a circle.")
        }
        record.hidden = [
            "running": .object(running), "done": .array(done.map { .string($0) }), "pending": .array(pending),
        ]
        return running.isEmpty && pending.isEmpty
    }

    private static func template(_ call: ResourceCall, in state: EmulatorState) throws(ARMError) -> Template {
        guard let group = call.id.group, let record = state[group] else {
            throw .groupNotFound(call.id.resourceGroup ?? "")
        }
        guard let properties = call.body[member: "properties"] else { throw .requiredParameter("properties") }
        return try Template(properties, in: group, location: record.body["location"]?.string ?? Locations.standard)
    }
}
