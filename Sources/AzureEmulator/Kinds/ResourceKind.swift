package import SalvorJSON

/// One kind of resource: what its requests mean. A kind holds no state of its own; all that it knows is in the records.
package protocol ResourceKind: Sendable {
    /// `Microsoft.Compute/disks`, as Azure spells it.
    var type: String { get }

    /// The resource of an id, where there is one.
    func find(_ id: ResourceID, in state: EmulatorState) -> Record?
    /// What Azure says of one that there is not.
    func missing(_ id: ResourceID) -> ARMError
    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer
    func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer
    func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer
    /// A POST below a resource.
    /// - Returns: nil for an action that there is not.
    func act(_ action: String, _ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer?
    /// A GET below a resource.
    /// - Returns: nil for a child that there is not.
    func read(
        _ child: String, _ record: Record, _ call: ResourceCall, in state: EmulatorState
    ) throws(ARMError) -> JSONValue?
    /// A GET of the kind's resources in a scope.
    /// - Parameter call: its id is the scope.
    func list(_ call: ResourceCall, in state: EmulatorState) throws(ARMError) -> [JSONValue]
    /// What GET and lists show.
    func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue
    /// Whether an action needs no resource of the name that it is called on.
    func actsAlone(_ action: String) -> Bool
    /// Makes an operation's effect, when it is due.
    /// - Throws: what the operation ends with.
    func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion
}

extension ResourceKind {
    package func find(_ id: ResourceID, in state: EmulatorState) -> Record? { state[id] }

    package func missing(_ id: ResourceID) -> ARMError { .resourceNotFound(id) }

    package func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        throw .methodNotAllowed("PATCH")
    }

    package func act(
        _ action: String, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> Answer? { nil }

    package func read(
        _ child: String, _ record: Record, _ call: ResourceCall, in state: EmulatorState
    ) throws(ARMError) -> JSONValue? { nil }

    package func list(_ call: ResourceCall, in state: EmulatorState) throws(ARMError) -> [JSONValue] {
        state.list(type, in: call.id).map {
            view(
                $0, ResourceCall(id: $0.id, body: call.body, query: call.query, surroundings: call.surroundings),
                in: state)
        }
    }

    package func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue { record.json }

    package func actsAlone(_ action: String) -> Bool { false }
}

/// What became of an operation that was due.
package enum Completion: Sendable {
    /// It has ended, with this output.
    case done(JSONValue?)
    /// It has ended badly, and what was changed for that stays. What is thrown instead leaves no change.
    case failed(ARMError)
    /// It goes on, and is to be looked at again.
    case again(after: Duration)
    /// It goes on outside of the state, and is completed a second time with the outcome of that.
    case work(Work)
}

/// What a kind may use beside the state.
package struct Surroundings: Sendable {
    package let now: EmulatorTime
    /// Scheme, host and port that the client used, for links; empty where no client asks.
    package let base: String
    /// Who asks; nil where no client does.
    package let caller: Caller?
    package let tenant: String
    let roles: RoleRules
    package let latencies: Latencies
    package let offer: ComputeOffer
    /// Whether there is a kind of resource of that name.
    let isKind: @Sendable (String) -> Bool
    /// Makes ids that nothing else has: UUIDs.
    let makeID: @Sendable () -> String
}

/// What an effect may need beside the state.
package struct EffectContext: Sendable {
    let surroundings: Surroundings
    let kinds: [String: any ResourceKind]
    let equipment: Equipment
    let access: AccessRules
    /// What became of the operation's work; nil before it has been begun.
    let outcome: Result<JSONValue, ARMError>?

    var now: EmulatorTime { surroundings.now }
    var makeID: @Sendable () -> String { surroundings.makeID }

    /// - Throws: 404 for a type that there is not.
    func kind(_ type: String) throws(ARMError) -> any ResourceKind {
        guard let kind = kinds[type.lowercased()] else {
            throw ARMError(404, "InvalidResourceType", "The resource type '\(printable(type))' is not known here.")
        }
        return kind
    }

    /// A request that an effect makes in its turn.
    func call(_ id: ResourceID, body: JSONValue) -> ResourceCall {
        ResourceCall(id: id, body: EnumSpelling.canonical(body), query: [:], surroundings: surroundings)
    }

    /// Puts a resource in the name of whoever began the operation, who has to be allowed to.
    func put(_ id: ResourceID, body: JSONValue, in state: inout EmulatorState) throws(ARMError) -> Answer {
        let kind = try kind(id.type)
        let call = call(id, body: body)
        try access.check(.write, on: id, kind.type, body: call.body, by: surroundings.caller, in: state)
        return try kind.put(call, in: &state)
    }
}

/// A request for a resource, and what a kind needs to answer it.
package struct ResourceCall: Sendable {
    package let id: ResourceID
    package let body: JSONValue
    /// By lower-cased name.
    package let query: [String: String]
    package let surroundings: Surroundings

    package var now: EmulatorTime { surroundings.now }
    var makeID: @Sendable () -> String { surroundings.makeID }

    /// - Throws: Azure's error where the body has no location.
    package func location() throws(ARMError) -> String {
        guard let location = body[member: "location"]?.string, !location.isEmpty else {
            throw ARMError(
                400, "LocationRequired", "The location property is required for this definition.")
        }
        return Locations.plain(location)
    }

    /// Begins a long-running operation on the call's resource, and records it.
    /// - Parameter more: another verb, whose time is added where it was given one.
    package func begin(
        _ verb: String, and more: String? = nil, input: JSONValue = [:], in state: inout EmulatorState
    ) -> Operation {
        let latencies = surroundings.latencies
        let due = now + latencies.of(id.type, verb) + (more.map { latencies.extra(id.type, $0) } ?? .zero)
        var operation = Operation(
            id: makeID(), target: id, verb: verb, input: input, location: state.location(of: id), began: now, due: due)
        operation.caller = surroundings.caller
        state.put(operation)
        return operation
    }
}

/// How a request is answered.
package enum Answer: Sendable {
    case done(Int, JSONValue?)
    /// The work goes on.
    case accepted(Int, JSONValue?, Operation, Links)

    /// The headers that say where to ask for an operation.
    package enum Links: Sendable {
        /// `Azure-AsyncOperation` alone.
        case asyncOperation(segment: String)
        /// And `Location`, which ends with the resource, or with an empty 200.
        case both(segment: String)
        /// Both as Microsoft.Network has them: `operations` and, for `Location`, `operationResults`.
        case network
        /// `Azure-AsyncOperation` alone, with an address below the resource.
        case below(segment: String)
        /// `Location` alone: 202 until it is done.
        case location
    }
}

/// How long operations take: by type and verb, or all alike.
package struct Latencies: Sendable {
    package var standard: Duration
    /// By lower-cased `type/verb`.
    package var exceptions: [String: Duration]

    package init(standard: Duration = .milliseconds(0), exceptions: [String: Duration] = [:]) {
        self.standard = standard
        self.exceptions = exceptions
    }

    package func of(_ type: String, _ verb: String) -> Duration {
        exceptions["\(type)/\(verb)".lowercased()] ?? standard
    }

    /// What is a part of another operation takes no time of its own, unless that was set.
    func extra(_ type: String, _ verb: String) -> Duration { exceptions["\(type)/\(verb)".lowercased()] ?? .zero }
}
