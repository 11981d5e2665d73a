import SalvorQEMU
import SystemPackage
import Yams

/// A YAML node that knows its file, so that every mistake has its place.
struct DefinitionNode {
    let node: Node
    let file: FilePath

    init(text: String, file: FilePath) throws(DefinitionMistake) {
        self.file = file
        do {
            guard let node = try compose(yaml: text) else {
                throw DefinitionMistake(
                    file: file, line: 1, column: 1, found: "an empty file", expected: "a machine's definition")
            }
            self.node = node
        } catch let mistake as DefinitionMistake {
            throw mistake
        } catch let error as YamlError {
            throw Self.mistake(error, file: file)
        } catch {
            throw DefinitionMistake(file: file, line: 1, column: 1, found: "\(error)", expected: "YAML in UTF-8")
        }
    }

    private init(node: Node, file: FilePath) {
        self.node = node
        self.file = file
    }

    func mistake(found: String, expected: String) -> DefinitionMistake {
        DefinitionMistake(
            file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1, found: found, expected: expected)
    }

    /// What the node is, for a message.
    var shown: String {
        switch node {
        case .scalar(let scalar):
            scalar.string.isEmpty ? "nothing" : "“\(ConsoleScanner.printable(Array(scalar.string.utf8.prefix(120))))”"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    func text(_ expected: String) throws(DefinitionMistake) -> String {
        guard case .scalar(let scalar) = node, !scalar.string.isEmpty else {
            throw mistake(found: shown, expected: expected)
        }
        return scalar.string
    }

    func integer(_ range: ClosedRange<Int>, _ what: String) throws(DefinitionMistake) -> Int {
        guard let value = node.int, range.contains(value) else {
            throw mistake(found: shown, expected: "\(what), from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func choice<Value: RawRepresentable & CaseIterable>(_ type: Value.Type) throws(DefinitionMistake) -> Value
    where Value.RawValue == String {
        let names = Value.allCases.map(\.rawValue)
        let expected = "one of \(names.joined(separator: ", "))"
        let text = try text(expected)
        guard let value = Value(rawValue: text) else { throw mistake(found: shown, expected: expected) }
        return value
    }

    /// Relative paths start at the definition's own folder, so that an inventory can be moved as a whole.
    func path(_ what: String) throws(DefinitionMistake) -> FilePath {
        file.removingLastComponent().pushing(FilePath(try text("\(what), a path"))).lexicallyNormalized()
    }

    /// The values by key, each of which must be known.
    func fields(_ keys: [String], of what: String) throws(DefinitionMistake) -> [String: DefinitionNode] {
        let known = keys.joined(separator: ", ")
        guard case .mapping(let mapping) = node else {
            throw mistake(found: shown, expected: "\(what), a mapping with \(known)")
        }
        var fields: [String: DefinitionNode] = [:]
        for (key, value) in mapping {
            let keyNode = DefinitionNode(node: key, file: file)
            let name = try keyNode.text("a key of \(what)")
            guard keys.contains(name) else {
                let meant = NearMiss.candidates(for: name, among: keys).first.map { " (did you mean “\($0)”?)" } ?? ""
                throw keyNode.mistake(
                    found: "the unknown key \(keyNode.shown)\(meant)", expected: "a key of \(what): \(known)")
            }
            fields[name] = DefinitionNode(node: value, file: file)
        }
        return fields
    }

    func required(
        _ key: String, in fields: [String: DefinitionNode], of what: String
    ) throws(DefinitionMistake) -> DefinitionNode {
        guard let value = fields[key] else {
            throw mistake(found: "\(what) without “\(key)”", expected: "the key “\(key)”")
        }
        return value
    }

    private static func mistake(_ error: YamlError, file: FilePath) -> DefinitionMistake {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            DefinitionMistake(file: file, line: mark.line, column: mark.column, found: problem, expected: "YAML")
        case .duplicatedKeysInMapping(let duplicates, let context):
            DefinitionMistake(
                file: file, line: context.mark.line, column: context.mark.column,
                found: "\(duplicates.sorted().map { "“\($0)”" }.joined(separator: ", ")) more than once",
                expected: "each key once")
        default:
            DefinitionMistake(file: file, line: 1, column: 1, found: "\(error)", expected: "YAML in UTF-8")
        }
    }
}
