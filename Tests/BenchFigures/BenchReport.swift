import FoundationEssentials
import SalvorImage
package import SystemPackage

/// What a bench has found: figures for programs in a JSON file, and for people on standard output and between two marks of
/// a Markdown file.
package struct BenchReport {
    /// The bench's own name, which the marks carry.
    package var bench: String
    package var host: HostDescription
    /// How it was measured.
    package var method: String
    package var figures: [Figure]
    /// Headers and rows of a second table; empty for none.
    package var details: [[String]] = []

    package init(bench: String, host: HostDescription, method: String, figures: [Figure], details: [[String]] = []) {
        self.bench = bench
        self.host = host
        self.method = method
        self.figures = figures
        self.details = details
    }

    private var opening: String { "<!-- figures: written by \(bench) -->" }
    private static let closing = "<!-- end of figures -->"

    private var markdown: String {
        let measured = Self.table(["measure", "ours", "peer", "its", "ratio", "goal", ""], figures.map(\.row))
        let parts = ["\(host.text).\n\(method)", measured]
        let more = details.first.map { [Self.table($0, Array(details.dropFirst()))] } ?? []
        return (parts + more).joined(separator: "\n\n")
    }

    /// Writes the figures to `json`, shows them, and renews the Markdown file's table where there is one.
    package func publish(json: FilePath, table: FilePath?) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try Self.replace(json, with: Array(try encoder.encode(figures)) + Array("\n".utf8))
        print("\n\(markdown)\n\n\(json)")
        if let table { try renew(table) }
        for figure in figures where !figure.met { print("MISSED: \(figure.sentence)") }
    }

    /// Replaces what is between the marks.
    private func renew(_ path: FilePath) throws {
        let lines = String(decoding: try Posix.read(path), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let first = lines.firstIndex(of: opening), let last = lines.firstIndex(of: Self.closing),
            first < last
        else { throw BenchError("\(path) has no lines \(opening) and \(Self.closing)") }
        let text = (lines[...first] + [markdown] + lines[last...]).joined(separator: "\n")
        try Self.replace(path, with: Array(text.utf8))
    }

    /// Puts a new file in the place of the one that may be there, whole or not at all.
    private static func replace(_ path: FilePath, with bytes: [UInt8]) throws {
        let new = FilePath(path.string + ".new")
        Posix.removeTree(new)
        try Posix.write(bytes, to: new)
        try Posix.rename(new, to: path)
    }

    private static func table(_ header: [String], _ rows: [[String]]) -> String {
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String]) -> String {
            "| " + zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: " | ")
                + " |"
        }
        let rule = "|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|"
        return ([line(header), rule] + rows.map(line)).joined(separator: "\n")
    }
}

/// Why a bench has no figures.
package struct BenchError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
