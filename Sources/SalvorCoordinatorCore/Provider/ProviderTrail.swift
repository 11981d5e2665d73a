internal import Synchronization

/// A call to a provider's control plane, as journal and report keep it. Holds no body and no secret.
package struct ProviderCall: Hashable, Sendable, Codable {
    /// `PUT`, `POST`, ….
    package var verb: String
    /// The resource, with the action where there is one.
    package var target: String
    /// Whether it was to change something.
    package var changes: Bool
    /// HTTP's status; nil where no answer came.
    package var status: Int?
    /// The provider's own code of a refusal: `ScopeLocked`.
    package var code: String?
    package var requestID: String?
    package var correlationID: String?
    package var milliseconds: Int

    package init(
        verb: String, target: String, changes: Bool, status: Int?, code: String? = nil, requestID: String? = nil,
        correlationID: String? = nil, milliseconds: Int
    ) {
        self.verb = verb
        self.target = target
        self.changes = changes
        self.status = status
        self.code = code
        self.requestID = requestID
        self.correlationID = correlationID
        self.milliseconds = milliseconds
    }
}

/// The calls that one step makes, in their order. A provider notes them where it makes them; the ledger, which began the
/// step, writes them down.
package final class ProviderTrail: Sendable {
    @TaskLocal package static var current: ProviderTrail?

    private let noted = Mutex<[ProviderCall]>([])

    package init() {}

    /// Notes a call of the step that this task works for; does nothing outside of a step.
    package static func note(_ call: ProviderCall) { current?.noted.withLock { $0.append(call) } }

    package var calls: [ProviderCall] { noted.withLock { $0 } }
}
