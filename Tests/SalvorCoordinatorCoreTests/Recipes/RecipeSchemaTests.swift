import FoundationEssentials
import SalvorCoordinatorCore
import SalvorMessages
import Subprocess
import SystemPackage
import Testing

/// The reader, and the JSON Schema that editors use, by a validator that is none of ours.
@Suite struct RecipeSchemaTests {
    private static let folder: FilePath = {
        // Tests/SalvorCoordinatorCoreTests/Recipes/RecipeSchemaTests.swift
        var root = FilePath(#filePath)
        for _ in 0..<4 { root.removeLastComponent() }
        return root.appending("Coordinator/recipes")
    }()

    private static let whole = """
        schema: 1
        name: some-recipe
        version: 2
        description: What it does.
        requires:
          build: {from: 14393, before: 30000}
          falcon: true
        consent:
          - {name: lose-it, loss: what the file held is lost}
        rules:
          - id: channel
            folder: Windows\\System32\\drivers\\Crowd*
            files: C-*.sys
            judge:
              header: AA 01
              size: {at_least: 100, at_most: 100000}
              last_write:
                faulty_from: 2024-07-19T04:09:00Z
                faulty_before: 2024-07-19T05:27:00Z
              sha256:
                corrected: ["0000000000000000000000000000000000000000000000000000000000000291"]
            actions: {faulty: quarantine-and-delete, zeroed: keep, corrected: keep, unknown: keep}
          - id: everything
            folder: Windows\\System32\\config\\TxR
            files: "*.blf"
            judge: {every_file: true}
            actions: {faulty: quarantine-and-delete, zeroed: keep, corrected: keep, unknown: keep}
          - id: hive
            folder: Windows\\System32\\config
            files: SYSTEM
            judge: {every_file: true, size: {at_least: 4096}}
            actions:
              faulty:
                registry:
                  - {key: CurrentControlSet\\Services\\CSAgent, value: Start, dword: 4}
                  - {key: Setup, value: CmdLine, delete: true}
                  - {key: A\\B, texts: [x, y]}
                  - {key: A\\B, value: q, qword: 5000000000}
                  - {key: A\\B, value: h, hex: 01 FF}
              zeroed: repair-hive
              corrected: collect
              unknown: keep
          - id: driver
            folder: Windows\\System32\\drivers
            files: some.sys
            judge: {every_file: true}
            actions:
              faulty: {write: {text: "hello"}}
              zeroed: {restore: 'Windows\\System32\\DriverStore\\some.sys'}
              missing: {write: {hex: 4D 5A}}
              corrected: keep
              unknown: keep
          - id: boot
            volumes: boot
            folder: EFI\\Microsoft\\Boot
            files: BCD
            judge: {every_file: true}
            actions: {faulty: {safe_boot: network}, zeroed: keep, corrected: keep, unknown: keep}
        volume: {reset_log: true, repair_dirty: true, discard_hibernation: false}

        """

    /// What the schema says: nothing for a recipe that fits.
    private static func complaints(_ texts: [String]) async throws -> [String] {
        let script = """
            import json, sys, yaml, jsonschema
            class Loader(yaml.SafeLoader): pass
            # YAML 1.2 and editors have no times.
            Loader.yaml_implicit_resolvers = {
                key: [(tag, pattern) for tag, pattern in value if not tag.endswith(':timestamp')]
                for key, value in yaml.SafeLoader.yaml_implicit_resolvers.items()}
            schema = json.load(open(sys.argv[1]))
            jsonschema.Draft202012Validator.check_schema(schema)
            checker = jsonschema.Draft202012Validator(schema)
            for text in json.load(sys.stdin):
                errors = list(checker.iter_errors(yaml.load(text, Loader)))
                print(errors[0].message.replace('\\n', ' ')[:200] if errors else '')
            """
        let result = try await Subprocess.run(
            .name("python3"), arguments: ["-c", script, folder.appending("recipe.schema.json").string],
            input: .array(Array(try JSONEncoder().encode(texts))), output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20))
        try #require(result.terminationStatus.isSuccess, "\(result.standardError)")
        return result.standardOutput.split(separator: "\n", omittingEmptySubsequences: false).prefix(
            texts.count
        )
        .map(String.init)
    }

    private static func reads(_ text: String) -> Bool {
        (try? RecipeReader.read(bytes: Array(text.utf8), file: "r.yaml")) != nil
    }

    @Test func `every recipe that comes with salvor is sound to the reader and to the schema`() async throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.string).filter {
            $0.hasSuffix(".yaml")
        }
        #expect(names.count >= 3)
        let texts = try names.map { name in
            String(decoding: try Data(contentsOf: URL(filePath: Self.folder.appending(name).string)), as: UTF8.self)
        }
        for (name, text) in zip(names, texts) {
            let recipe = try RecipeReader.read(bytes: Array(text.utf8), file: name)
            #expect("\(recipe.name).yaml" == name)
            #expect(!recipe.description.isEmpty)
            #expect(recipe.explanation.count > 5)
        }
        #expect(try await Self.complaints(texts) == names.map { _ in "" })
    }

    @Test func `reader and schema agree on what is a recipe`() async throws {
        let changes: [(from: String, to: String)] = [
            ("schema: 1", "schema: 2"), ("name: some-recipe", "name: Some"), ("version: 2", "version: 0"),
            ("falcon: true", "falcon: maybe"), ("falcon: true", "vendor: true"), ("from: 14393", "from: -1"),
            ("folder: Windows\\System32\\drivers", "folder: \\Windows"), ("files: C-*.sys", "files: \"*\""),
            ("files: C-*.sys", "files: a\\b"), ("header: AA 01", "header: AA 1"), ("at_least: 100,", "at_least: 0,"),
            ("faulty_from: 2024-07-19T04:09:00Z", "faulty_from: yesterday"),
            ("corrected: [\"00", "corrected: [\"zz"), ("{every_file: true}", "{every_file: true, header: AA}"),
            ("{every_file: true}", "{header: AA}"), ("zeroed: keep", "zeroed: delete"), ("zeroed: keep, ", ""),
            ("corrected: keep", "corrected: quarantine-and-delete"), ("reset_log: true", "reset_log: 7"),
            ("  - id: channel\n", "  - id: channel\n    extra: 1\n"),
            ("dword: 4", "dword: -1"), ("dword: 4", "dword: 4, text: x"), ("value: Start, dword: 4", "value: Start"),
            ("delete: true", "delete: false"), ("hex: 01 FF", "hex: 01 F"), ("key: Setup, ", ""),
            ("corrected: collect", "corrected: repair-hive"), ("text: \"hello\"", "text: \"hello\", hex: 00"),
            ("missing: {write: {hex: 4D 5A}}", "missing: collect"), ("volumes: boot", "volumes: all"),
            ("safe_boot: network", "safe_boot: maximal"), ("{restore: 'Windows", "{restore: '\\Windows"),
            ("loss: what the file held is lost", "why: x"), ("zeroed: repair-hive", "zeroed: {repair: hive}"),
        ]
        let texts = changes.map { Self.whole.replacing($0.from, with: $0.to) }
        let complaints = try await Self.complaints([Self.whole] + texts)
        #expect(complaints.first == "")
        #expect(Self.reads(Self.whole))
        for (index, change) in changes.enumerated() {
            #expect(texts[index] != Self.whole, "\(change)")
            #expect(!Self.reads(texts[index]), "the reader takes \(change)")
            #expect(complaints[index + 1] != "", "the schema takes \(change)")
        }
    }

    @Test func `all that a recipe says reaches the agent`() throws {
        let recipe = try RecipeReader.read(bytes: Array(Self.whole.utf8), file: "r.yaml")
        let message = recipe.message
        #expect(message.requires.buildFrom == 14393 && message.requires.buildBefore == 30000)
        #expect(message.requires.falcon)
        #expect(message.rules[0].folder.last == "Crowd*")
        #expect(message.rules[0].judgement.minBytes == 100 && message.rules[0].judgement.maxBytes == 100_000)
        #expect(!message.rules[0].judgement.everyFile && message.rules[1].judgement.everyFile)
        #expect(recipe.ownConsents == ["lose-it": "what the file held is lost"])
        let hive = message.rules[2].actions
        let changes = try #require(hive.first { $0.verdict == .faulty }).content.editedHive.changes
        #expect(changes.map(\.name) == ["Start", "CmdLine", "", "q", "h"])
        #expect(changes[0].number == 4 && changes[1].delete && changes[2].texts.texts == ["x", "y"])
        #expect(changes[3].longNumber == 5_000_000_000 && changes[4].binary == Data([1, 255]))
        #expect(hive.map(\.action) == [.quarantineAndWrite, .collect, .quarantineAndWrite, .keep])
        let driver = message.rules[3].actions.map(\.content)
        #expect(driver[0].bytes == Data("hello".utf8) && driver[2].copyOf.components.last == "some.sys")
        #expect(driver[4].bytes == Data([0x4D, 0x5A]) && message.rules[3].actions[4].verdict == .missing)
        #expect(message.rules[4].volumes == .boot && message.rules[4].actions[0].content.safeBoot == .network)
        var agreed = recipe
        agreed.granted = [.olderRegistry]
        #expect(!hive[2].content.repairedHive.fromBackup)
        #expect(agreed.message.rules[2].actions[2].content.repairedHive.fromBackup)
        #expect(message.volumePolicy.repairDirty && !message.volumePolicy.discardHibernation)
    }

    @Test(arguments: [
        ("before: 30000", "before: 14393", "a build after 14393"), ("at_most: 100000", "at_most: 99", "at least 100"),
        ("{every_file: true}", "{every_file: true, header: AA}", "one or the other"),
        ("files: some.sys", "files: '*.sys'", "for one name alone"),
        ("dword: 4", "dword: 4294967296", "0 to 4294967295"),
    ])
    func `what only makes sense together is checked together`(from: String, to: String, says: String) throws {
        let error = #expect(throws: YAMLMistake.self) {
            try RecipeReader.read(bytes: Array(Self.whole.replacing(from, with: to).utf8), file: "r.yaml")
        }
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }
}
