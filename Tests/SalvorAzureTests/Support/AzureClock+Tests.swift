import Foundation
import SalvorAzure
import Synchronization

extension AzureClock {
    /// Time that passes fifty times as fast, pauses included: a second of backoff takes 20 ms.
    static func fast(_ factor: Int = 50) -> AzureClock {
        let start = ContinuousClock.now
        return AzureClock(
            monotonic: { (ContinuousClock.now - start) * factor },
            seconds: { Int64(Date().timeIntervalSince1970) },
            sleep: { try await Task.sleep(for: $0 / factor) })
    }
}

/// Time that stands still until somebody waits: a pause is over at once, and is on record.
final class RecordedTime: Sendable {
    private struct State {
        var now = Duration.zero
        var pauses: [Duration] = []
    }

    private let state = Mutex(State())

    var pauses: [Duration] { state.withLock { $0.pauses } }
    var now: Duration { state.withLock { $0.now } }

    func pass(_ time: Duration) { state.withLock { $0.now += time } }

    var clock: AzureClock {
        AzureClock(
            monotonic: { self.now }, seconds: { self.now.components.seconds },
            sleep: { time in
                try Task.checkCancellation()
                self.state.withLock { state in
                    state.now += time
                    state.pauses.append(time)
                }
                await Task.yield()
            })
    }
}
