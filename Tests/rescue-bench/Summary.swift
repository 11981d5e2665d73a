import Fixtures
import SalvorImage
import SystemPackage

/// The figures for people: on standard output, and between two marks of a Markdown file.
struct Summary {
    var host: HostDescription
    var rounds: Int
    var files: Int
    var figures: [Figure]
    var phases: [(step: String, seconds: [Double])]

    private static let opening = "<!-- figures: written by rescue-bench -->"
    private static let closing = "<!-- end of figures -->"

    var markdown: String {
        let measured = Self.table(
            ["measure", "ours", "peer", "its", "ratio", "goal", ""], figures.map(\.row))
        let steps = Self.table(
            ["phase of the rescue", "median"], phases.map { [$0.step, "\($0.seconds.median.text(2)) s"] })
        return """
            \(host.text).
            Medians of \(rounds) rounds after a warm-up, ratios taken round by round; \(files) files on the disk.

            \(measured)

            \(steps)
            """
    }

    /// Replaces what is between the marks.
    func renew(_ path: FilePath) throws {
        let lines = String(decoding: try Posix.read(path), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let first = lines.firstIndex(of: Self.opening), let last = lines.firstIndex(of: Self.closing),
            first < last
        else { throw FixtureError("\(path) has no lines \(Self.opening) and \(Self.closing)") }
        let text = (lines[...first] + [markdown] + lines[last...]).joined(separator: "\n")
        try Self.replace(path, with: Array(text.utf8))
    }

    /// Puts a new file in the place of the one that may be there, whole or not at all.
    static func replace(_ path: FilePath, with bytes: [UInt8]) throws {
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
