internal import CZlib

/// Takes messages apart, never beyond a limit (SPEC.md, C-3 to C-5).
///
/// `@unchecked Sendable`: it is the only owner of its zlib state, which has no ties to a thread.
package struct Inflater: ~Copyable, @unchecked Sendable {
    private var stream: UnsafeMutablePointer<z_stream>?

    package init() {}

    deinit {
        if let stream {
            inflateEnd(stream)
            stream.deallocate()
        }
    }

    /// What the message holds, at most `limit` bytes.
    ///
    /// Throws `corruptMessage` (status INTERNAL, to be told by `ErrorCode.compression`) when the message is not exactly one
    /// whole zlib stream, and `tooLarge` (status RESOURCE_EXHAUSTED, `ErrorCode.tooLarge`) when it inflates to more than
    /// `limit`: no byte beyond the limit is ever produced.
    package mutating func bytes(of message: Message, limit: Int) throws(WireError) -> [UInt8] {
        guard message.encoding == .zlib else {
            guard message.bytes.count <= limit else { throw Self.tooLarge(limit) }
            return message.bytes
        }
        let stream = try prepare()
        defer {
            stream.pointee.next_in = nil
            stream.pointee.next_out = nil
        }
        var output: [UInt8] = []
        var consumed = 0
        var capacity = Swift.min(limit, Swift.max(message.bytes.count.multipliedSaturating(by: 4), 1024))
        while true {
            let status = Self.step(stream, message.bytes, &consumed, &output, capacity: capacity)
            switch status {
            case Z_STREAM_END:
                guard consumed == message.bytes.count else {
                    throw Self.corrupt("\(message.bytes.count - consumed) bytes follow the end of its zlib stream")
                }
                return output
            case Z_OK, Z_BUF_ERROR:
                if output.count < capacity {
                    throw Self.corrupt("its zlib stream ends too early")
                }
                if capacity < limit {
                    capacity = Swift.min(limit, capacity.multipliedSaturating(by: 2))
                } else if consumed == message.bytes.count && status == Z_BUF_ERROR {
                    // Full to the limit and out of input without the end: whatever would follow is not there.
                    throw Self.corrupt("its zlib stream ends too early")
                } else if status == Z_BUF_ERROR {
                    throw Self.tooLarge(limit)
                }
            default:
                throw Self.corrupt("its bytes are not a zlib stream")
            }
        }
    }

    /// Inflates on from `consumed` until the input is used up or `output` holds `capacity` bytes. zlib can finish a
    /// stream whose last byte is already out with no room left, so that a message of exactly the limit is taken.
    private static func step(
        _ stream: UnsafeMutablePointer<z_stream>, _ input: [UInt8], _ consumed: inout Int, _ output: inout [UInt8],
        capacity: Int
    ) -> Int32 {
        let have = output.count
        var status = Z_OK
        var rest = consumed
        let next = [UInt8](unsafeUninitializedCapacity: Swift.max(capacity, 1)) { buffer, count in
            output.withUnsafeBufferPointer { old in
                if let base = old.baseAddress, have > 0 {
                    buffer.baseAddress?.initialize(from: base, count: have)
                }
            }
            input.withUnsafeBufferPointer { bytes in
                // zlib's input pointer lacks const, but is never written through.
                stream.pointee.next_in = bytes.baseAddress.map { UnsafeMutablePointer(mutating: $0 + rest) }
                stream.pointee.avail_in = UInt32(bytes.count - rest)
                stream.pointee.next_out = buffer.baseAddress.map { $0 + have }
                stream.pointee.avail_out = UInt32(capacity - have)
                status = inflate(stream, Z_NO_FLUSH)
                rest = bytes.count - Int(stream.pointee.avail_in)
                count = capacity - Int(stream.pointee.avail_out)
            }
        }
        consumed = rest
        output = next
        return status
    }

    private mutating func prepare() throws(WireError) -> UnsafeMutablePointer<z_stream> {
        if let stream {
            if inflateReset(stream) == Z_OK { return stream }
            throw Self.corrupt("zlib could not be reset")
        }
        // On the heap because zlib's inner state points back at the stream.
        let fresh = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        fresh.initialize(to: z_stream())
        guard salvor_inflate_init2(fresh, MAX_WBITS) == Z_OK else {
            fresh.deallocate()
            throw WireError(.tooLarge, "There is no memory to inflate a message; the call has failed, others go on.")
        }
        stream = fresh
        return fresh
    }

    private static func tooLarge(_ limit: Int) -> WireError {
        WireError(
            .tooLarge,
            "A message holds more than the \(limit) bytes that one message may have; nothing of it was used. "
                + "The sender must split it, or the receiver raise Limits.maxMessage.")
    }

    private static func corrupt(_ why: String) -> WireError {
        WireError(
            .corruptMessage,
            "A compressed message cannot be read: \(why). Nothing of it was used; the call cannot go on.")
    }
}

extension Int {
    fileprivate func multipliedSaturating(by factor: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}
