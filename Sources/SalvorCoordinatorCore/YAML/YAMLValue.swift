internal import SalvorAudit
package import Yams

/// A YAML node that knows its file, so that every mistake has its place.
package struct YAMLValue {
    package let node: Node
    package let file: String

    /// - Parameter what: what the text should be, for messages: `a recipe`.
    /// - Throws: where the text is no YAML.
    package init(text: String, file: String, of what: String) throws(YAMLMistake) {
        self.file = file
        do {
            guard let node = try compose(yaml: text) else {
                throw YAMLMistake(file: file, line: 1, column: 1, found: "an empty file", expected: what)
            }
            self.node = node
        } catch let mistake as YAMLMistake {
            throw mistake
        } catch let error as YamlError {
            throw Self.mistake(error, file: file)
        } catch {
            throw YAMLMistake(file: file, line: 1, column: 1, found: "\(error)", expected: "YAML")
        }
    }

    private init(node: Node, file: String) {
        self.node = node
        self.file = file
    }

    package func mistake(found: String, expected: String) -> YAMLMistake {
        YAMLMistake(
            file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1, found: found, expected: expected)
    }

    /// What the node is, for a message.
    package var shown: String {
        switch node {
        case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "“\(printable(scalar.string.prefix(80)))”"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    package func text(_ expected: String) throws(YAMLMistake) -> String {
        guard case .scalar(let scalar) = node, !scalar.string.isEmpty else {
            throw mistake(found: shown, expected: expected)
        }
        return scalar.string
    }

    /// A text that can be empty.
    package func textOrNothing() throws(YAMLMistake) -> String {
        guard case .scalar(let scalar) = node else { throw mistake(found: shown, expected: "a text") }
        return scalar.string
    }

    package var isMapping: Bool {
        if case .mapping = node { true } else { false }
    }

    package func list(_ expected: String) throws(YAMLMistake) -> [YAMLValue] {
        guard case .sequence(let sequence) = node else { throw mistake(found: shown, expected: expected) }
        return sequence.map { YAMLValue(node: $0, file: file) }
    }

    /// The values by key; every key must be among `keys`.
    package func fields(_ keys: [String], of what: String) throws(YAMLMistake) -> [String: YAMLValue] {
        guard case .mapping(let mapping) = node else {
            throw mistake(found: shown, expected: "\(what), a mapping with \(Self.enumerated(keys))")
        }
        var fields: [String: YAMLValue] = [:]
        for (key, value) in mapping {
            let keyValue = YAMLValue(node: key, file: file)
            let name = try keyValue.text("a key of \(what)")
            guard keys.contains(name) else {
                let meant = Spelling.closest(to: name, among: keys).map { "; did you mean “\($0)”?" } ?? ""
                throw keyValue.mistake(
                    found: "the unknown key “\(printable(name.prefix(80)))”\(meant)",
                    expected: "a key of \(what): \(Self.enumerated(keys))")
            }
            fields[name] = YAMLValue(node: value, file: file)
        }
        return fields
    }

    package func required(
        _ key: String, in fields: [String: YAMLValue], of what: String
    ) throws(YAMLMistake) -> YAMLValue {
        guard let value = fields[key] else {
            throw mistake(found: "\(what) without “\(key)”", expected: "the key “\(key)”")
        }
        return value
    }

    private static func enumerated(_ keys: [String]) -> String { keys.joined(separator: ", ") }

    private static func mistake(_ error: YamlError, file: String) -> YAMLMistake {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            YAMLMistake(file: file, line: mark.line, column: mark.column, found: problem, expected: "YAML")
        case .duplicatedKeysInMapping(let duplicates, let context):
            YAMLMistake(
                file: file, line: context.mark.line, column: context.mark.column,
                found:
                    "the key \(duplicates.sorted().map { "“\(printable($0))”" }.joined(separator: ", ")) more than once",
                expected: "each key once")
        default:
            YAMLMistake(file: file, line: 1, column: 1, found: "\(error)", expected: "YAML in UTF-8")
        }
    }
}
