import SalvorAzure
import Synchronization

/// A time that passes when it is told to, and when somebody sleeps.
final class SignInTime: Sendable {
    private let state = Mutex<(seconds: Int64, pauses: [Duration])>((1_721_362_140, []))

    var now: Int64 { state.withLock { $0.seconds } }
    var pauses: [Duration] { state.withLock { $0.pauses } }

    func pass(_ seconds: Int64) { state.withLock { $0.seconds += seconds } }

    var clock: AzureClock {
        AzureClock(
            monotonic: { .seconds(self.now) }, seconds: { self.now },
            sleep: { pause in
                try Task.checkCancellation()
                self.state.withLock { state in
                    state.pauses.append(pause)
                    state.seconds += pause.components.seconds
                }
            })
    }
}
