/// An answer of HTTP/1.1, read from bytes. It keeps to what an instance metadata service says: no answer without a
/// length that can be told, no trailers, and nothing beyond the limits.
struct HTTPAnswer: Equatable {
    /// Three digits.
    let status: Int
    let body: [UInt8]

    static let longestHead = 16 << 10

    /// Why bytes are no answer. Holds nothing of them: they can be secret.
    enum Fault: Error, Equatable {
        case malformed(String)
        case tooLong
        /// The connection ended in the middle.
        case truncated
    }

    /// - Parameters:
    ///   - isWhole: whether the connection has ended, so that no more bytes come.
    ///   - longestBody: in bytes.
    /// - Returns: nil while bytes are missing.
    static func parse(
        _ bytes: [UInt8], isWhole: Bool, longestBody: Int
    ) throws(Fault) -> HTTPAnswer? {
        guard let (head, rest) = split(bytes) else {
            guard bytes.count <= longestHead else { throw .tooLong }
            guard !isWhole else { throw .truncated }
            return nil
        }
        guard head.count <= longestHead else { throw .tooLong }
        var lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)[
            ...]
        let words = lines.popFirst()?.split(separator: " ", maxSplits: 2) ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].utf8.count == 3, let status = Int(words[1]),
            status >= 100
        else { throw .malformed("it does not begin like HTTP") }
        var length: Int?
        var isChunked = false
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { throw .malformed("a header has no colon") }
            let value = line[line.index(after: colon)...].trimming
            switch line[..<colon].lowercased() {
            case "content-length":
                guard let count = Int(value), count >= 0, length == nil || length == count else {
                    throw .malformed("its length is no number")
                }
                length = count
            case "transfer-encoding":
                guard value.lowercased() == "chunked" else { throw .malformed("its encoding is unknown") }
                isChunked = true
            default: continue
            }
        }
        let body = try isChunked ? chunks(rest, longestBody) : plain(rest, length, isWhole: isWhole, longestBody)
        guard let body else {
            guard !isWhole else { throw .truncated }
            return nil
        }
        return HTTPAnswer(status: status, body: body)
    }

    private static func plain(
        _ rest: ArraySlice<UInt8>, _ length: Int?, isWhole: Bool, _ longest: Int
    ) throws(Fault) -> [UInt8]? {
        guard (length ?? rest.count) <= longest else { throw .tooLong }
        guard let length else { return isWhole ? Array(rest) : nil }
        return rest.count >= length ? Array(rest.prefix(length)) : nil
    }

    private static func chunks(_ rest: ArraySlice<UInt8>, _ longest: Int) throws(Fault) -> [UInt8]? {
        var body: [UInt8] = []
        var rest = rest
        while let end = lineEnd(rest) {
            // What follows a semicolon is an extension.
            let text = String(decoding: rest[..<end].prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self)
            guard let count = Int(text[...].trimming, radix: 16), count >= 0 else {
                throw .malformed("a chunk's length is no number")
            }
            guard count <= longest - body.count else { throw .tooLong }
            rest = rest[(end + 2)...]
            guard count > 0 else { return body }
            guard rest.count >= count + 2 else { return nil }
            body += rest.prefix(count)
            rest = rest.dropFirst(count)
            guard rest.starts(with: [0x0D, 0x0A]) else { throw .malformed("a chunk does not end where it says") }
            rest = rest.dropFirst(2)
        }
        guard rest.count <= longestHead else { throw .tooLong }
        return nil
    }

    /// The head without the empty line that ends it, and what follows.
    private static func split(_ bytes: [UInt8]) -> (head: ArraySlice<UInt8>, rest: ArraySlice<UInt8>)? {
        let mark: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]
        guard bytes.count >= mark.count else { return nil }
        for start in 0...min(bytes.count - mark.count, longestHead) where bytes[start...].starts(with: mark) {
            return (bytes[..<start], bytes[(start + mark.count)...])
        }
        return nil
    }

    private static func lineEnd(_ bytes: ArraySlice<UInt8>) -> Int? {
        bytes.indices.first { bytes[$0...].starts(with: [0x0D, 0x0A]) }
    }
}

extension Substring {
    fileprivate var trimming: Substring {
        let start = drop { $0 == " " || $0 == "\t" }
        guard let last = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return start.prefix(0) }
        return start[...last]
    }
}
