/// A dead man's switch: acts once when no coordinator has been there for a set time, so that no rescue VM outlives its
/// run. Time counts from the start, as if a coordinator had just left.
package actor CoordinatorWatch<WatchClock: Clock> where WatchClock.Duration == Duration {
    private let timeout: Duration
    private let clock: WatchClock
    private let action: @Sendable () async -> Void
    private var connections = 0
    private var timer: Task<Void, Never>?
    private var hasFired = false

    package init(timeout: Duration, clock: WatchClock, action: @escaping @Sendable () async -> Void) {
        self.timeout = timeout
        self.clock = clock
        self.action = action
    }

    /// Begins to wait for the first coordinator.
    package func start() { if connections == 0 { arm() } }

    /// A coordinator's connection is up and trusted.
    package func connected() {
        connections += 1
        timer?.cancel()
        timer = nil
    }

    /// A connection told of by ``connected()`` is gone.
    package func disconnected() {
        guard connections > 0 else { return }
        connections -= 1
        if connections == 0 { arm() }
    }

    private func arm() {
        guard timer == nil, !hasFired else { return }
        timer = Task { [clock, timeout] in
            do { try await clock.sleep(for: timeout) } catch { return }
            await self.fire()
        }
    }

    private func fire() async {
        // A coordinator can have come between the end of the sleep and here.
        guard connections == 0, !hasFired, !Task.isCancelled else { return }
        hasFired = true
        await action()
    }
}
