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
    package let role: Role
    package let limits: Limits

    /// Throws `misuse` when the limits contradict each other or SPEC.md.
    package init(role: Role, limits: Limits = .standard, now: Instant) throws(WireError) {
        self.role = role
        self.limits = limits
    }

    // MARK: In

    /// Takes bytes as they came, split anywhere.
    package mutating func receive(_ bytes: RawSpan, now: Instant) { fatalError("in the next commit") }
    package mutating func receive(_ bytes: [UInt8], now: Instant) { receive(bytes.span.bytes, now: now) }
    /// The byte stream has ended: open streams end with `connectionLost`. `connectionFailed` follows unless it was said before
    /// or the connection was drained.
    package mutating func transportClosed() { fatalError("in the next commit") }
    /// The time that `nextDeadline` named has come (or may have: calling it early is harmless).
    package mutating func timerFired(now: Instant) { fatalError("in the next commit") }

    // MARK: Out

    /// The oldest event not yet taken.
    package mutating func nextEvent() -> Event? { fatalError("in the next commit") }
    /// When `timerFired` is due; nil for never. Ask again after every call of any method.
    package var nextDeadline: Instant? { fatalError("in the next commit") }
    /// Whether there is something to send now.
    package var hasOutbound: Bool { fatalError("in the next commit") }
    /// Writes bytes to send into `buffer` and says how many. Bytes that were written count as sent. 0: nothing to send.
    package mutating func writeOutbound(into buffer: UnsafeMutableRawBufferPointer) -> Int { fatalError("in the next commit") }
    /// The next bytes to send, at most `maxBytes`; nil when there is nothing to send.
    package mutating func nextOutbound(maxBytes: Int) -> [UInt8]? { fatalError("in the next commit") }

    // MARK: Calls

    /// Caller: opens a call. Throws notReady, goingAway, streamLimit, tooLarge, invalidHeaders, connectionClosed, misuse.
    package mutating func openStream(_ headers: RequestHeaders, now: Instant) throws(WireError) -> StreamID { fatalError("in the next commit") }
    /// Callee: sends initial metadata; needed before the first message. Throws streamClosed, tooLarge, invalidHeaders, misuse.
    package mutating func sendHeaders(_ metadata: WireMetadata, on stream: StreamID) throws(WireError) { fatalError("in the next commit") }
    /// Queues a message. Returns whether there is room for more; if not, wait for `Event.writable`.
    /// `halfClose` (caller only) says that it is the last. Throws streamClosed, tooLarge, sendQueueFull, misuse.
    package mutating func sendMessage(_ message: Message, on stream: StreamID, halfClose: Bool = false) throws(WireError) -> Bool { fatalError("in the next commit") }
    /// Caller: sends no more messages on this stream. Throws streamClosed, misuse (twice).
    package mutating func halfClose(_ stream: StreamID) throws(WireError) { fatalError("in the next commit") }
    /// Callee: ends the call, after what is queued. Throws streamClosed, tooLarge (send smaller ones), invalidHeaders, misuse.
    package mutating func sendTrailers(_ trailers: Trailers, on stream: StreamID) throws(WireError) { fatalError("in the next commit") }
    /// Ends a stream at once, dropping what is queued. A stream that is gone already stays gone.
    package mutating func reset(_ stream: StreamID, _ code: ErrorCode) { fatalError("in the next commit") }
    /// Gives window back for messages that the application has taken: the `cost` of `messageReceived`.
    package mutating func consumed(_ cost: Int, on stream: StreamID) { fatalError("in the next commit") }

    // MARK: Connection

    /// What the peer announced; defaults until `Event.ready`.
    package var peerSettings: PeerSettings { fatalError("in the next commit") }
    package var openStreamCount: Int { fatalError("in the next commit") }
    /// Asks for a sign of life; `Event.pingAnswered` follows.
    package mutating func ping(now: Instant) { fatalError("in the next commit") }
    /// Takes no new calls, lets those that run finish, then says `Event.drained`.
    package mutating func drain(now: Instant) { fatalError("in the next commit") }
    /// Gives the connection up at once with a GOAWAY of this code.
    package mutating func abort(_ code: ErrorCode, _ text: String) { fatalError("in the next commit") }
}
