internal import SalvorJSON

/// One step of a deployment: takes note of what has ended, and puts what can be put now.
struct DeploymentStep {
    private var record: Record
    private var progress: DeploymentProgress
    private let operation: Operation
    private let context: EffectContext
    private static let pause = Duration.milliseconds(50)

    init(_ record: Record, _ operation: Operation, _ context: EffectContext) {
        self.record = record
        self.operation = operation
        self.context = context
        progress = DeploymentProgress(record.hidden)
    }

    mutating func take(in state: inout EmulatorState) throws(ARMError) -> Completion {
        let before = (progress.pending.count, progress.running.count)
        noteEnds(in: &state)
        try putReady(in: &state)
        let isStuck = progress.running.isEmpty && !progress.pending.contains { isReady($0) }
        guard isStuck else {
            record.provisioningState = "Running"
            record.hidden = progress.json
            state.put(record)
            // What it has just begun may be done at once.
            let hasMoved = before != (progress.pending.count, progress.running.count)
            return .again(after: hasMoved ? .zero : Self.pause)
        }
        return end(in: &state)
    }

    private mutating func end(in state: inout EmulatorState) -> Completion {
        record.hidden = DeploymentProgress.ended(progress.json)
        record.body[path: "properties.timestamp"] = .string(context.now.text)
        record.body[path: "properties.duration"] = .string(
            DeploymentOperations.duration(from: operation.began, to: context.now))
        var failure: ARMError?
        if progress.failed.isEmpty {
            do throws(ARMError) {
                record.body[path: "properties.outputs"] = try outputs(in: state)
            } catch {
                failure = ARMError(409, "DeploymentFailed", Self.failed, details: [error])
            }
        } else {
            failure = ARMError(
                409, "DeploymentFailed", Self.failed, target: record.id.description,
                details: progress.failed.map { ARMError(409, json: $0.error) })
        }
        record.provisioningState = failure == nil ? "Succeeded" : "Failed"
        if let failure { record.body[path: "properties.error"] = failure.json }
        state.put(record)
        return failure.map { .failed($0) } ?? .done(nil)
    }

    private static let failed =
        "At least one resource deployment operation failed. Please list deployment operations for details. Please see "
        + "https://aka.ms/arm-deployment-operations for usage details."

    // MARK: Resources

    private mutating func noteEnds(in state: inout EmulatorState) {
        for (key, id) in progress.running.sorted(by: { $0.key < $1.key }) {
            guard let made = state.operation(id), !made.isRunning else {
                // An operation that is forgotten had ended long ago.
                if state.operation(id) == nil { finish(key, in: &state) }
                continue
            }
            if let error = made.error {
                fail(made.target, ARMError(409, json: error), in: &state)
            } else {
                finish(key, in: &state)
            }
            progress.running[key] = nil
        }
    }

    private mutating func finish(_ key: String, in state: inout EmulatorState) {
        progress.running[key] = nil
        progress.done.insert(key)
        guard let id = ResourceID(key).flatMap({ state[$0]?.id }) else { return }
        record.body[path: "properties.outputResources"] = .array(
            (record.body[path: "properties.outputResources"]?.array ?? []) + [["id": .string(id.description)]])
        DeploymentOperations.note(id, of: record.id, "Succeeded", since: operation.began, context, in: &state)
    }

    private mutating func fail(_ id: ResourceID, _ error: ARMError, in state: inout EmulatorState) {
        var shown = error
        if shown.target == nil { shown.target = id.description }
        progress.failed.append(.init(key: id.key, error: shown.json))
        DeploymentOperations.note(
            id, of: record.id, "Failed", since: operation.began, error: error, context, in: &state)
    }

    private func isReady(_ resource: Template.Resource) -> Bool { resource.needs.allSatisfy(progress.done.contains) }

    private mutating func putReady(in state: inout EmulatorState) throws(ARMError) {
        for resource in progress.pending where isReady(resource) {
            // A put that is refused half-way leaves nothing behind.
            let before = state
            do throws(ARMError) {
                let answer = try put(resource, in: &state)
                progress.pending.removeAll { $0.id == resource.id }
                guard case .accepted(_, _, let made, _) = answer else {
                    finish(resource.id.key, in: &state)
                    continue
                }
                progress.running[resource.id.key] = made.id
                DeploymentOperations.note(
                    resource.id, of: record.id, "Running", since: operation.began, context, in: &state)
            } catch {
                state = before
                // Azure asks again where it is told to wait.
                if error.status == 429 { continue }
                progress.pending.removeAll { $0.id == resource.id }
                fail(resource.id, error, in: &state)
            }
        }
    }

    private func put(_ resource: Template.Resource, in state: inout EmulatorState) throws(ARMError) -> Answer {
        let body = try Template.body(of: resource, in: try scope(in: state), lookup: lookup(in: state))
        try Admission.check(resource.id, method: "PUT", kinds: context.kinds, in: state)
        try Tags.check(body[member: "tags"])
        return try context.put(resource.id, body: body, in: &state)
    }

    // MARK: Expressions

    private func scope(in state: EmulatorState) throws(ARMError) -> TemplateScope {
        let call = context.call(record.id, body: [:])
        var scope = TemplateScope(template: progress.template, place: try DeploymentPlace.of(call, in: state))
        scope.parameters = progress.parameters
        scope.symbols = progress.symbols
        return scope
    }

    private func lookup(in state: EmulatorState) -> TemplateScope.Lookup {
        { [context] (id, isFull) throws(ARMError) in
            let record = try state.require(id)
            let json = try context.kind(id.type).view(record, context.call(id, body: [:]), in: state)
            return isFull ? json : json["properties"] ?? [:]
        }
    }

    private func outputs(in state: EmulatorState) throws(ARMError) -> JSONValue? {
        guard let declared = progress.template[member: "outputs"]?.object else { return nil }
        var scope = try scope(in: state)
        scope.lookup = lookup(in: state)
        var outputs: [String: JSONValue] = [:]
        for (name, output) in declared {
            if let condition = output[member: "condition"], try scope.evaluate(condition).bool != true { continue }
            let type = output[member: "type"]?.string ?? ""
            var json: JSONValue = ["type": .string(type.prefix(1).uppercased() + type.dropFirst())]
            if !type.lowercased().hasPrefix("secure") {
                if let loop = output[member: "copy"] {
                    json[path: "value"] = .array(try scope.repeated(loop))
                } else {
                    json[path: "value"] = try scope.evaluate(output[member: "value"] ?? .null)
                }
            }
            outputs[name] = json
        }
        return .object(outputs)
    }
}

extension ARMError {
    /// An error as an operation keeps it.
    init(_ status: Int, json: JSONValue) {
        self.init(
            status, json["code"]?.string ?? "Conflict", json["message"]?.string ?? "", target: json["target"]?.string,
            details: (json["details"]?.array ?? []).map { ARMError(status, json: $0) })
    }
}
