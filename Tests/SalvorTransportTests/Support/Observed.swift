#if SALVOR_SANITIZE
    import SalvorTransport
#else
    import Synchronization
#endif

/// A value that tests wait on: for a condition, until a deadline, without polling.
final class Observed<Value: Sendable>: Sendable {
    private struct Waiter {
        let id: Int
        let isMet: @Sendable (Value) -> Bool
        let continuation: CheckedContinuation<Value, any Error>
    }

    private struct State {
        var value: Value
        var waiters: [Waiter] = []
        var nextID = 0
    }

    private let state: Mutex<State>

    init(_ value: Value) { state = Mutex(State(value: value)) }

    var value: Value { state.withLock { $0.value } }

    func update(_ change: (inout Value) -> Void) {
        let met = state.withLock { state -> [(Waiter, Value)] in
            change(&state.value)
            let value = state.value
            let met = state.waiters.filter { $0.isMet(value) }
            state.waiters.removeAll { waiter in met.contains { $0.id == waiter.id } }
            return met.map { ($0, value) }
        }
        for (waiter, value) in met { waiter.continuation.resume(returning: value) }
    }

    @discardableResult
    func wait(
        for what: String, within limit: Duration = .seconds(120), until isMet: @escaping @Sendable (Value) -> Bool
    ) async throws -> Value {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let timeout = Task {
            try await Task.sleep(for: limit)
            self.giveUp(id, TimedOut(what: what, last: String(describing: self.value)))
        }
        defer { timeout.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let met = state.withLock { state -> Value? in
                    if isMet(state.value) { return state.value }
                    state.waiters.append(Waiter(id: id, isMet: isMet, continuation: continuation))
                    return nil
                }
                if let met { continuation.resume(returning: met) }
            }
        } onCancel: {
            giveUp(id, CancellationError())
        }
    }

    private func giveUp(_ id: Int, _ error: any Error) {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiters.remove(at: index)
        }
        waiter?.continuation.resume(throwing: error)
    }
}

struct TimedOut: Error, CustomStringConvertible {
    let what: String
    let last: String
    var description: String { "gave up waiting for \(what); last seen: \(last.prefix(2000))" }
}
