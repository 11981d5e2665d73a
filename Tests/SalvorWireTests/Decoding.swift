import SalvorWire

/// Everything that a decoder finds in pieces of bytes, MESSAGE frames put together again. Throws what the decoder throws.
func decode(
    _ pieces: [[UInt8]], from sender: Role, limits: Limits = .standard, afterPreface: Bool = true
) throws(WireError) -> [Frame] {
    var decoder = FrameDecoder(peer: sender, limits: limits, afterPreface: afterPreface)
    var frames: [Frame] = []
    var payload: [UInt8] = []
    for piece in pieces {
        var offset = 0
        while let part = try decoder.next(piece.span.bytes, &offset) {
            switch part {
            case .frame(let frame): frames.append(frame)
            case .ignored: break
            case .message(let chunk):
                payload += piece[chunk.bytes]
                if chunk.isLast {
                    frames.append(.message(chunk.header.stream, chunk.header.flags, payload))
                    payload = []
                }
            }
        }
    }
    return frames
}

/// One frame's bytes.
func encode(_ frame: Frame) throws(WireError) -> [UInt8] {
    var output: [UInt8] = []
    try FrameEncoder.append(frame, to: &output)
    return output
}
