/// A frame with its payload taken apart (SPEC.md, section 3).
package enum Frame: Hashable, Sendable {
    case settings(PeerSettings)
    /// HEADERS from the caller.
    case request(StreamID, RequestHeaders)
    /// HEADERS from the callee.
    case response(StreamID, WireMetadata)
    /// MESSAGE. A `FrameDecoder` hands these out as `MessageChunk`s instead, without collecting them.
    case message(StreamID, FrameFlags, [UInt8])
    case trailers(StreamID, Trailers)
    case reset(StreamID, ErrorCode)
    case window(StreamID, increment: UInt32)
    case ping(isAnswer: Bool, opaque: UInt64)
    case goAway(GoAway)
}

/// The payload of GOAWAY (SPEC.md, G-1).
package struct GoAway: Hashable, Sendable {
    /// The highest stream that the sender has begun or may still begin.
    package var lastStream: StreamID
    /// `none` for a drain; anything else ends the connection.
    package var code: ErrorCode
    /// For people, at most 256 bytes of UTF-8.
    package var text: String

    package init(lastStream: StreamID, code: ErrorCode, text: String = "") {
        self.lastStream = lastStream
        self.code = code
        self.text = text
    }
}
