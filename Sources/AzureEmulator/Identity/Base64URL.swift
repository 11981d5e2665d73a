internal import FoundationEssentials

/// Base64 in the alphabet of URLs, without padding (RFC 4648, section 5), as JSON web tokens use it.
enum Base64URL {
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        String(
            Data(bytes).base64EncodedString().compactMap { character -> Character? in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }

    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var padded = text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
        padded += Array(repeating: "=", count: (4 - padded.count % 4) % 4)
        return Data(base64Encoded: String(padded)).map { Array($0) }
    }
}

/// Base64 as JSON bodies carry bytes (RFC 4648, section 4).
enum Base64 {
    static func encode(_ bytes: some Sequence<UInt8>) -> String { Data(bytes).base64EncodedString() }

    static func decode(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map { Array($0) } }
}
