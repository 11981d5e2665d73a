/// The payloads of HEADERS and TRAILERS (SPEC.md, section 5).
///
/// Each `encode…` appends to `output`. It throws `invalidHeaders` for a character that the wire does not carry and
/// `tooLarge` for more than `peer` accepts; what it had appended by then is for its caller to take back.
enum HeaderBlock {
    static func encodeRequest(
        _ headers: RequestHeaders, to output: inout [UInt8], peer: PeerSettings
    ) throws(WireError) {
        guard HeaderAlphabet.isPath(headers.path.utf8) else {
            throw WireError(
                .invalidHeaders,
                "\"\(headers.path)\" is not a method path; one reads package.Service/Method and has at most "
                    + "\(HeaderAlphabet.maxNameByteCount) bytes. No call was opened.")
        }
        output.append(bigEndian: headers.timeoutNanoseconds ?? 0)
        output.append(UInt8(headers.path.utf8.count))
        output.append(contentsOf: headers.path.utf8)
        try encodeMetadata(headers.metadata, to: &output, peer: peer)
    }

    static func encodeTrailers(_ trailers: Trailers, to output: inout [UInt8], peer: PeerSettings) throws(WireError) {
        output.append(bigEndian: trailers.code.rawValue)
        let size = trailers.message.utf8.count
        guard size <= Int(peer.maxHeaderBlock), size <= Int(UInt16.max) else {
            throw tooLarge("A status message of \(size) bytes", peer)
        }
        output.append(bigEndian: UInt16(size))
        output.append(contentsOf: trailers.message.utf8)
        try encodeMetadata(trailers.metadata, to: &output, peer: peer)
    }

    static func encodeMetadata(
        _ metadata: WireMetadata, to output: inout [UInt8], peer: PeerSettings
    ) throws(WireError) {
        guard metadata.entries.count <= Int(peer.maxMetadataEntries), metadata.entries.count <= Int(UInt16.max) else {
            throw WireError(
                .tooLarge,
                "\(metadata.entries.count) metadata entries are more than the \(peer.maxMetadataEntries) that the peer "
                    + "accepts; nothing was sent. Send fewer.")
        }
        output.append(bigEndian: UInt16(metadata.entries.count))
        for entry in metadata.entries {
            try encode(entry, to: &output, peer: peer)
        }
    }

    private static func encode(
        _ entry: WireMetadata.Entry, to output: inout [UInt8], peer: PeerSettings
    ) throws(WireError) {
        guard HeaderAlphabet.isKey(entry.key.utf8) else {
            throw WireError(
                .invalidHeaders,
                "\"\(entry.key)\" is not a metadata key; one has 1 to 255 of 0-9 a-z _ - . only. Nothing was sent.")
        }
        output.append(UInt8(entry.key.utf8.count))
        output.append(contentsOf: entry.key.utf8)
        let isBinaryKey = entry.key.hasSuffix("-bin")
        switch entry.value {
        case .text(let text):
            guard !isBinaryKey, text.utf8.allSatisfy(HeaderAlphabet.isTextByte) else {
                throw WireError(
                    .invalidHeaders,
                    "The value of metadata key \"\(entry.key)\" is not printable ASCII under a key without -bin. "
                        + "Nothing was sent; send it as bytes under a key that ends in -bin.")
            }
            guard text.utf8.count <= Int(peer.maxHeaderBlock) else { throw tooLarge("Metadata", peer) }
            output.append(bigEndian: UInt32(text.utf8.count))
            output.append(contentsOf: text.utf8)
        case .binary(let bytes):
            guard isBinaryKey else {
                throw WireError(
                    .invalidHeaders,
                    "The bytes under metadata key \"\(entry.key)\" need a key that ends in -bin. Nothing was sent.")
            }
            guard bytes.count <= Int(peer.maxHeaderBlock) else { throw tooLarge("Metadata", peer) }
            output.append(bigEndian: UInt32(bytes.count))
            output.append(contentsOf: bytes)
        }
    }

    static func tooLarge(_ what: String, _ peer: PeerSettings) -> WireError {
        WireError(
            .tooLarge,
            "\(what) is beyond the \(peer.maxHeaderBlock) bytes that the peer accepts for one header block; "
                + "nothing was sent. Send less.")
    }
}
