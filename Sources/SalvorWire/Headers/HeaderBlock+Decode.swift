extension HeaderBlock {
    static func decodeRequest(_ payload: RawSpan, maxEntries: UInt32) throws(WireError) -> RequestHeaders {
        var cursor = PayloadCursor()
        guard let timeout = cursor.integer(UInt64.self, in: payload),
            let pathSize = cursor.integer(UInt8.self, in: payload),
            let path = cursor.range(Int(pathSize), in: payload)
        else { throw malformed("a request ends before its method path does") }
        guard payload.extracting(path).withUnsafeBytes({ HeaderAlphabet.isPath($0) }) else {
            throw malformed("a method path is not service/method")
        }
        let metadata = try decodeMetadata(payload, &cursor, maxEntries: maxEntries)
        return RequestHeaders(
            path: payload.text(path), timeoutNanoseconds: timeout == 0 ? nil : timeout, metadata: metadata)
    }

    static func decodeResponse(_ payload: RawSpan, maxEntries: UInt32) throws(WireError) -> WireMetadata {
        var cursor = PayloadCursor()
        return try decodeMetadata(payload, &cursor, maxEntries: maxEntries)
    }

    static func decodeTrailers(_ payload: RawSpan, maxEntries: UInt32) throws(WireError) -> Trailers {
        var cursor = PayloadCursor()
        guard let code = cursor.integer(UInt32.self, in: payload),
            let size = cursor.integer(UInt16.self, in: payload),
            let message = cursor.range(Int(size), in: payload)
        else { throw malformed("trailers end before their message does") }
        let metadata = try decodeMetadata(payload, &cursor, maxEntries: maxEntries)
        return Trailers(code: StatusCode(fromPeer: code), message: payload.text(message), metadata: metadata)
    }

    /// The rest of a payload, which is metadata and nothing else.
    private static func decodeMetadata(
        _ payload: RawSpan, _ cursor: inout PayloadCursor, maxEntries: UInt32
    ) throws(WireError) -> WireMetadata {
        guard let count = cursor.integer(UInt16.self, in: payload) else {
            throw malformed("the count of metadata entries is missing")
        }
        guard UInt32(count) <= maxEntries else {
            throw WireError(
                .peerFault(.excessive),
                "The peer sent \(count) metadata entries; we announced that we take \(maxEntries).")
        }
        var metadata = WireMetadata()
        for _ in 0..<count {
            metadata.entries.append(try decodeEntry(payload, &cursor))
        }
        guard cursor.isAtEnd(of: payload) else { throw malformed("bytes follow the last metadata entry") }
        return metadata
    }

    private static func decodeEntry(
        _ payload: RawSpan, _ cursor: inout PayloadCursor
    ) throws(WireError) -> WireMetadata.Entry {
        guard let keySize = cursor.integer(UInt8.self, in: payload),
            let key = cursor.range(Int(keySize), in: payload),
            let valueSize = cursor.integer(UInt32.self, in: payload),
            let value = cursor.range(Int(valueSize), in: payload)
        else { throw malformed("a metadata entry ends too early") }
        guard payload.extracting(key).withUnsafeBytes({ HeaderAlphabet.isKey($0) }) else {
            throw malformed("a metadata key has a character that keys do not have")
        }
        let name = payload.text(key)
        if name.hasSuffix("-bin") {
            return WireMetadata.Entry(key: name, value: .binary(payload.array(value)))
        }
        guard payload.allSatisfy(value, HeaderAlphabet.isTextByte) else {
            throw malformed("the value of metadata key \"\(name)\" is not printable ASCII")
        }
        return WireMetadata.Entry(key: name, value: .text(payload.text(value)))
    }

    private static func malformed(_ why: String) -> WireError {
        WireError(.peerFault(.protocolViolation), "The peer sent a malformed header block: \(why).")
    }
}
