/// One connection's protocol, without its I/O: bytes and time in; events and bytes out (SPEC.md).
///
/// Drive it so, on one thread:
/// 1. Make it when TLS stands. It has bytes to send at once.
/// 2. Give every received byte to `receive(_:now:)`, end of file to `transportClosed()`.
/// 3. After every call of any method: take events with `nextEvent()` until nil, send what `nextOutbound(maxBytes:)` or
///    `writeOutbound(into:)` gives until there is none (or the socket is full), and set a timer for `nextDeadline`, upon
///    which `timerFired(now:)` is due.
/// 4. After `Event.drained` or `Event.connectionFailed`: send what is left, then close.
///
/// Methods that throw leave the machine as it was. What the peer does wrong never throws: it becomes an event.
package struct ConnectionMachine: ~Copyable, Sendable {
    /// How far the connection is.
    enum Phase: Sendable {
        /// Until the peer's preface and SETTINGS are here; after `deadline` it is too late (P-4).
        case awaitingSettings(deadline: Instant)
        case open
        /// Given up or ended; nothing is received, and what is queued may still be sent.
        case closed
    }

    /// How far our own drain is (SPEC.md, section 8).
    enum Drain: Sendable {
        case none
        /// The first GOAWAY is out; calls that the caller opened before it saw it are still taken.
        case announced(until: Instant)
        /// The last GOAWAY is out; streams above `lastStream` are dropped.
        case final(lastStream: StreamID)
    }

    package let role: Role
    package let limits: Limits
    /// What the peer announced; the defaults of SPEC.md until `Event.ready`.
    package internal(set) var peerSettings = PeerSettings()

    var phase: Phase
    var drainState = Drain.none
    var peerGoAway: GoAway?
    var saidDrained = false

    var decoder: FrameDecoder
    var streams: [StreamID: Stream] = [:]
    /// The highest stream that the caller has opened, whether or not it is still there (F-3).
    var highestStream = StreamID.connection
    var deadlines = DeadlineQueue()
    /// `openStream` failed for want of room; `Event.streamsAvailable` is owed.
    var owesStreamsAvailable = false

    var events = FIFO<Event>()
    /// Frames that wait for nothing but the socket.
    var control: OutputBuffer
    /// The MESSAGE frame that is being written.
    var currentFrame: OutboundFrame?
    /// Streams that can send a MESSAGE frame by their own window, in turn.
    var ready = FIFO<StreamID>()

    var sendWindow = SendWindow(PeerSettings().initialConnectionWindow)
    var receiveWindow: ConnectionReceiveWindow
    /// Cost of what was received and not consumed on all streams.
    var heldByteCount = 0
    var heldMessageCount = 0

    var liveness: Liveness
    var resetRate: RateLimiter
    var pingRate: RateLimiter
    var otherRate: RateLimiter

    /// Throws `misuse` when the limits contradict each other or SPEC.md.
    package init(role: Role, limits: Limits = .standard, now: Instant) throws(WireError) {
        try limits.check()
        var greeting = OutputBuffer()
        greeting.bytes.append(contentsOf: Preface.bytes)
        try FrameEncoder.append(.settings(PeerSettings(limits)), to: &greeting.bytes)

        control = greeting
        self.role = role
        self.limits = limits
        phase = .awaitingSettings(deadline: now.advanced(byNanoseconds: limits.prefaceTimeout.wireNanoseconds))
        decoder = FrameDecoder(peer: role.peer, limits: limits)
        receiveWindow = ConnectionReceiveWindow(limits.initialConnectionWindow)
        liveness = Liveness(limits: limits, now: now)
        resetRate = RateLimiter(maximum: limits.maxResetsPerPeriod, period: limits.ratePeriod, now: now)
        pingRate = RateLimiter(maximum: limits.maxPingsPerPeriod, period: limits.ratePeriod, now: now)
        otherRate = RateLimiter(maximum: limits.maxOtherFramesPerPeriod, period: limits.ratePeriod, now: now)
    }

    /// Calls that are open now.
    package var openStreamCount: Int { streams.count }

    /// Whether nothing can be sent or received any more, apart from what is queued.
    package var isClosed: Bool {
        if case .closed = phase { true } else { false }
    }

    /// The oldest event not yet taken.
    package mutating func nextEvent() -> Event? {
        events.popFirst()
    }

    /// Appends a frame whose encoding cannot fail: all but HEADERS and TRAILERS.
    mutating func queue(_ frame: Frame) {
        do {
            try FrameEncoder.append(frame, to: &control.bytes, peer: peerSettings)
        } catch {
            // No such frame is limited by the peer's settings or has characters to refuse.
            assertionFailure("\(frame) was not encoded: \(error)")
        }
    }
}

extension Limits {
    /// Throws `misuse` for limits that SPEC.md does not allow, or with which a connection could not work.
    func check() throws(WireError) {
        if let invalid = PeerSettings(self).firstInvalid {
            throw WireError(
                .misuse,
                "Limits.\(invalid.name) is \(invalid.value); it must be \(invalid.allowed.lowerBound) to "
                    + "\(invalid.allowed.upperBound). No connection was begun.")
        }
        guard sendQueueLowWater >= 0, sendQueueLowWater <= sendQueueHighWater else {
            throw WireError(
                .misuse, "Limits.sendQueueLowWater must be 0 to sendQueueHighWater. No connection was begun.")
        }
        guard maxHeldBytes > 0, maxControlBacklog > 0, prefaceTimeout > .zero, keepAliveInterval > .zero,
            keepAliveTimeout > .zero, ratePeriod > .zero
        else {
            throw WireError(.misuse, "A limit that must be positive is not. No connection was begun.")
        }
    }
}
