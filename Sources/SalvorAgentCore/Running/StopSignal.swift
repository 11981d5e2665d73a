internal import Synchronization

/// Asks work that must not be torn down to end at its next safe point. Task cancellation would also kill the
/// processes that the work depends on, a mounted volume's among them.
package final class StopSignal: Sendable {
    private let raised = Atomic(false)

    package init() {}

    package var isRaised: Bool { raised.load(ordering: .acquiring) }

    package func raise() { raised.store(true, ordering: .releasing) }

    /// - Throws: ``AgentError/Code/cancelled`` once raised.
    package func check() throws(AgentError) {
        guard isRaised else { return }
        throw .givenUp
    }
}

extension AgentError {
    static var givenUp: AgentError {
        AgentError(
            .cancelled, "The caller gave the work up before anything was deleted.",
            next: "Start it again when it is wanted.")
    }
}
