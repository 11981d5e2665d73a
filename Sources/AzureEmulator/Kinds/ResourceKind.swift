package import SalvorJSON

/// One kind of resource: what its requests mean. A kind holds no state of its own; all that it knows is in the records.
package protocol ResourceKind: Sendable {
    /// `Microsoft.Compute/disks`, as Azure spells it.
    var type: String { get }

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
    package func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        throw .methodNotAllowed("PATCH")
    }

    package func act(
        _ action: String, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> Answer? { nil }

    package func read(
        _ child: String, _ record: Record, _ call: ResourceCall, in state: EmulatorState
    ) throws(ARMError) -> JSONValue? { nil }

    package func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue { record.json }

    package func actsAlone(_ action: String) -> Bool { false }
}

/// What became of an operation that was due.
package enum Completion: Sendable {
    /// It has ended, with this output.
    case done(JSONValue?)
    /// It goes on, and is to be looked at again.
    case again(after: Duration)
}

/// What an effect may need beside the state.
package struct EffectContext: Sendable {
    let now: EmulatorTime
    let latencies: Latencies
    let makeID: @Sendable () -> String
    let kinds: [String: any ResourceKind]

    /// - Throws: 404 for a type that there is not.
    func kind(_ type: String) throws(ARMError) -> any ResourceKind {
        guard let kind = kinds[type.lowercased()] else {
            throw ARMError(404, "InvalidResourceType", "The resource type '\(printable(type))' is not known here.")
        }
        return kind
    }

    /// A PUT that an effect makes in its turn.
    func call(_ id: ResourceID, body: JSONValue) -> ResourceCall {
        ResourceCall(id: id, body: body, query: [:], now: now, latencies: latencies, makeID: makeID)
    }
}

/// A request for a resource, and what a kind needs to answer it.
package struct ResourceCall: Sendable {
    package let id: ResourceID
    package let body: JSONValue
    /// By lower-cased name.
    package let query: [String: String]
    package let now: EmulatorTime
    package let latencies: Latencies
    /// Makes ids that no other operation has.
    let makeID: @Sendable () -> String

    /// - Throws: Azure's error where the body has no location.
    package func location() throws(ARMError) -> String {
        guard let location = body[member: "location"]?.string, !location.isEmpty else {
            throw ARMError(
                400, "LocationRequired", "The location property is required for this definition.")
        }
        return location.lowercased().filter { $0 != " " }
    }

    /// Begins a long-running operation on the call's resource, and records it.
    package func begin(
        _ verb: String, input: JSONValue = [:], in state: inout EmulatorState
    ) -> Operation {
        let operation = Operation(
            id: makeID(), target: id, verb: verb, input: input, began: now, due: now + latencies.of(id.type, verb))
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
}
