import SalvorCoordinatorCore
import SalvorQEMU
import SystemPackage
import Yams

/// Changes the text of a definition at the nodes in question. What comes out is read again and compared, so a layout that
/// this does not understand is never written: it is emitted anew, without its comments, rather than guessed at.
struct DefinitionEdit {
    let file: FilePath

    func replacingDisk(
        in text: String, with disk: MachineDefinition.Disk, original: MachineDefinition.OriginalDisk?,
        wanted: MachineDefinition
    ) throws -> String {
        if let edited = try? edit(text, disk: disk, original: original),
            let seen = try? DefinitionReader.read(text: edited, file: file), seen == wanted
        {
            return edited
        }
        let emitted = try emit(text, disk: disk, original: original)
        let seen = try DefinitionReader.read(text: emitted, file: file)
        guard seen == wanted else {
            throw YAMLMistake(
                file: file.string, line: 1, column: 1, found: "a layout that cannot be rewritten safely",
                expected: "a block mapping with the keys at the left margin")
        }
        return emitted
    }

    // MARK: By text

    private func edit(
        _ text: String, disk: MachineDefinition.Disk, original: MachineDefinition.OriginalDisk?
    ) throws -> String {
        // By scalars: to Swift, CR LF is one character and not a line feed.
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        let node = try YAMLValue(text: text, file: file.string, of: "a machine's definition").node
        guard let path = node["disk"]?["path"]?.mark, let format = node["disk"]?["format"]?.mark else { return text }
        // Of two values on one line the right one first, so that the left one's column still holds.
        let changes = [(path, shown(disk.path)), (format, disk.format.rawValue)]
            .sorted { ($0.0.line, $0.0.column) > ($1.0.line, $1.0.column) }
        for (mark, value) in changes {
            // YAML knows more line breaks than the line feed; who uses them gets the text emitted anew.
            guard lines.indices.contains(mark.line - 1) else { return text }
            lines[mark.line - 1] = Self.replacingScalar(in: lines[mark.line - 1], column: mark.column, with: value)
        }
        Self.removeBlock("original_disk", from: &lines)
        if let original {
            while lines.last?.isEmpty == true { lines.removeLast() }
            lines += ["original_disk:"] + block(original, indent: "  ") + [""]
        }
        return lines.joined(separator: "\n")
    }

    /// The scalar that starts at `column` (from 1, in Unicode scalars), up to its own end on the same line.
    static func replacingScalar(in line: String, column: Int, with value: String) -> String {
        let scalars = Array(line.unicodeScalars)
        var end = column - 1
        guard end < scalars.count else { return line }
        switch scalars[end] {
        case "\"":
            end += 1
            while end < scalars.count, scalars[end] != "\"" { end += scalars[end] == "\\" ? 2 : 1 }
            end += 1
        case "'":
            end += 1
            while end < scalars.count {
                if scalars[end] == "'" {
                    guard end + 1 < scalars.count, scalars[end + 1] == "'" else { break }
                    end += 1
                }
                end += 1
            }
            end += 1
        default:
            let flow = scalars[..<end].contains { $0 == "{" || $0 == "[" }
            while end < scalars.count {
                if scalars[end] == "#", scalars[end - 1] == " " { break }
                if flow, scalars[end] == "," || scalars[end] == "}" || scalars[end] == "]" { break }
                end += 1
            }
            while end > column, scalars[end - 1] == " " || scalars[end - 1] == "\r" { end -= 1 }
        }
        var result = String.UnicodeScalarView(scalars[..<(column - 1)])
        result.append(contentsOf: value.unicodeScalars)
        result.append(contentsOf: scalars[min(end, scalars.count)...])
        return String(result)
    }

    /// Removes a key at the left margin with what belongs to it: the lines below that are indented. A comment at the
    /// margin belongs to what follows.
    static func removeBlock(_ key: String, from lines: inout [String]) {
        guard let start = lines.firstIndex(where: { $0.hasPrefix("\(key):") }) else { return }
        var end = start + 1
        while end < lines.count, lines[end].hasPrefix(" ") { end += 1 }
        lines.removeSubrange(start..<end)
    }

    private func block(_ original: MachineDefinition.OriginalDisk, indent: String) -> [String] {
        var lines = [
            "\(indent)path: \(shown(original.disk.path))",
            "\(indent)format: \(original.disk.format.rawValue)",
            "\(indent)replaced_by_run: \(Self.quoted(original.replacedByRun))",
            "\(indent)at: \(Self.quoted(original.at))",
        ]
        if case .some(let previous) = original.previous {
            lines += ["\(indent)previous:"] + block(previous, indent: indent + "  ")
        }
        return lines
    }

    /// Relative where the disk is below the definition's folder, as the operator will have written it.
    private func shown(_ path: FilePath) -> String {
        var relative = path
        return Self.quoted(
            relative.removePrefix(file.removingLastComponent()) && !relative.isEmpty ? relative.string : path.string)
    }

    /// Double-quoted, so that no name is taken for a number, a date or a tag.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\x" + (digits.count == 1 ? "0" : "") + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    // MARK: By emission

    private func emit(
        _ text: String, disk: MachineDefinition.Disk, original: MachineDefinition.OriginalDisk?
    ) throws -> String {
        guard var node = try compose(yaml: text) else { return text }
        node["disk"]?["path"] = Node(disk.path.string)
        node["disk"]?["format"] = Node(disk.format.rawValue)
        node["original_disk"] = original.map(Self.node)
        return try serialize(node: node)
    }

    private static func node(_ original: MachineDefinition.OriginalDisk) -> Node {
        var pairs: [(Node, Node)] = [
            ("path", Node(original.disk.path.string)),
            ("format", Node(original.disk.format.rawValue)),
            ("replaced_by_run", Node(original.replacedByRun, .implicit, .doubleQuoted)),
            ("at", Node(original.at, .implicit, .doubleQuoted)),
        ]
        if case .some(let previous) = original.previous { pairs.append(("previous", node(previous))) }
        return Node(pairs)
    }
}
