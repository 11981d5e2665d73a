internal import Synchronization

/// Lets one event through in a while and counts the others, so that strangers who come in crowds fill no log.
final class Throttle: Sendable {
    private struct State {
        var next: ContinuousClock.Instant?
        var heldBack = 0
    }

    private let interval: Duration
    private let state = Mutex(State())

    init(_ interval: Duration) { self.interval = interval }

    /// - Returns: how many were held back since the last one that passed; nil where this one is held back.
    func pass(at now: ContinuousClock.Instant = .now) -> Int? {
        state.withLock { state in
            if let next = state.next, now < next {
                state.heldBack += 1
                return nil
            }
            defer { state = State(next: now + interval) }
            return state.heldBack
        }
    }
}
