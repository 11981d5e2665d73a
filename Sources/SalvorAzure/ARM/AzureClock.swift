internal import Foundation

/// Time as this module meets it, so that tests can have it pass.
package struct AzureClock: Sendable {
    /// Since some moment; never goes back.
    package var monotonic: @Sendable () -> Duration
    /// Seconds since 1970.
    package var seconds: @Sendable () -> Int64
    /// - Throws: `CancellationError`.
    package var sleep: @Sendable (Duration) async throws -> Void

    package init(
        monotonic: @escaping @Sendable () -> Duration, seconds: @escaping @Sendable () -> Int64,
        sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.monotonic = monotonic
        self.seconds = seconds
        self.sleep = sleep
    }

    package static let system: AzureClock = {
        let start = ContinuousClock.now
        return AzureClock(
            monotonic: { ContinuousClock.now - start }, seconds: { Int64(Date().timeIntervalSince1970) },
            sleep: { try await Task.sleep(for: $0) })
    }()
}
