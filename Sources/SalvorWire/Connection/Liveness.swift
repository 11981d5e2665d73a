/// Whether the peer is still there: when it was last heard, and which PINGs it owes an answer to (SPEC.md, K-1 to K-4).
struct Liveness: Sendable {
    /// PINGs of ours that may wait for an answer at once; more would say nothing new.
    static let maxOutstanding = 16

    private let interval: UInt64
    private let timeout: UInt64
    private var lastHeard: Instant
    /// When the keepalive PING went out; nil while the peer is not silent.
    private var probedAt: Instant?
    private var outstanding: [(opaque: UInt64, sentAt: Instant)] = []
    private var nextOpaque: UInt64 = 1

    init(limits: Limits, now: Instant) {
        interval = limits.keepAliveInterval.wireNanoseconds
        timeout = limits.keepAliveTimeout.wireNanoseconds
        lastHeard = now
    }

    /// When the next look is due.
    var deadline: Instant {
        probedAt?.advanced(byNanoseconds: timeout) ?? lastHeard.advanced(byNanoseconds: interval)
    }

    /// Any byte is a sign of life.
    mutating func heard(now: Instant) {
        lastHeard = now
        probedAt = nil
    }

    enum Verdict {
        case well
        /// Silent for the interval: ask.
        case probe
        /// Silent after the question as well.
        case dead
    }

    /// Looks at the time.
    mutating func look(now: Instant) -> Verdict {
        guard now >= deadline else { return .well }
        guard probedAt == nil else { return .dead }
        probedAt = now
        return .probe
    }

    /// What the next PING is to carry; nil when enough are out.
    mutating func beginPing(now: Instant) -> UInt64? {
        guard outstanding.count < Self.maxOutstanding else { return nil }
        defer { nextOpaque += 1 }
        outstanding.append((nextOpaque, now))
        return nextOpaque
    }

    /// The round trip of the PING that this answers; nil when there was none.
    mutating func endPing(_ opaque: UInt64, now: Instant) -> UInt64? {
        guard let index = outstanding.firstIndex(where: { $0.opaque == opaque }) else { return nil }
        return now.nanoseconds(since: outstanding.remove(at: index).sentAt)
    }
}
