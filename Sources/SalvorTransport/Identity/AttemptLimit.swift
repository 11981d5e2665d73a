/// How often one source may fail within a time; beyond that it is not listened to until that time is over. Others are not
/// hindered by it.
struct AttemptLimit: Sendable {
    private struct Failures {
        var since: WallTime
        var count: Int
    }

    let failures: Int
    let period: Duration
    /// A stranger with very many addresses must not take the memory either: beyond, the oldest is forgotten.
    let sources: Int
    private var known: [String: Failures] = [:]

    init(failures: Int, period: Duration, sources: Int = 1024) {
        self.failures = failures
        self.period = period
        self.sources = sources
    }

    func allows(_ source: String, now: WallTime) -> Bool {
        guard let failures = known[source], now < failures.since + period else { return true }
        return failures.count < self.failures
    }

    mutating func failed(_ source: String, now: WallTime) {
        if let failures = known[source], now < failures.since + period {
            known[source]?.count += 1
            return
        }
        if known.count >= sources, let oldest = known.min(by: { $0.value.since < $1.value.since }) {
            known[oldest.key] = nil
        }
        known[source] = Failures(since: now, count: 1)
    }
}
