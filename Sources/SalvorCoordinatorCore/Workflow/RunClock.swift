package import SalvorAudit

/// The time, injected, so that a fleet can be simulated.
package struct RunClock: Sendable {
    /// Wall clock in UTC, for records.
    package var wall: @Sendable () -> WallTime
    /// Since some fixed instant, for durations.
    package var monotonic: @Sendable () -> Duration

    package init(wall: @escaping @Sendable () -> WallTime, monotonic: @escaping @Sendable () -> Duration) {
        self.wall = wall
        self.monotonic = monotonic
    }

    package static let system: RunClock = {
        let start = ContinuousClock.now
        return RunClock(wall: { .now }, monotonic: { ContinuousClock.now - start })
    }()
}
