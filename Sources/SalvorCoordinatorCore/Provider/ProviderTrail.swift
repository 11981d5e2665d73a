package import SalvorAudit
internal import Synchronization

/// A call to a provider's control plane, as journal, audit log and report keep it.
package typealias ProviderCall = AuditEvent.ProviderCalls.Call

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
