/// The eight bytes that open a connection, before any frame (SPEC.md, P-1).
package enum Preface {
    /// The version of the protocol that this module speaks.
    package static let version: UInt16 = 1
    static let byteCount = 8

    package static let bytes: [UInt8] = magic + [0, 1]

    private static let magic = [UInt8]("SALVOR".utf8)

    /// Throws `peerFault` unless `bytes`, eight of them, are this version's preface.
    static func check(_ bytes: RawSpan) throws(WireError) {
        try checkStart(bytes)
        var cursor = PayloadCursor()
        _ = cursor.range(magic.count, in: bytes)
        let version = cursor.integer(UInt16.self, in: bytes)
        guard version == Preface.version else {
            throw WireError(
                .peerFault(.version),
                "The peer speaks version \(version ?? 0) of the protocol, this side version \(Preface.version). Install "
                    + "matching versions of salvor and salvor-agent.")
        }
    }

    /// Throws `peerFault` unless the bytes so far, eight at most, can become a preface: a peer of another protocol is
    /// told so at its first byte.
    static func checkStart(_ bytes: RawSpan) throws(WireError) {
        let count = min(bytes.byteCount, magic.count)
        guard bytes.extracting(0..<count).withUnsafeBytes({ $0.elementsEqual(magic[0..<count]) }) else {
            throw WireError(
                .peerFault(.protocolViolation),
                "What the peer sends does not begin with SALVOR: it is not a Salvor peer.")
        }
    }
}
