package import Dispatch
import Synchronization

/// A value that is set once, by whichever of several sources comes first, and awaited by one task.
package final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case waiting(CheckedContinuation<Value, Never>)
        case set(Value)
        case taken
    }

    private let state = Mutex<State>(.empty)

    package init() {}

    /// The first call wins, the others do nothing.
    package func set(_ value: Value) {
        let waiter: CheckedContinuation<Value, Never>? = state.withLock { state in
            switch state {
            case .empty:
                state = .set(value)
                return nil
            case .waiting(let continuation):
                state = .taken
                return continuation
            case .set, .taken:
                return nil
            }
        }
        waiter?.resume(returning: value)
    }

    /// Sets `value` after a time, unless something else was first.
    package func set(_ value: Value, after delay: Duration, on queue: DispatchQueue) {
        queue.asyncAfter(deadline: .now() + delay.dispatchInterval) { self.set(value) }
    }

    /// - Parameter cancelled: what a cancelled task gets.
    package func value(ifCancelled cancelled: Value) async -> Value {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready: Value? = state.withLock { state in
                    if case .set(let value) = state {
                        state = .taken
                        return value
                    }
                    state = .waiting(continuation)
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            set(cancelled)
        }
    }
}

extension Duration {
    /// At nanosecond resolution, saturating.
    package var dispatchInterval: DispatchTimeInterval {
        let (seconds, attoseconds) = components
        let whole = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !whole.overflow else { return .never }
        return .nanoseconds(Int(clamping: whole.partialValue) + Int(attoseconds / 1_000_000_000))
    }

    /// Seconds with fraction.
    package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

/// Runs `operation` for at most `limit`; it is cancelled when the time is up.
/// - Returns: nil when the time was up first.
package func within<Value: Sendable>(
    _ limit: Duration, _ operation: @escaping @Sendable () async -> Value
) async -> Value? {
    await withTaskGroup(of: Value?.self) { group in
        group.addTask { await operation() }
        group.addTask {
            try? await Task.sleep(for: limit)
            return nil
        }
        let first = await group.next() ?? nil
        group.cancelAll()
        return first
    }
}
