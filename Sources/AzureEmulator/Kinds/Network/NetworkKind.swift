internal import SalvorJSON

/// What all network resources have in common: they are made at once and succeed a little later, and cannot be deleted
/// while another uses them.
protocol NetworkKind: ResourceKind {
    /// Checks the body and adds what Azure adds.
    func fill(_ record: inout Record, _ call: ResourceCall, in state: inout EmulatorState) throws(ARMError)
    /// - Throws: the error for one that is in use.
    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError)
}

extension NetworkKind {
    static var links: Answer.Links { .asyncOperation(segment: "operations") }

    package func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try ResourceName.check(call.id.name, of: "resource name", longest: 80, lastMayNotBe: ".-")
        let known = state[call.id]
        if known != nil { try Disks.checkIdle(call.id, in: state) }
        var record = known ?? Record(id: call.id, body: [:])
        record.body = call.body
        if call.id.types.count == 1 { record.body[path: "location"] = .string(try call.location()) }
        record.body[path: "properties.resourceGuid"] =
            known?.body[path: "properties.resourceGuid"] ?? .string(call.makeID())
        try fill(&record, call, in: &state)
        record.provisioningState = "Updating"
        state.put(record)
        return .accepted(
            known == nil ? 201 : 200, view(record, call, in: state), call.begin("put", in: &state), Self.links)
    }

    package func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        // Of network resources a PATCH changes the tags alone.
        var record = try state.require(call.id)
        record.body[path: "tags"] = call.body[member: "tags"] ?? record.body["tags"]
        state.put(record)
        return .done(200, view(record, call, in: state))
    }

    package func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard let record = state[call.id] else { return .done(204, nil) }
        try Disks.checkIdle(call.id, in: state)
        try checkUnused(record, in: state)
        return .accepted(202, nil, call.begin("delete", in: &state), .both(segment: "operations"))
    }

    package func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion {
        if operation.verb == "delete" {
            state.remove(operation.target)
            return .done(nil)
        }
        guard var record = state[operation.target] else { throw .resourceNotFound(operation.target) }
        record.provisioningState = "Succeeded"
        state.put(record)
        return .done(nil)
    }

    package func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue {
        var json = record.json
        json[path: "etag"] = .string(record.etag)
        return json
    }
}

extension ARMError {
    /// 400 `InvalidResourceReference`.
    static func missingReference(_ text: String, by id: ResourceID) -> ARMError {
        ARMError(
            400, "InvalidResourceReference",
            "Resource \(printable(text)) referenced by resource \(id) was not found. Please make sure that the referenced "
                + "resource exists, and that both resources are in the same region.")
    }
}
