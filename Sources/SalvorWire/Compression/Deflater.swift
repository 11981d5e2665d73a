internal import CZlib

/// When a message is worth compressing (SPEC.md, C-2).
package struct CompressionPolicy: Hashable, Sendable {
    /// Messages below this size in bytes travel as they are.
    package var minimumByteCount = 1024
    /// zlib's level, 1 (fast) to 9.
    package var level = 1

    package init() {}
}

/// Makes zlib messages. Reusing one saves setting up a quarter of a megabyte for each message; that memory is taken with the
/// first message that is large enough.
///
/// `@unchecked Sendable`: it is the only owner of its zlib state, which has no ties to a thread.
package struct Deflater: ~Copyable, @unchecked Sendable {
    private let policy: CompressionPolicy
    private var stream: UnsafeMutablePointer<z_stream>?
    private var missesInARow = 0
    /// So many messages are sent as they are, untried.
    private var untried = 0

    package init(policy: CompressionPolicy = CompressionPolicy()) {
        self.policy = policy
    }

    deinit {
        if let stream {
            deflateEnd(stream)
            stream.deallocate()
        }
    }

    /// The bytes as a message: compressed if they are at least the policy's minimum and come out smaller by an eighth, and
    /// otherwise as they are. Only for a peer whose settings say `acceptsZlib`.
    ///
    /// To find out costs more than to send: of a large message a sample is tried first, and when one message after the
    /// other did not win, the next ones are not tried at all.
    package mutating func message(from bytes: [UInt8]) -> Message {
        guard bytes.count >= policy.minimumByteCount, bytes.count <= Int(UInt32.max) else { return Message(bytes) }
        guard untried == 0 else {
            untried -= 1
            return Message(bytes)
        }
        guard let compressed = compressed(bytes) else {
            missesInARow = min(missesInARow + 1, Self.mostMisses)
            untried = 1 << (missesInARow - 1) - 1
            return Message(bytes)
        }
        missesInARow = 0
        return Message(zlib: compressed, uncompressedByteCount: bytes.count)
    }

    private static let mostMisses = 6
    private static let sampleByteCount = 2048

    /// nil when that does not win.
    private mutating func compressed(_ bytes: [UInt8]) -> [UInt8]? {
        if bytes.count >= 4 * Self.sampleByteCount {
            // From the middle: many a file begins with a header that is unlike the rest.
            let middle = bytes.count / 2
            let sample = bytes.withUnsafeBufferPointer {
                deflated(UnsafeBufferPointer(rebasing: $0[middle..<middle + Self.sampleByteCount]))
            }
            guard sample != nil else { return nil }
        }
        return bytes.withUnsafeBufferPointer { deflated($0) }
    }

    /// nil when that does not make it smaller by an eighth: inflating has its price too.
    private mutating func deflated(_ input: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        let room = input.count - max(8, input.count / 8)
        guard room > 0, let stream = prepare() else { return nil }
        var isWhole = false
        let output = [UInt8](unsafeUninitializedCapacity: room) { output, count in
            // zlib's input pointer lacks const, but is never written through.
            stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.pointee.avail_in = UInt32(input.count)
            stream.pointee.next_out = output.baseAddress
            stream.pointee.avail_out = UInt32(room)
            // Z_FINISH stops when the output is full: then compression did not win.
            isWhole = deflate(stream, Z_FINISH) == Z_STREAM_END
            count = room - Int(stream.pointee.avail_out)
            stream.pointee.next_in = nil
            stream.pointee.next_out = nil
        }
        return isWhole ? output : nil
    }

    /// The zlib state, fresh; nil when there is no memory for it, which costs compression but no message.
    private mutating func prepare() -> UnsafeMutablePointer<z_stream>? {
        if let stream {
            return deflateReset(stream) == Z_OK ? stream : nil
        }
        // On the heap because zlib's inner state points back at the stream.
        let fresh = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        fresh.initialize(to: z_stream())
        guard salvor_deflate_init2(fresh, Int32(policy.level), MAX_WBITS, 8) == Z_OK else {
            fresh.deallocate()
            return nil
        }
        stream = fresh
        return fresh
    }
}
