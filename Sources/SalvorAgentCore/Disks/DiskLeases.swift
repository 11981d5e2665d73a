internal import Synchronization

/// Who works on which disk: one at a time, since a scan beside a repair would see half of it.
package final class DiskLeases: Sendable {
    private struct State {
        var held: [String: String] = [:]
        var waiters: [CheckedContinuation<Void, Never>] = []
        var draining = false
    }

    private let state = Mutex(State())

    package init() {}

    /// Disks that are worked on.
    package var count: Int { state.withLock { $0.held.count } }

    /// Holds a disk while `body` runs.
    /// - Throws: ``AgentError/Code/diskBusy``, ``AgentError/Code/draining``, or what `body` throws.
    func withLease<Success>(
        on device: String, for purpose: String, _ body: () async throws(AgentError) -> Success
    ) async throws(AgentError) -> Success {
        let refusal: AgentError? = state.withLock { state in
            if state.draining { return .draining }
            if let holder = state.held[device] {
                return AgentError(
                    .diskBusy, "\(device) is in use by another \(holder). This \(purpose) did not begin.",
                    next: "Wait for the other to end.")
            }
            state.held[device] = purpose
            return nil
        }
        if let refusal { throw refusal }
        defer { release(device) }
        return try await body()
    }

    private func release(_ device: String) {
        let waiters = state.withLock { state in
            state.held.removeValue(forKey: device)
            defer { if state.held.isEmpty { state.waiters = [] } }
            return state.held.isEmpty ? state.waiters : []
        }
        for waiter in waiters { waiter.resume() }
    }

    /// From now on no disk is leased; returns when none is any more.
    func drainAndWait() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                state.draining = true
                if !state.held.isEmpty { state.waiters.append(continuation) }
                return state.held.isEmpty
            }
            if isIdle { continuation.resume() }
        }
    }

    /// Takes a ``drain()`` back.
    func resume() { state.withLock { $0.draining = false } }

    /// From now on no disk is leased, unless one is leased now.
    /// - Throws: ``AgentError/Code/diskBusy`` when a disk is worked on; nothing changes then.
    func drain() throws(AgentError) {
        let busy: String? = state.withLock { state in
            if let (device, purpose) = state.held.first { return "\(device) is in use by a \(purpose)" }
            state.draining = true
            return nil
        }
        guard let busy else { return }
        throw AgentError(
            .diskBusy, "\(busy). The rescue VM stays on.", next: "Wait for it to end, or cancel it, and ask again.")
    }

    /// Whether the agent takes nothing new.
    package var isDraining: Bool { state.withLock(\.draining) }
}

extension AgentError {
    static var draining: AgentError {
        AgentError(.draining, "The rescue VM is about to power off.", next: "Start another rescue VM.")
    }
}
