extension [UInt8] {
    /// Appends an integer in network byte order.
    mutating func append<Value: FixedWidthInteger>(bigEndian value: Value) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    /// Overwrites an integer in network byte order.
    mutating func replace<Value: FixedWidthInteger>(at offset: Int, bigEndian value: Value) {
        var offset = offset
        Swift.withUnsafeBytes(of: value.bigEndian) { source in
            for byte in source {
                self[offset] = byte
                offset += 1
            }
        }
    }
}

/// A place in a payload. Reading past the end gives nil and never moves beyond it.
struct PayloadCursor {
    private(set) var offset = 0

    /// The next integer in network byte order.
    mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type, in bytes: RawSpan
    ) -> Value? {
        let size = MemoryLayout<Value>.size
        guard bytes.byteCount - offset >= size else { return nil }
        defer { offset += size }
        return Value(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }

    /// The next `count` bytes.
    mutating func range(_ count: Int, in bytes: RawSpan) -> Range<Int>? {
        guard count >= 0, bytes.byteCount - offset >= count else { return nil }
        defer { offset += count }
        return offset..<offset + count
    }

    func isAtEnd(of bytes: RawSpan) -> Bool {
        offset == bytes.byteCount
    }
}

extension RawSpan {
    /// The bytes as an array of their own.
    func array(_ range: Range<Int>) -> [UInt8] {
        extracting(range).withUnsafeBytes { [UInt8]($0) }
    }

    /// The bytes as text; what is not UTF-8 becomes U+FFFD.
    func text(_ range: Range<Int>) -> String {
        extracting(range).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether every byte satisfies the predicate.
    func allSatisfy(_ range: Range<Int>, _ predicate: (UInt8) -> Bool) -> Bool {
        extracting(range).withUnsafeBytes { $0.allSatisfy(predicate) }
    }
}
