internal import SalvorJSON

/// A `$filter` of a list, as far as clients send them: comparisons of a name with a text, `startswith`, `substringof` and
/// `contains`, joined with `and` and `or`.
struct ODataFilter {
    private enum Test {
        case equal(String, String)
        case unequal(String, String)
        case beginning(String, String)
        case containing(String, String)
    }

    /// Any of these, each with all of its tests.
    private let alternatives: [[Test]]

    /// - Throws: `InvalidFilterInQueryString`.
    init(_ text: String) throws(ARMError) {
        var words = try Self.words(of: text)
        var alternatives: [[Test]] = [[]]
        while true {
            guard let test = Self.test(&words) else { throw Self.invalid(text) }
            alternatives[alternatives.count - 1].append(test)
            guard let joint = words.popFirst() else { break }
            switch joint.lowercased() {
            case "and": continue
            case "or": alternatives.append([])
            default: throw Self.invalid(text)
            }
        }
        self.alternatives = alternatives
    }

    /// - Parameter value: the values of a name in lower case; a name may have several.
    func matches(_ values: (String) -> [String]) -> Bool {
        alternatives.contains { tests in
            tests.allSatisfy { test in
                switch test {
                case .equal(let name, let text): values(name).contains { $0.lowercased() == text.lowercased() }
                case .unequal(let name, let text): !values(name).contains { $0.lowercased() == text.lowercased() }
                case .beginning(let name, let text):
                    values(name).contains { $0.lowercased().hasPrefix(text.lowercased()) }
                case .containing(let name, let text):
                    values(name).contains { $0.lowercased().contains(text.lowercased()) }
                }
            }
        }
    }

    /// The text that a name is compared with, where it is compared once.
    func text(of name: String) -> String? {
        for case .equal(let tested, let text) in alternatives.joined() where tested == name { return text }
        return nil
    }

    private static func test(_ words: inout ArraySlice<String>) -> Test? {
        guard let name = words.popFirst()?.lowercased() else { return nil }
        if ["startswith", "substringof", "contains"].contains(name) {
            guard words.popFirst() == "(", let one = words.popFirst(), words.popFirst() == ",",
                let other = words.popFirst(), words.popFirst() == ")"
            else { return nil }
            let (member, text) = one.hasPrefix("'") ? (other, one) : (one, other)
            guard let text = literal(text), !member.hasPrefix("'") else { return nil }
            return name == "startswith" ? .beginning(member.lowercased(), text) : .containing(member.lowercased(), text)
        }
        guard let verb = words.popFirst(), let text = words.popFirst().flatMap(literal) else { return nil }
        switch verb.lowercased() {
        case "eq": return .equal(name, text)
        case "ne": return .unequal(name, text)
        default: return nil
        }
    }

    private static func literal(_ word: String) -> String? {
        guard word.count >= 2, word.hasPrefix("'"), word.hasSuffix("'") else { return nil }
        return String(word.dropFirst().dropLast()).replacing("''", with: "'")
    }

    private static func words(of text: String) throws(ARMError) -> ArraySlice<String> {
        var words: [String] = []
        var rest = text[...]
        while let first = rest.first {
            if first == " " {
                rest = rest.dropFirst()
            } else if "(),".contains(first) {
                words.append(String(first))
                rest = rest.dropFirst()
            } else if first == "'" {
                var end = rest.index(after: rest.startIndex)
                while end < rest.endIndex {
                    if rest[end] == "'" {
                        let next = rest.index(after: end)
                        guard next < rest.endIndex, rest[next] == "'" else { break }
                        end = next
                    }
                    end = rest.index(after: end)
                }
                guard end < rest.endIndex else { throw invalid(text) }
                words.append(String(rest[...end]))
                rest = rest[rest.index(after: end)...]
            } else {
                let word = rest.prefix { !" (),'".contains($0) }
                words.append(String(word))
                rest = rest.dropFirst(word.count)
            }
        }
        return words[...]
    }

    private static func invalid(_ text: String) -> ARMError {
        ARMError(
            400, "InvalidFilterInQueryString",
            "Invalid $filter '\(printable(text))' specified in the query string.")
    }
}

extension ODataFilter {
    /// Whether a record is one that the filter asks for, by what lists of resources are filtered by.
    func matches(_ record: Record) -> Bool {
        matches { name in
            switch name {
            case "resourcetype": return [record.id.type]
            case "name": return [record.id.name]
            case "resourcegroup": return [record.id.resourceGroup ?? ""]
            case "location", "provisioningstate":
                let path = name == "location" ? "location" : "properties.provisioningState"
                return [record.body[path: path]?.string ?? ""]
            case "tagname": return (record.body["tags"]?.object ?? [:]).map(\.key)
            case "tagvalue":
                let tags = record.body["tags"]?.object ?? [:]
                // The value of the tag that is asked for by name, where it is.
                if let wanted = text(of: "tagname") {
                    return tags.filter { $0.key.lowercased() == wanted.lowercased() }.compactMap(\.value.string)
                }
                return tags.values.compactMap(\.string)
            default: return []
            }
        }
    }
}
