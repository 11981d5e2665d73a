extension Frame {
    /// A frame of known type, from its whole payload. The header has passed `FrameRules`. Throws `peerFault`.
    init(_ header: FrameHeader, payload: RawSpan, from peer: Role, limits: Limits) throws(WireError) {
        var cursor = PayloadCursor()
        switch header.type {
        case .settings:
            self = .settings(try PeerSettings.decode(payload))
        case .headers where peer == .caller:
            self = .request(
                header.stream, try HeaderBlock.decodeRequest(payload, maxEntries: limits.maxMetadataEntries))
        case .headers:
            self = .response(
                header.stream, try HeaderBlock.decodeResponse(payload, maxEntries: limits.maxMetadataEntries))
        case .message:
            self = .message(header.stream, header.flags, payload.array(0..<payload.byteCount))
        case .trailers where peer == .callee:
            self = .trailers(
                header.stream, try HeaderBlock.decodeTrailers(payload, maxEntries: limits.maxMetadataEntries))
        case .reset:
            self = .reset(header.stream, ErrorCode(rawValue: try Self.integer(&cursor, header, payload)))
        case .window:
            self = .window(header.stream, increment: try Self.integer(&cursor, header, payload))
        case .ping:
            self = .ping(
                isAnswer: header.flags.contains(.ack), opaque: try Self.integer(&cursor, header, payload))
        case .goAway:
            let last = StreamID(try Self.integer(&cursor, header, payload))
            let code = ErrorCode(rawValue: try Self.integer(&cursor, header, payload))
            self = .goAway(
                GoAway(lastStream: last, code: code, text: payload.text(cursor.offset..<payload.byteCount)))
        default:
            throw WireError(
                .peerFault(.protocolViolation),
                "The peer, the \(peer), sent a \(header.type), which is not its to send.")
        }
    }

    private static func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _ cursor: inout PayloadCursor, _ header: FrameHeader, _ payload: RawSpan
    ) throws(WireError) -> Value {
        guard let value = cursor.integer(Value.self, in: payload) else {
            throw WireError(.peerFault(.frameSize), "A \(header.type) of the peer is too short.")
        }
        return value
    }
}
