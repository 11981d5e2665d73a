/// Turns frames into bytes, straight into the buffer that is sent from (SPEC.md, section 3).
package enum FrameEncoder {
    /// Longest text in a GOAWAY, in bytes.
    static let maxGoAwayTextByteCount = 256

    /// Appends a frame. Throws `invalidHeaders` or `tooLarge` (for what `peer` accepts), and leaves `output` as it was then.
    package static func append(
        _ frame: Frame, to output: inout [UInt8], peer: PeerSettings = PeerSettings()
    ) throws(WireError) {
        switch frame {
        case .settings(let settings):
            appendFrame(.settings, .connection, to: &output) { settings.encode(to: &$0) }
        case .request(let stream, let headers):
            try appendBlock(.headers, stream, to: &output, peer: peer) { (output) throws(WireError) in
                try HeaderBlock.encodeRequest(headers, to: &output, peer: peer)
            }
        case .response(let stream, let metadata):
            try appendBlock(.headers, stream, to: &output, peer: peer) { (output) throws(WireError) in
                try HeaderBlock.encodeMetadata(metadata, to: &output, peer: peer)
            }
        case .trailers(let stream, let trailers):
            try appendBlock(.trailers, stream, to: &output, peer: peer) { (output) throws(WireError) in
                try HeaderBlock.encodeTrailers(trailers, to: &output, peer: peer)
            }
        case .message(let stream, let flags, let payload):
            appendFrame(.message, stream, flags: flags, to: &output) { $0.append(contentsOf: payload) }
        case .reset(let stream, let code):
            appendFrame(.reset, stream, to: &output) { $0.append(bigEndian: code.rawValue) }
        case .window(let stream, let increment):
            appendFrame(.window, stream, to: &output) { $0.append(bigEndian: increment) }
        case .ping(let isAnswer, let opaque):
            appendFrame(.ping, .connection, flags: isAnswer ? .ack : [], to: &output) { $0.append(bigEndian: opaque) }
        case .goAway(let goAway):
            appendFrame(.goAway, .connection, to: &output) {
                $0.append(bigEndian: goAway.lastStream.rawValue)
                $0.append(bigEndian: goAway.code.rawValue)
                $0.append(contentsOf: goAway.text.utf8.prefix(maxGoAwayTextByteCount))
            }
        }
    }

    /// Writes a frame header into the first ten bytes of `buffer`.
    static func write(_ header: FrameHeader, into buffer: UnsafeMutableRawBufferPointer) {
        buffer.storeBytes(of: header.length.bigEndian, toByteOffset: 0, as: UInt32.self)
        buffer[4] = header.type.rawValue
        buffer[5] = header.flags.rawValue
        buffer.storeBytes(of: header.stream.rawValue.bigEndian, toByteOffset: 6, as: UInt32.self)
    }

    /// Appends a header, then the payload, then puts the payload's length into the header.
    private static func appendFrame<Failure: Error>(
        _ type: FrameType, _ stream: StreamID, flags: FrameFlags = [], to output: inout [UInt8],
        _ appendPayload: (inout [UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        let start = output.count
        output.append(bigEndian: UInt32(0))
        output.append(type.rawValue)
        output.append(flags.rawValue)
        output.append(bigEndian: stream.rawValue)
        try appendPayload(&output)
        output.replace(at: start, bigEndian: UInt32(output.count - start - FrameHeader.byteCount))
    }

    /// Appends a frame with a header block, within what the peer accepts; takes it back when that fails.
    private static func appendBlock(
        _ type: FrameType, _ stream: StreamID, to output: inout [UInt8], peer: PeerSettings,
        _ appendPayload: (inout [UInt8]) throws(WireError) -> Void
    ) throws(WireError) {
        let start = output.count
        do throws(WireError) {
            try appendFrame(type, stream, to: &output, appendPayload)
            guard output.count - start - FrameHeader.byteCount <= Int(peer.maxHeaderBlock) else {
                throw HeaderBlock.tooLarge("A header block of \(output.count - start) bytes", peer)
            }
        } catch {
            output.removeLast(output.count - start)
            throw error
        }
    }
}
