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

    package init(policy: CompressionPolicy = CompressionPolicy()) {
        self.policy = policy
    }

    deinit {
        if let stream {
            deflateEnd(stream)
            stream.deallocate()
        }
    }

    /// The bytes as a message: compressed if they are at least the policy's minimum and come out smaller, and otherwise
    /// as they are. Only for a peer whose settings say `acceptsZlib`.
    package mutating func message(from bytes: [UInt8]) -> Message {
        // Eight bytes less, at least: inflating has its price too.
        let room = bytes.count - 8
        guard bytes.count >= policy.minimumByteCount, room > 0, bytes.count <= Int(UInt32.max), let stream = prepare()
        else { return Message(bytes) }

        var isWhole = false
        let compressed = [UInt8](unsafeUninitializedCapacity: room) { output, count in
            bytes.withUnsafeBufferPointer { input in
                // zlib's input pointer lacks const, but is never written through.
                stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.pointee.avail_in = UInt32(input.count)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(room)
                // Z_FINISH stops when the output is full: then compression did not win.
                isWhole = deflate(stream, Z_FINISH) == Z_STREAM_END
                count = room - Int(stream.pointee.avail_out)
            }
            stream.pointee.next_in = nil
            stream.pointee.next_out = nil
        }
        return isWhole ? Message(zlib: compressed, uncompressedByteCount: bytes.count) : Message(bytes)
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
