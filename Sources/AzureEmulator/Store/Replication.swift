internal import Synchronization

/// Azure's eventual consistency: for a while after it was made, a resource may be said to be missing.
package final class Replication: Sendable {
    private let lag: Duration
    private let young = Mutex<[String: EmulatorTime]>([:])

    init(lag: Duration) { self.lag = lag }

    func made(_ id: ResourceID, _ now: EmulatorTime) {
        guard lag > .zero else { return }
        young.withLock { young in
            young = young.filter { $0.value + lag > now }
            young[id.key] = now
        }
    }

    func hides(_ id: ResourceID, _ now: EmulatorTime) -> Bool {
        guard lag > .zero else { return false }
        return young.withLock { $0[id.key].map { $0 + lag > now } ?? false }
    }
}
