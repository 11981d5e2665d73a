/// One message of a call, as it travels: plain, or as zlib data that only the last hand inflates.
///
/// A received message stays compressed until whoever reads it calls `Inflater`. What waits in a queue is therefore
/// never larger than what the peer had window for, whatever it inflates to (SPEC.md, C-4).
package struct Message: Hashable, Sendable {
    package enum Encoding: Hashable, Sendable {
        case identity
        case zlib
    }

    /// The payload as it is on the wire, all fragments together.
    package var bytes: [UInt8]
    package var encoding: Encoding
    /// Bytes before compression, where known: always for `identity`, and for what `Deflater` made.
    package var uncompressedByteCount: Int?

    /// A message that is not compressed.
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        self.encoding = .identity
        self.uncompressedByteCount = bytes.count
    }

    /// A message that is zlib data.
    package init(zlib bytes: [UInt8], uncompressedByteCount: Int? = nil) {
        self.bytes = bytes
        self.encoding = .zlib
        self.uncompressedByteCount = uncompressedByteCount
    }
}
