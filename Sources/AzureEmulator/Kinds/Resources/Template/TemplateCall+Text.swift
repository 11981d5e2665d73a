internal import Foundation
internal import SalvorDigest
internal import SalvorJSON

/// Functions of the template language that make texts.
extension TemplateCall {
    func text() throws(ARMError) -> JSONValue? {
        switch name.lowercased() {
        case "concat":
            if case .array? = arguments.first { return .array(arguments.flatMap { $0.array ?? [] }) }
            return .string(arguments.map(Self.text).joined())
        case "format": return .string(try formatted())
        case "string": return .string(Self.text(of: try value(0)))
        case "tolower": return .string(try text(0).lowercased())
        case "toupper": return .string(try text(0).uppercased())
        case "trim": return .string(try text(0).trimmingCharacters(in: .whitespacesAndNewlines))
        case "replace":
            let (old, new) = (try text(1), try text(2))
            return .string(old.isEmpty ? try text(0) : try text(0).replacing(old, with: new))
        case "split": return .array(try split())
        case "join":
            guard let items = try value(0).array else { throw failure }
            return .string(items.map(Self.text).joined(separator: try text(1)))
        case "substring":
            let characters = Array(try text(0))
            let start = try integer(1)
            let length = arguments.count > 2 ? try integer(2) : Int64(characters.count) - start
            guard start >= 0, length >= 0, start <= Int64(characters.count), length <= Int64(characters.count) - start
            else { throw failure }
            return .string(String(characters[Int(start)..<Int(start + length)]))
        case "startswith": return .bool(try text(0).lowercased().hasPrefix(try text(1).lowercased()))
        case "endswith": return .bool(try text(0).lowercased().hasSuffix(try text(1).lowercased()))
        case "indexof", "lastindexof": return .integer(try position())
        case "padleft":
            let text = Self.text(of: try value(0))
            let width = try integer(1)
            let filler = arguments.count > 2 ? try self.text(2) : " "
            guard (1...16_384).contains(width), filler.count == 1 else { throw failure }
            return .string(String(repeating: filler, count: max(0, Int(width) - text.count)) + text)
        case "json":
            guard let value = try? JSONValue.parse(Array(try text(0).utf8)) else { throw failure }
            return value
        case "base64": return .string(Data(try text(0).utf8).base64EncodedString())
        case "base64tostring", "base64tojson":
            guard let data = Data(base64Encoded: try text(0)) else { throw failure }
            let text = String(decoding: data, as: UTF8.self)
            if name.lowercased() == "base64tostring" { return .string(text) }
            guard let value = try? JSONValue.parse(Array(text.utf8)) else { throw failure }
            return value
        case "uricomponent":
            let allowed = CharacterSet(
                charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
            return (try text(0).addingPercentEncoding(withAllowedCharacters: allowed)).map { .string($0) }
        case "uricomponenttostring": return (try text(0).removingPercentEncoding).map { .string($0) }
        case "uri":
            let base = try text(0)
            return .string((base.hasSuffix("/") ? base : base + "/") + (try text(1)))
        case "uniquestring": return .string(Self.unique(arguments.map(Self.text)))
        case "guid": return .string(Self.guid(arguments.map(Self.text)))
        default: return nil
        }
    }

    private func split() throws(ARMError) -> [JSONValue] {
        let text = try text(0)
        let given = try value(1)
        let separators = (given.array ?? [given]).compactMap(\.string)
        var parts = [text]
        for separator in separators where !separator.isEmpty {
            parts = parts.flatMap { $0.components(separatedBy: separator) }
        }
        return parts.map { .string($0) }
    }

    private func position() throws(ARMError) -> Int64 {
        let (text, part) = (try text(0).lowercased(), try self.text(1).lowercased())
        let options: String.CompareOptions = name.lowercased() == "indexof" ? .literal : [.literal, .backwards]
        guard !part.isEmpty else { return 0 }
        return text.range(of: part, options: options).map {
            Int64(text.distance(from: text.startIndex, to: $0.lowerBound))
        }
            ?? -1
    }

    /// `{0}`, `{1:D4}`, `{2:X}`; a brace that stands for itself is written twice.
    private func formatted() throws(ARMError) -> String {
        var result = ""
        var rest = try text(0)[...]
        while let character = rest.popFirst() {
            guard character == "{" || character == "}" else {
                result.append(character)
                continue
            }
            if rest.first == character {
                rest = rest.dropFirst()
                result.append(character)
                continue
            }
            guard character == "{", let end = rest.firstIndex(of: "}") else { throw failure }
            let parts = rest[..<end].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            rest = rest[rest.index(after: end)...]
            guard let index = Int(parts[0]), arguments.indices.contains(index + 1), index >= 0 else { throw failure }
            let value = arguments[index + 1]
            guard parts.count == 2, let number = value.integer else {
                result += Self.text(of: value)
                continue
            }
            let width = Int(parts[1].dropFirst()) ?? 0
            guard (0...64).contains(width) else { throw failure }
            var digits: String
            switch parts[1].first {
            case "D", "d", "0": digits = String(number.magnitude)
            case "X": digits = String(number.magnitude, radix: 16, uppercase: true)
            case "x": digits = String(number.magnitude, radix: 16)
            default: throw failure
            }
            let wanted = parts[1].first == "0" ? parts[1].count : width
            digits = String(repeating: "0", count: max(0, wanted - digits.count)) + digits
            result += (number < 0 ? "-" : "") + digits
        }
        return result
    }

    /// Thirteen characters that the same texts always lead to; Azure's own are others.
    private static func unique(_ texts: [String]) -> String {
        let characters = Array("abcdefghijklmnopqrstuvwxyz234567")
        let bytes = SHA256.digest(of: Array(texts.joined(separator: "-").utf8)).bytes
        var bits = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        var result = ""
        for _ in 0..<13 {
            result.append(characters[Int(bits >> 59)])
            bits <<= 5
        }
        return result
    }

    private static func guid(_ texts: [String]) -> String {
        var bytes = Array(SHA256.digest(of: Array(texts.joined(separator: "-").utf8)).bytes.prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x50
        bytes[8] = bytes[8] & 0x3F | 0x80
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return [hex[0..<4], hex[4..<6], hex[6..<8], hex[8..<10], hex[10..<16]].map { $0.joined() }.joined(
            separator: "-")
    }
}
