internal import SalvorJSON

/// What all network resources have in common: they are made at once and succeed a little later, and cannot be deleted
/// while another uses them.
protocol NetworkKind: ResourceKind {
    /// Checks the body and adds what Azure adds.
    /// - Parameter known: what there was before.
    func fill(
        _ record: inout Record, known: Record?, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError)
    /// - Throws: the error for one that is in use.
    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError)
    /// Gives back what a resource had that is no more.
    func release(_ record: Record, in state: inout EmulatorState)
}

extension NetworkKind {
    package func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try ResourceName.check(call.id.name, of: "resource name", longest: 80, lastMayNotBe: ".-")
        try NetworkOperations.checkIdle(call, in: state)
        let known = state[call.id]
        var record = known ?? Record(id: call.id, body: [:])
        record.body = call.body
        for name in ["id", "name", "type", "etag"] { record.body[path: name] = nil }
        if call.id.types.count == 1 {
            let location = try call.location()
            if let known, let was = known.body["location"]?.string, was != location {
                throw ARMError(
                    409, "InvalidResourceLocation",
                    "The resource '\(call.id.name)' already exists in location '\(was)' in resource group "
                        + "'\(call.id.resourceGroup ?? "")'. A resource with the same name cannot be created in location "
                        + "'\(printable(location))'. Please select a new resource name.")
            }
            record.body[path: "location"] = .string(location)
            record.body[path: "properties.resourceGuid"] =
                known?.body[path: "properties.resourceGuid"] ?? .string(call.makeID())
        }
        try fill(&record, known: known, call, in: &state)
        record.provisioningState = "Updating"
        state.put(record)
        let shown = state[call.id] ?? record
        return .accepted(
            known == nil ? 201 : 200, view(shown, call, in: state), call.begin("put", in: &state),
            .asyncOperation(segment: "operations"))
    }

    /// Of network resources a PATCH changes the tags alone.
    package func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        var record = try state.require(call.id)
        guard call.id.types.count == 1 else { throw .methodNotAllowed("PATCH") }
        try NetworkOperations.checkIdle(call, in: state)
        record.body[path: "tags"] = call.body[member: "tags"] ?? record.body["tags"]
        state.put(record)
        return .done(200, view(state[call.id] ?? record, call, in: state))
    }

    package func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard var record = state[call.id] else { return .done(204, nil) }
        if let running = state.running(on: call.id), running.verb == "delete" {
            return .accepted(202, nil, running, .network)
        }
        try NetworkOperations.checkIdle(call, in: state)
        try checkUnused(record, in: state)
        record.provisioningState = "Deleting"
        state.put(record)
        return .accepted(202, nil, call.begin("delete", in: &state), .network)
    }

    package func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion {
        guard var record = state[operation.target] else { throw .resourceNotFound(operation.target) }
        if operation.verb == "delete" {
            // Somebody may have begun to use it meanwhile.
            try checkUnused(record, in: state)
            release(record, in: &state)
            state.removeTree(operation.target)
            return .done(nil)
        }
        record.provisioningState = "Succeeded"
        state.put(record)
        return .done(nil)
    }

    package func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue {
        var json = record.json
        json[path: "etag"] = .string(record.etag)
        return json
    }

    func release(_ record: Record, in state: inout EmulatorState) {}
}

/// What network operations have to do with each other.
enum NetworkOperations {
    /// - Throws: `AnotherOperationInProgress` where something is being done to the resource, to what it is a child of, or
    ///   to another child of that. Clients ask again.
    static func checkIdle(_ call: ResourceCall, in state: EmulatorState) throws(ARMError) {
        var ids = [call.id]
        if let parent = call.id.parent {
            ids.append(parent)
            ids += state.children(of: parent, call.id.types.last ?? "").map(\.id)
        }
        guard let running = ids.lazy.compactMap({ state.running(on: $0) }).first else { return }
        throw ARMError(
            429, "AnotherOperationInProgress",
            "Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri: "
                + "\(call.surroundings.base)/subscriptions/\(call.id.subscription)/providers/Microsoft.Network/locations/"
                + "\(running.location ?? Locations.standard)/operations/\(running.id)?api-version=2024-07-01.",
            headers: ["Retry-After": "1"])
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

    /// 400 of Microsoft.Network for a member that is missing.
    static func missingValue(_ name: String, of id: ResourceID) -> ARMError {
        ARMError(
            400, "InvalidRequestFormat", "Cannot parse the request.",
            details: [
                ARMError(400, "MissingJsonProperty", "Required property '\(name)' of \(id) is missing.", target: name)
            ])
    }
}

extension JSONValue {
    /// A member as one of some words, spelt as Azure spells it.
    /// - Throws: `InvalidRequestFormat`.
    mutating func spell(_ path: String, _ words: [String], of id: ResourceID) throws(ARMError) {
        guard let text = self[path: path]?.string else { return }
        guard let word = words.first(where: { $0.lowercased() == text.lowercased() }) else {
            throw ARMError(
                400, "InvalidRequestFormat", "Cannot parse the request.",
                details: [
                    ARMError(
                        400, "InvalidJsonPropertyValue",
                        "The value '\(printable(text))' of property '\(path)' of \(id) is none of: "
                            + words.joined(separator: ", ") + ".", target: path)
                ])
        }
        self[path: path] = .string(word)
    }
}
