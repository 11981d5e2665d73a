import SalvorAudit
import SalvorCoordinatorCore
import SalvorMessages
import Testing

@Suite struct RecipeReaderTests {
    private static let sound = """
        schema: 1
        name: some-recipe
        version: 2
        rules:
          - id: rule
            folder: Windows\\System32
            files: C-*.sys
            judge:
              header: AA 01
              last_write:
                faulty_from: 2024-07-19T04:09:00Z
                faulty_before: 2024-07-19T05:27:00Z
                corrected_from: 2024-07-19T05:27:00.5Z
            actions:
              faulty: quarantine-and-delete
              zeroed: quarantine-and-delete
              corrected: keep
              unknown: keep
        volume:
          reset_log: true

        """

    private func read(_ text: String) throws(YAMLMistake) -> Recipe {
        try RecipeReader.read(bytes: Array(text.utf8), file: "r.yaml")
    }

    @Test func `the default recipe says what the guidance says`() throws {
        let recipe = try RunBench.recipe()
        let rule = try #require(recipe.rules.first)
        #expect(rule.folder == ["Windows", "System32", "drivers", "CrowdStrike"])
        #expect(rule.namePattern == "C-00000291*.sys")
        #expect(rule.judgement.header == [0xAA, 0xAA, 0xAA, 0xAA, 0x01, 0x00, 0x23, 0x01])
        #expect(rule.judgement.faultyFrom?.rfc3339 == "2024-07-19T04:09:00.0000000Z")
        #expect(rule.judgement.faultyBefore?.rfc3339 == "2024-07-19T05:27:00.0000000Z")
        #expect(rule.judgement.correctedFrom == rule.judgement.faultyBefore)
        #expect(
            rule.actions == [
                .faulty: .quarantineAndDelete, .zeroed: .quarantineAndDelete, .corrected: .keep, .unknown: .keep,
            ])
        #expect(recipe.volume.resetsLog && recipe.volume.repairsDirty && recipe.volume.discardsHibernation)
        #expect(recipe.granted.isEmpty)
    }

    @Test func `a recipe reaches the agent with everything that it says`() throws {
        let message = try read(Self.sound).message
        #expect(message.name == "some-recipe")
        #expect(message.version == 2)
        #expect(message.volumePolicy.resetLog)
        let rule = message.rules[0]
        #expect([UInt8](rule.judgement.header) == [0xAA, 0x01])
        #expect(rule.judgement.faultyFrom == 133_658_357_400_000_000)
        #expect(rule.judgement.correctedFrom - rule.judgement.faultyBefore == 5_000_000)
        #expect(rule.actions.count == 4)
        #expect(rule.actions.first { $0.verdict == .faulty }?.action == .quarantineAndDelete)
    }

    @Test func `hibernation is given up only where recipe and operator both say so`() throws {
        for (allowed, granted) in [(false, true), (true, false), (true, true)] {
            var recipe = try read(
                Self.sound.replacing("reset_log: true", with: "discard_hibernation: \(allowed)"))
            recipe.granted = granted ? [.discardHibernation] : []
            #expect(recipe.message.volumePolicy.discardHibernation == (allowed && granted))
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var from: String
        var to: String
        var line: Int
        var column: Int
        var says: String
        var testDescription: String { "\(from) → \(to)" }
    }

    @Test(arguments: [
        Case(from: "schema: 1", to: "schema: 9", line: 1, column: 9, says: "the schema that this Salvor reads, 1"),
        Case(from: "schema: 1\n", to: "", line: 1, column: 1, says: "without “schema”"),
        Case(from: "name: some-recipe", to: "name: Some Recipe", line: 2, column: 7, says: "lower-case"),
        Case(from: "version: 2", to: "version: two", line: 3, column: 10, says: "a whole number"),
        Case(from: "version: 2", to: "verzion: 2", line: 3, column: 1, says: "did you mean “version”?"),
        Case(from: "files: C-*.sys", to: "file: C-*.sys", line: 7, column: 5, says: "did you mean “files”?"),
        Case(from: "files: C-*.sys", to: "files: '*.*'", line: 7, column: 12, says: "does not fit every file"),
        Case(from: "files: C-*.sys", to: "files: a\\b.sys", line: 7, column: 12, says: "no folder"),
        Case(from: "Windows\\System32", to: "Windows\\..\\x", line: 6, column: 13, says: "below the volume's root"),
        Case(from: "Windows\\System32", to: "C:\\Windows", line: 6, column: 13, says: "below the volume's root"),
        Case(from: "Windows\\System32", to: "Windows\\..", line: 6, column: 13, says: "below the volume's root"),
        Case(from: "Windows\\System32", to: "\\Windows", line: 6, column: 13, says: "below the volume's root"),
        Case(from: "header: AA 01", to: "header: AA 1", line: 9, column: 15, says: "hexadecimal"),
        Case(
            from: "header: AA 01", to: "header: 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10", line: 9,
            column: 15,
            says: "17 bytes"),
        Case(
            from: "faulty_from: 2024-07-19T04:09:00Z", to: "faulty_from: 2024-07-19", line: 11, column: 22,
            says: "a time in UTC"),
        Case(
            from: "faulty_from: 2024-07-19T04:09:00Z", to: "faulty_from: 2024-02-30T04:09:00Z", line: 11, column: 22,
            says: "a time in UTC"),
        Case(
            from: "faulty_before: 2024-07-19T05:27:00Z", to: "faulty_before: 2024-07-18T05:27:00Z", line: 12,
            column: 24, says: "not after faulty_from"),
        Case(
            from: "corrected_from: 2024-07-19T05:27:00.5Z", to: "corrected_from: 2024-07-19T05:00:00Z", line: 13,
            column: 25, says: "before faulty_before"),
        Case(
            from: "zeroed: quarantine-and-delete", to: "zeroed: delete", line: 16, column: 15,
            says: "keep, quarantine-and-delete, collect"),
        Case(
            from: "zeroed: quarantine-and-delete", to: "zeroed: quarantine-and-delte", line: 16, column: 15,
            says: "did you mean “quarantine-and-delete”?"),
        Case(from: "      unknown: keep\n", to: "", line: 15, column: 7, says: "without “unknown”"),
        Case(
            from: "corrected: keep", to: "corrected: quarantine-and-delete", line: 17, column: 18,
            says: "deletes what is corrected"),
        Case(from: "reset_log: true", to: "reset_log: yes", line: 20, column: 14, says: "true or false"),
        Case(from: "name: some-recipe", to: "name: 'some", line: 2, column: 7, says: "YAML"),
        Case(from: "version: 2", to: "version: 2\nversion: 3", line: 1, column: 1, says: "more than once"),
    ])
    func `a mistake is said with its place, what was found and what is expected`(mistake: Case) throws {
        let text = Self.sound.replacing(mistake.from, with: mistake.to)
        try #require(text != Self.sound)
        let error = #expect(throws: YAMLMistake.self) { try read(text) }
        let said = error?.description ?? ""
        #expect(said.contains(mistake.says), "\(said)")
        // libYAML says where it gave up, which for a text without an end is the end.
        if mistake.says != "YAML", mistake.says != "more than once" {
            #expect(error?.line == mistake.line, "\(said)")
            #expect(error?.column == mistake.column, "\(said)")
        }
        #expect(said.hasPrefix("r.yaml:"))
    }

    @Test func `nothing that makes a file faulty is no recipe`() throws {
        let times = ["last_write", "faulty_from", "faulty_before", "corrected_from"]
        let text = Self.sound.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { line in !times.contains { line.contains($0) } }.joined(separator: "\n")
        try #require(text != Self.sound)
        let error = #expect(throws: YAMLMistake.self) { try read(text) }
        #expect(error?.found == "nothing that makes a file faulty")
    }

    @Test func `an empty file, bytes that are no text and a file that is not there are said as such`() throws {
        #expect(throws: YAMLMistake.self) { try read("") }
        #expect(throws: YAMLMistake.self) { try RecipeReader.read(bytes: [0xFF, 0xFE], file: "r") }
        let error = #expect(throws: CoordinatorError.self) { try RecipeReader.read(path: "/nowhere/r.yaml") }
        #expect(error?.code == .invalidRecipe)
        #expect(error.map { ExitCode($0) } == .invalidInput)
    }
}
