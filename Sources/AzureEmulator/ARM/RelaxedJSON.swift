internal import SalvorJSON

/// JSON as the Resource Manager reads it, which is more than JSON: azure-cli sends a deployment's template with comments and an
/// unquoted name before it, and Azure's own parser (Newtonsoft.Json) takes that, single quotes, trailing commas and
/// line breaks in texts as well.
struct RelaxedJSON {
    /// As deep as Newtonsoft.Json follows.
    private static let deepest = 128

    struct Malformed: Error {
        /// Of the byte that does not fit.
        let position: Int
    }

    private let bytes: [UInt8]
    private var position = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func parse(_ bytes: [UInt8]) throws(Malformed) -> JSONValue {
        var parser = RelaxedJSON(bytes)
        // A byte order mark is no content.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { parser.position = 3 }
        try parser.skipBlanks()
        let value = try parser.value(depth: 0)
        try parser.skipBlanks()
        guard parser.position == bytes.count else { throw parser.malformed }
        return value
    }

    private var malformed: Malformed { Malformed(position: position) }
    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func value(depth: Int) throws(Malformed) -> JSONValue {
        guard depth < Self.deepest, let first = next else { throw malformed }
        switch first {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return .string(try text())
        default: return try word()
        }
    }

    private mutating func object(depth: Int) throws(Malformed) -> JSONValue {
        position += 1
        var members: [String: JSONValue] = [:]
        while true {
            try skipBlanks()
            guard let first = next else { throw malformed }
            if first == UInt8(ascii: "}") {
                position += 1
                return .object(members)
            }
            let isQuoted = first == UInt8(ascii: "\"") || first == UInt8(ascii: "'")
            let name = isQuoted ? try text() : try bareName()
            try skipBlanks()
            guard next == UInt8(ascii: ":") else { throw malformed }
            position += 1
            try skipBlanks()
            members[name] = try value(depth: depth + 1)
            try endOfItem(UInt8(ascii: "}"))
        }
    }

    private mutating func array(depth: Int) throws(Malformed) -> JSONValue {
        position += 1
        var items: [JSONValue] = []
        while true {
            try skipBlanks()
            if next == UInt8(ascii: "]") {
                position += 1
                return .array(items)
            }
            items.append(try value(depth: depth + 1))
            try endOfItem(UInt8(ascii: "]"))
        }
    }

    /// A comma, or the end that follows, which is left where it is.
    private mutating func endOfItem(_ end: UInt8) throws(Malformed) {
        try skipBlanks()
        if next == UInt8(ascii: ",") {
            position += 1
        } else if next != end {
            throw malformed
        }
    }

    private mutating func bareName() throws(Malformed) -> String {
        let start = position
        while let byte = next, byte.isLetterOrDigit || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$") {
            position += 1
        }
        guard position > start else { throw malformed }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func word() throws(Malformed) -> JSONValue {
        let start = position
        while let byte = next, byte.isLetterOrDigit || "+-.".utf8.contains(byte) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        switch text {
        case "true": return true
        case "false": return false
        case "null": return .null
        default:
            // Beyond digits Swift reads what JSON does not have: "inf", "0x1".
            guard let first = text.utf8.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first),
                !text.contains(where: { "xXpPiInN".contains($0) })
            else {
                position = start
                throw malformed
            }
            if let number = Int64(text) { return .integer(number) }
            if let number = UInt64(text) { return .unsigned(number) }
            guard let number = Double(text), number.isFinite else {
                position = start
                throw malformed
            }
            return .number(number)
        }
    }

    private mutating func text() throws(Malformed) -> String {
        let quote = bytes[position]
        position += 1
        var decoded: [UInt8] = []
        while let byte = next {
            position += 1
            if byte == quote {
                guard let text = String(validating: decoded, as: UTF8.self) else { throw malformed }
                return text
            }
            if byte == UInt8(ascii: "\\") { try escape(&decoded) } else { decoded.append(byte) }
        }
        throw malformed
    }

    private mutating func escape(_ decoded: inout [UInt8]) throws(Malformed) {
        guard let byte = next else { throw malformed }
        position += 1
        switch byte {
        case UInt8(ascii: "b"): decoded.append(0x08)
        case UInt8(ascii: "f"): decoded.append(0x0C)
        case UInt8(ascii: "n"): decoded.append(0x0A)
        case UInt8(ascii: "r"): decoded.append(0x0D)
        case UInt8(ascii: "t"): decoded.append(0x09)
        case UInt8(ascii: "u"):
            var units = [try unit()]
            if UTF16.isLeadSurrogate(units[0]), next == UInt8(ascii: "\\"), position + 1 < bytes.count,
                bytes[position + 1] == UInt8(ascii: "u")
            {
                position += 2
                units.append(try unit())
            }
            decoded += String(decoding: units, as: UTF16.self).utf8
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"), UInt8(ascii: "/"): decoded.append(byte)
        default: throw malformed
        }
    }

    private mutating func unit() throws(Malformed) -> UInt16 {
        guard position + 4 <= bytes.count,
            let unit = UInt16(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw malformed }
        position += 4
        return unit
    }

    /// White space and comments.
    private mutating func skipBlanks() throws(Malformed) {
        while let byte = next {
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            case UInt8(ascii: "/"):
                guard position + 1 < bytes.count else { throw malformed }
                switch bytes[position + 1] {
                case UInt8(ascii: "/"):
                    while let byte = next, byte != 0x0A { position += 1 }
                case UInt8(ascii: "*"):
                    position += 2
                    while position + 1 < bytes.count, bytes[position...position + 1] != Array("*/".utf8)[...] {
                        position += 1
                    }
                    guard position + 1 < bytes.count else { throw malformed }
                    position += 2
                default: throw malformed
                }
            default: return
            }
        }
    }
}
