/// Fields of on-disk structures.
extension [UInt8] {
    mutating func put(_ bytes: some Collection<UInt8>, at offset: Int) {
        replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }

    mutating func putLittleEndian(_ value: some FixedWidthInteger, at offset: Int) {
        put(Swift.withUnsafeBytes(of: value.littleEndian) { Array($0) }, at: offset)
    }

    mutating func putBigEndian(_ value: some FixedWidthInteger, at offset: Int) {
        put(Swift.withUnsafeBytes(of: value.bigEndian) { Array($0) }, at: offset)
    }
}

/// 16 bytes that name something on a disk.
///
/// They are made of a digest, so that the same inputs give the same bytes; in form they are a random UUID (RFC 4122,
/// version 4), which the reader of a GUID expects.
struct DiskGUID: Sendable, Hashable {
    /// In the order in which it is written down.
    let bytes: [UInt8]

    /// - Parameter digest: at least 16 bytes.
    init(digest: some Sequence<UInt8>) {
        var bytes = Array(digest.prefix(16))
        precondition(bytes.count == 16, "a GUID has 16 bytes")
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        self.bytes = bytes
    }

    /// - Parameter text: of the form `c12a7328-f81f-11d2-ba4b-00a0c93ec93b`.
    init?(_ text: String) {
        let digits = text.filter { $0 != "-" }
        var bytes: [UInt8] = []
        var rest = digits[...]
        while let byte = UInt8(rest.prefix(2), radix: 16), rest.count >= 2 {
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        guard bytes.count == 16, rest.isEmpty else { return nil }
        self.bytes = bytes
    }

    /// As a GPT holds it: the first three fields with their lowest byte first (UEFI specification, appendix A).
    var mixedEndian: [UInt8] {
        Array(bytes[0..<4].reversed() + bytes[4..<6].reversed() + bytes[6..<8].reversed() + bytes[8..<16])
    }
}
