internal import SalvorJSON

/// What simple resources of Microsoft.Compute have in common: a PUT makes or changes them, a PATCH merges, and both end
/// with the resource.
protocol ComputeResource: ResourceKind {
    /// Checks what is asked for and adds what Azure adds.
    /// - Parameter known: what there was before.
    /// - Returns: what the operation needs to know.
    func fill(
        _ record: inout Record, known: Record?, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> JSONValue
    /// - Throws: the error for one that is in use.
    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError)
    /// How long its name may be, and what of it is allowed beside letters and digits.
    var nameRule: (longest: Int, others: String) { get }
    /// The status of an answer to a request that makes one.
    var created: Int { get }
    /// The state while it is made and while it is changed.
    var states: (create: String, update: String) { get }
}

extension ComputeResource {
    static var links: Answer.Links { .asyncOperation(segment: "operations") }
    package var nameRule: (longest: Int, others: String) { (80, "_.-") }
    package var states: (create: String, update: String) { ("Creating", "Updating") }
    package var created: Int { 201 }

    package func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError) {}

    package func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try ResourceName.check(call.id.name, of: "name", longest: nameRule.longest, others: nameRule.others)
        let location = try call.location()
        let known = state[call.id]
        if let was = known?.body["location"]?.string, was != location { throw .changed("location") }
        return try write(call.body.merged(with: ["location": .string(location)]), known, call, in: &state)
    }

    package func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        let known = try state.require(call.id)
        var change = call.body
        change[path: "location"] = nil
        return try write(known.body.merged(with: change), known, call, in: &state)
    }

    private func write(
        _ body: JSONValue, _ known: Record?, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> Answer {
        try Disks.checkIdle(call.id, in: state)
        var record = known ?? Record(id: call.id, body: [:])
        record.body = body
        for name in ["id", "name", "type", "etag"] { record.body[path: name] = nil }
        let input = try fill(&record, known: known, call, in: &state)
        record.provisioningState = known == nil ? states.create : states.update
        state.put(record)
        let operation = call.begin(known == nil ? "create" : "update", input: input, in: &state)
        return .accepted(known == nil ? created : 200, view(record, call, in: state), operation, Self.links)
    }

    package func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard var record = state[call.id] else { return .done(204, nil) }
        try Disks.checkIdle(call.id, in: state)
        try checkUnused(record, in: state)
        record.provisioningState = "Deleting"
        state.put(record)
        return .accepted(202, nil, call.begin("delete", in: &state), .both(segment: "operations"))
    }

    package func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion {
        guard var record = state[operation.target] else { throw .resourceNotFound(operation.target) }
        if operation.verb == "delete" {
            try checkUnused(record, in: state)
            state.removeTree(operation.target)
            return .done(nil)
        }
        if operation.verb == "create", let work = try ImageBytes.work(of: operation, on: record, context) {
            return .work(work)
        }
        record.provisioningState = "Succeeded"
        state.put(record)
        return .done(view(record, context.call(record.id, body: [:]), in: state))
    }
}

extension ARMError {
    /// 409 `CannotDeleteResource` for what still has children.
    static func hasChildren(_ children: [Record]) -> ARMError {
        ARMError(
            409, "CannotDeleteResource",
            "Cannot delete resource while nested resources exist. Some existing nested resource IDs include: '"
                + children.prefix(5).map(\.id.description).joined(separator: ", ")
                + "'. Please delete all nested resources before deleting this resource.")
    }
}
