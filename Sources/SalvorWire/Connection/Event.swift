/// What happened on a connection, for whoever drives its machine. Taken from `ConnectionMachine.nextEvent()`.
///
/// For one stream the order is: `streamOpened` (callee), `headersReceived` (caller, at most once), `messageReceived` …,
/// `halfClosed` (callee) or `trailersReceived` (caller), `streamClosed`. `streamClosed` comes exactly once for every
/// stream that was opened, and last; it can come at any point.
package enum Event: Sendable {
    /// The peer's SETTINGS have arrived: calls can be opened.
    case ready(PeerSettings)
    /// Callee: a call begins.
    case streamOpened(StreamID, RequestHeaders)
    /// Caller: the callee's initial metadata.
    case headersReceived(StreamID, WireMetadata)
    /// A whole message. Its `cost` goes back by `consumed(_:on:)` once the application has taken it; until then the
    /// peer's window for this stream stays that much smaller.
    case messageReceived(StreamID, Message, cost: Int)
    /// Callee: the caller sends no more messages.
    case halfClosed(StreamID)
    /// Caller: how the call ended. `streamClosed` with `.finished` follows.
    case trailersReceived(StreamID, Trailers)
    /// The stream is gone; nothing more is sent or received on it.
    case streamClosed(StreamID, StreamClosure)
    /// The send queue of a stream that was full (`sendMessage` returned false) is down at its low-water mark.
    case writable(StreamID)
    /// Caller: after `openStream` failed with `streamLimit`, there is room for a call again.
    case streamsAvailable
    /// The peer drains: open no more calls here; those that run go on.
    case goingAway(GoAway)
    /// The answer to a `ping(now:)` or to a keepalive, with the time it took.
    case pingAnswered(roundTripNanoseconds: UInt64)
    /// One side drains and no stream is left: send what is queued, then close the connection.
    case drained
    /// The connection is over: send what is queued (a GOAWAY that says why), then close it. Every open stream has
    /// got its `streamClosed` before this.
    case connectionFailed(WireError)
}

/// How a stream ended.
package enum StreamClosure: Hashable, Sendable {
    /// By the callee's TRAILERS, sent or received.
    case finished
    /// By this side's RESET.
    case resetLocally(ErrorCode)
    /// By the peer's RESET.
    case resetByPeer(ErrorCode)
    /// Its deadline passed on this side's clock; the peer was told by RESET.
    case deadlineExceeded
    /// Never begun by the peer, by the word of its GOAWAY: safe to repeat elsewhere.
    case refused
    /// The connection ended under it.
    case connectionLost(WireError.Code)

    /// The gRPC status of a call that ended so without TRAILERS; nil for `finished`.
    package var status: StatusCode? {
        switch self {
        case .finished: nil
        case .resetLocally(let code), .resetByPeer(let code): code.status
        case .deadlineExceeded: .deadlineExceeded
        case .refused, .connectionLost: .unavailable
        }
    }
}
