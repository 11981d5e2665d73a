import Foundation
import Testing

/// SPEC.md is a contract: each of its rules has a number, and each number a test that cites it.
@Suite struct RuleCitationTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func files(_ folder: String, _ ends: [String]) -> [String] {
        let names = FileManager.default.enumerator(atPath: root.appending(path: folder).path)?.allObjects ?? []
        return names.compactMap { $0 as? String }.filter { name in ends.contains { name.hasSuffix($0) } }
            .map { "\(root.path)/\(folder)/\($0)" }
    }

    private static func rules() throws -> [String] {
        let spec = try String(contentsOf: root.appending(path: "Protocol/SPEC.md"), encoding: .utf8)
        return spec.matches(of: /\*\*([A-Z]-[0-9]+)\*\*/).map { String($0.1) }
    }

    @Test func `no rule has the number of another, and none is missing in between`() throws {
        let rules = try Self.rules()
        #expect(rules.count > 80)
        #expect(Set(rules).count == rules.count)
        for (letter, group) in Dictionary(grouping: rules, by: \.first) {
            let numbers = group.compactMap { Int($0.dropFirst(2)) }.sorted()
            #expect(numbers == Array(1...numbers.count), "\(letter ?? "?"): \(numbers)")
        }
    }

    @Test func `every rule is cited by a test, or by a vector that tests read`() throws {
        var cited: Set<String> = []
        let tests = Self.files("Tests", [".swift"]) + Self.files("Protocol", [".json", ".py"])
        for file in tests where !file.hasSuffix("RuleCitationTests.swift") {
            // What defines the reference client cites rules as well, and is no test of them.
            if file.hasSuffix(".py"), !file.contains("/test_") { continue }
            let text = try String(contentsOfFile: file, encoding: .utf8)
            for match in text.matches(of: /\b([A-Z])-([0-9]+)(?: to \1-([0-9]+))?\b/) {
                guard let first = Int(match.2) else { continue }
                let last = match.3.flatMap { Int($0) } ?? first
                guard first <= last else { continue }
                for number in first...last { cited.insert("\(match.1)-\(number)") }
            }
        }
        #expect(try Self.rules().filter { !cited.contains($0) } == [])
    }

    @Test func `every example in the text is a vector, which tests read and write`() throws {
        let spec = try String(contentsOf: Self.root.appending(path: "Protocol/SPEC.md"), encoding: .utf8)
        let examples = spec.matches(of: /\n(both|caller|callee) +([0-9a-f ]+)\n/)
        #expect(examples.count > 10)
        for example in examples {
            let hex = String(example.2.filter { $0 != " " })
            let known =
                Vectors.valid.filter { $0.sender == String(example.1) }.map(\.hex)
                + (example.1 == "both" ? Vectors.openings.map(\.hex) : [])
            #expect(known.contains(hex), "\(example.1) \(example.2)")
        }
    }
}
