package import SalvorJSON

/// One call to Azure Resource Manager, before it is signed, paced and repeated.
package struct ARMCall: Sendable {
    /// Whether the call may be sent again when it is not known what became of it.
    package enum Repeat: Hashable, Sendable {
        /// The same call again finds its own work: reads, PUT and DELETE by name, actions that ask for a state.
        case safe
        /// A second effect would be another one.
        case never
    }

    package var method: String
    /// Below the endpoint, or the whole address where Azure has named it.
    package var path: String
    /// nil where the path has it already.
    package var version: APIVersion?
    package var query: [String: String]
    package var body: JSONValue?
    package var ifMatch: String?
    package var repeats: Repeat
    /// POSTs that only ask do not count as changes.
    package var changes: Bool
    /// True where the resource was made just now: a 404 is then Azure's replication lagging behind.
    package var mustExist = false

    package init(
        _ method: String, _ path: String, _ version: APIVersion?, query: [String: String] = [:],
        body: JSONValue? = nil, ifMatch: String? = nil, repeats: Repeat = .safe, changes: Bool? = nil
    ) {
        self.method = method
        self.path = path
        self.version = version
        self.query = query
        self.body = body
        self.ifMatch = ifMatch
        self.repeats = repeats
        self.changes = changes ?? (method != "GET" && method != "HEAD")
    }

    /// - Parameter endpoint: without a slash at its end.
    func url(at endpoint: String) -> String {
        var url = path.contains("://") ? path : endpoint + Self.escaped(path)
        var items = query.sorted { $0.key < $1.key }.map {
            "\(Self.escapedValue($0.key))=\(Self.escapedValue($0.value))"
        }
        if let version { items.append("api-version=\(version.rawValue)") }
        if !items.isEmpty { url += (url.contains("?") ? "&" : "?") + items.joined(separator: "&") }
        return url
    }

    /// The resource and action, without address, query and version: for records and messages.
    var target: String {
        var path = path
        if let scheme = path.firstRange(of: "://") {
            let rest = path[scheme.upperBound...]
            path = rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? "/"
        }
        return String(path.prefix { $0 != "?" })
    }

    private static func escaped(_ path: String) -> String { PercentEncoding.encode(path, keeping: "/?&=:@!*+;$'(),") }

    private static func escapedValue(_ text: String) -> String { PercentEncoding.encode(text, keeping: "$'(),") }
}

/// RFC 3986's escapes.
enum PercentEncoding {
    /// - Parameter others: characters to leave as they are beside the unreserved ones.
    static func encode(_ text: String, keeping others: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            case _ where others.utf8.contains(byte): bytes.append(byte)
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                bytes += "%\(digits.utf8.count == 1 ? "0" : "")\(digits)".utf8
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What Azure answered, its body read as JSON.
package struct ARMAnswer: Sendable {
    package var status: Int
    package var headers: [HTTPField]
    /// nil for an empty body.
    package var body: JSONValue?

    package subscript(header name: String) -> String? {
        HTTPResponse(status: status, headers: headers)[header: name]
    }
}
