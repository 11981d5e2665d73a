internal import Synchronization

/// One answer that a task waits for and an event loop gives. Whoever is first settles it: the answer, or the
/// cancellation of the task that waits.
final class Ticket<Value: Sendable>: Sendable {
    private enum State {
        case pending
        case waiting(CheckedContinuation<Value, any Error>)
        case settled(Result<Value, any Error>)
        case taken
    }

    private let state = Mutex(State.pending)

    /// Whether an answer would come too late.
    var isSettled: Bool {
        state.withLock { state in
            switch state {
            case .pending, .waiting: false
            case .settled, .taken: true
            }
        }
    }

    /// Waits for the answer. Called once.
    /// - Throws: the failure that was given, or `CancellationError`.
    func value() async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state -> Result<Value, any Error>? in
                    switch state {
                    case .pending:
                        state = .waiting(continuation)
                        return nil
                    case .settled(let result):
                        state = .taken
                        return result
                    case .waiting, .taken: preconditionFailure("a ticket is good for one")
                    }
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            settle(.failure(CancellationError()))
        }
    }

    /// - Returns: whether this is the answer; false when the ticket was settled before.
    @discardableResult
    func settle(_ result: Result<Value, any Error>) -> Bool {
        let (isFirst, continuation) = state.withLock { state -> (Bool, CheckedContinuation<Value, any Error>?) in
            switch state {
            case .pending:
                state = .settled(result)
                return (true, nil)
            case .waiting(let continuation):
                state = .taken
                return (true, continuation)
            case .settled, .taken: return (false, nil)
            }
        }
        continuation?.resume(with: result)
        return isFirst
    }
}
