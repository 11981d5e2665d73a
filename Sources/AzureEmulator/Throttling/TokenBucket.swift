/// So many at once, and so many more a minute.
struct TokenBucket: Sendable {
    struct Limit: Hashable, Sendable {
        let burst: Double
        let perSecond: Double

        init(burst: Double, perMinute: Double) {
            self.burst = burst
            perSecond = perMinute / 60
        }
    }

    let limit: Limit
    private var tokens: Double
    private var seen: EmulatorTime

    init(_ limit: Limit, now: EmulatorTime) {
        self.limit = limit
        tokens = limit.burst
        seen = now
    }

    /// Whole tokens that are left.
    var remaining: Int { Int(tokens) }

    var isFull: Bool { tokens >= limit.burst }

    mutating func refill(_ now: EmulatorTime) {
        let seconds = Double(max(0, now.milliseconds - seen.milliseconds)) / 1000
        tokens = min(limit.burst, tokens + seconds * limit.perSecond)
        seen = now
    }

    mutating func take() { tokens -= 1 }

    /// Until there is a token; 0 where there is one.
    var secondsToWait: Int { tokens >= 1 ? 0 : max(1, Int(((1 - tokens) / limit.perSecond).rounded(.up))) }
}
