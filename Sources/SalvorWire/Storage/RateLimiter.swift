/// Counts what happens within one period after another, against a maximum.
struct RateLimiter: Sendable {
    private let maximum: Int
    private let periodNanoseconds: UInt64
    private var start: Instant
    private var count = 0

    init(maximum: Int, period: Duration, now: Instant) {
        self.maximum = maximum
        self.periodNanoseconds = period.wireNanoseconds
        self.start = now
    }

    /// Counts one more; false when that is too many.
    mutating func allows(now: Instant) -> Bool {
        if now.nanoseconds(since: start) >= periodNanoseconds {
            start = now
            count = 0
        }
        count += 1
        return count <= maximum
    }
}
