import CLinux
import Fixtures
import FoundationEssentials
import GRPCCore
import Glibc
import SalvorDigest
import SalvorMessages
import SwiftProtobuf
import Testing

@testable import SalvorAgentCore

/// Recipes that do more than delete: on real volumes, over the agent's calls.
@Suite(.enabled(if: canMountNTFS, whyNotMountNTFS))
struct ChangeTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// One rule over Windows\System32\drivers, whose files are all faulty.
    private static func recipe(
        _ files: String, _ actions: [Salvor_V1_Verdict: (inout Salvor_V1_VerdictAction) -> Void]
    ) -> Salvor_V1_Recipe {
        .with {
            $0.name = "change"
            $0.version = 1
            $0.rules = [
                .with {
                    $0.id = "driver"
                    $0.folder = ["Windows", "System32", "drivers"]
                    $0.namePattern = files
                    $0.judgement.everyFile = true
                    $0.actions = actions.map { verdict, fill in
                        .with {
                            $0.verdict = verdict
                            fill(&$0)
                        }
                    }
                }
            ]
        }
    }

    private static func writing(_ bytes: [UInt8]) -> (inout Salvor_V1_VerdictAction) -> Void {
        {
            $0.action = .quarantineAndWrite
            $0.content.bytes = Data(bytes)
        }
    }

    private static func restoring(_ path: String) -> (inout Salvor_V1_VerdictAction) -> Void {
        {
            $0.action = .quarantineAndWrite
            $0.content.copyOf.components = Incident.components(path)
        }
    }

    private static let driver = "Windows/System32/drivers/some.sys"
    private static let store = "Windows/System32/DriverStore/some.sys"

    private func windows(_ change: @escaping @Sendable (VolumeEditor) throws -> Void) async throws -> NTFSImage {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.windows(editor)
            try change(editor)
        }
        return image
    }

    private func content(_ path: String, of image: NTFSImage) async throws -> [UInt8]? {
        let mounted = try await scratch.mounter.mount(image.path, .look)
        let bytes = contents(ofFile: "\(mounted.mountPoint)/\(path)", limit: 1 << 24)
        try await mounted.unmount()
        return bytes
    }

    /// Every file's bytes and metadata, by its path.
    private func metadata(_ path: String, of image: NTFSImage) async throws -> FileMetadata {
        let mounted = try await scratch.mounter.mount(image.path, .look)
        let result = try await mounted.files { (tree) throws(AgentError) in
            let names = Incident.components(path).compactMap { FileName($0) }
            return try FileMetadata.all(of: tree.openFile(names), at: path)
        }
        try await mounted.unmount()
        return result
    }

    @Test(arguments: [0, 10, 300_000])
    func `a file is written over in place, shorter or longer, once its copy is safe`(size: Int) async throws {
        let old = [UInt8](repeating: 7, count: 100_000)
        let new = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        let image = try await windows { try $0.file(Self.driver, old) }
        let agent = try TestAgent(scratch, .ntfs(image))
        let recipe = Self.recipe("some.sys", [.faulty: Self.writing(new)])
        let before = try image.digest()
        let scan = try await agent.scan(recipe)
        #expect(scan.outcome.kind == .repairable)
        #expect(scan.outcome.message.contains("1 file is to be written"))
        #expect(scan.findings.map(\.resultBytes) == [UInt64(size)])
        #expect(try image.digest() == before)
        let events = try await agent.apply(scan.findings, recipe)
        #expect(events.outcome.kind == .repaired, "\(events.outcome.message)")
        #expect(events.steps == [.select, .mount, .match, .quarantine, .write, .flush, .verify])
        #expect(events.writtenPaths == [Incident.components(Self.driver)])
        #expect(try await content(Self.driver, of: image) == new)
        let entries = try agent.store.entries(of: "run-1-vm-1")
        #expect(entries.map(\.sha256) == [Data(SHA256.digest(of: old).bytes)])
        #expect(entries.map(\.resultSha256) == [Data(SHA256.digest(of: new).bytes)])
        // A second scan finds nothing left to do.
        let again = try await agent.scan(recipe)
        #expect(again.outcome.kind == .nothingToRepair)
        #expect(again.findings.map(\.verdict) == [.corrected])
    }

    @Test func `a file takes another's content, and what is missing is made, or left where nothing is there to take`()
        async throws
    {
        let good = [UInt8](repeating: 1, count: 5000)
        let image = try await windows { editor in
            try editor.file(Self.driver, [2, 2])
            try editor.file(Self.store, good)
        }
        let agent = try TestAgent(scratch, .ntfs(image))
        let present = Self.recipe("SOME.SYS", [.faulty: Self.restoring(Self.store)])
        let first = try await agent.apply(try await agent.scan(present).findings, present)
        #expect(first.outcome.kind == .repaired, "\(first.outcome.message)")
        #expect(try await content(Self.driver, of: image) == good)

        let missing = Self.recipe(
            "other.sys", [.missing: Self.restoring(Self.store), .faulty: { $0.action = .keep }])
        let scan = try await agent.scan(missing)
        #expect(scan.findings.map(\.verdict) == [.missing])
        let second = try await agent.apply(scan.findings, missing, id: "second")
        #expect(second.outcome.kind == .repaired, "\(second.outcome.message)")
        #expect(try await content("Windows/System32/drivers/other.sys", of: image) == good)
        #expect(try agent.store.entries(of: "second") == [])

        let lost = Self.recipe("some.sys", [.faulty: Self.restoring("Windows/nothing.sys")])
        let refused = try await agent.scan(lost)
        #expect(refused.outcome.kind == .nothingToRepair)
        #expect(refused.findings.map(\.action) == [.keep])
        #expect(refused.findings.first?.reason.contains("there is no file \\Windows\\nothing.sys") == true)
    }

    @Test func `what is only collected is copied from a volume that is never mounted to be written`() async throws {
        let image = try await windows { editor in
            for name in ["a", "b", "c"] { try editor.file("Windows/System32/drivers/\(name).log", Array(name.utf8)) }
        }
        try image.openLog()
        let agent = try TestAgent(scratch, .ntfs(image))
        let recipe = Self.recipe("*.log", [.faulty: { $0.action = .collect }])
        let before = try image.digest()
        let scan = try await agent.scan(recipe)
        #expect(scan.outcome.kind == .collected, "\(scan.outcome.message)")
        let events = try await agent.apply(scan.findings, recipe)
        #expect(events.outcome.kind == .collected && !events.outcome.diskChanged, "\(events.outcome.message)")
        #expect(events.steps == [.select, .mount, .match, .quarantine, .flush, .verify])
        #expect(try agent.store.entries(of: "run-1-vm-1").map(\.path.last) == ["a.log", "b.log", "c.log"])
        #expect(try image.digest() == before)
        #expect(try scratch.mounts() == [])
    }

    @Test func `a file that became something else between scan and apply is left`() async throws {
        typealias Change = @Sendable (VolumeEditor) throws -> Void
        let changes: [(name: String, change: Change)] = [
            (
                "a folder",
                {
                    try $0.remove(Self.driver)
                    try $0.folder(Self.driver)
                }
            ),
            (
                "a link",
                {
                    try $0.remove(Self.driver)
                    try $0.link(Self.driver, to: "../config/SYSTEM")
                }
            ),
            (
                "a junction",
                {
                    try $0.remove(Self.driver)
                    try $0.junction(Self.driver, to: "C:\\Windows")
                }
            ),
            ("another file", { try $0.file(Self.driver, [9, 9, 9]) }),
            ("a name more", { try $0.file("Windows/System32/drivers/SOME.SYS", [1]) }),
        ]
        for (index, change) in changes.enumerated() {
            for action in [Salvor_V1_Action.quarantineAndDelete, .quarantineAndWrite] {
                let image = try await NTFSImage(in: scratch, name: "\(index)-\(action.rawValue).img")
                try await image.change { editor in
                    try Incident.windows(editor)
                    try editor.file(Self.driver, [1, 2, 3])
                }
                let agent = TestAgent(
                    scratch,
                    [try ImageDisks.disk(in: scratch, serial: "copy-1", volumes: [.ntfs(image)])])
                defer { unlink("\(scratch.path)/copy-1.disk") }
                let recipe = Self.recipe(
                    "some.sys",
                    [
                        .faulty: {
                            $0.action = action
                            if action == .quarantineAndWrite { $0.content.bytes = Data([5]) }
                        }
                    ])
                let scan = try await agent.scan(recipe)
                #expect(scan.outcome.kind == .repairable)
                try await image.change(change.change)
                let events = try await agent.apply(scan.findings, recipe, id: "q-\(index)-\(action.rawValue)")
                #expect(
                    events.outcome.kind == .failed || events.outcome.kind == .ambiguous,
                    "\(change.name): \(events.outcome.message)")
                #expect(events.deletedPaths.isEmpty && events.writtenPaths.isEmpty, "\(change.name)")
                #expect(try await content("Windows/System32/config/SYSTEM", of: image) == Array("regf".utf8))
                #expect(try scratch.mounts() == [])
            }
        }
    }

    @Test func `a file with other names is not written over, because it would change under them too`() async throws {
        let image = try await windows { editor in
            try editor.file(Self.driver, [1, 2, 3])
            try editor.folder("Windows/WinSxS")
            try #require(link("\(editor.root)/\(Self.driver)", "\(editor.root)/Windows/WinSxS/some.sys") == 0)
        }
        let agent = try TestAgent(scratch, .ntfs(image))
        let scan = try await agent.scan(Self.recipe("some.sys", [.faulty: Self.writing([9])]))
        #expect(scan.outcome.kind == .nothingToRepair)
        #expect(scan.findings.map(\.action) == [.keep])
        #expect(scan.findings.first?.reason.contains("2 names") == true)
    }

    @Test func `a short name beside a long one is not another name: the file is written over`() async throws {
        let long = "Windows/System32/drivers/a-long-name.sys"
        let image = try await windows { editor in
            try editor.file(long, [1, 2, 3])
            let name = Array("A-LONG~1.SYS".utf8)
            try #require(setxattr("\(editor.root)/\(long)", "system.ntfs_dos_name", name, name.count, 0) == 0)
            var status = stat()
            try #require(stat("\(editor.root)/\(long)", &status) == 0)
            #expect(status.st_nlink == 2, "NTFS counts it")
        }
        let agent = try TestAgent(scratch, .ntfs(image))
        let recipe = Self.recipe("a-long-name.sys", [.faulty: Self.writing([9])])
        let scan = try await agent.scan(recipe)
        #expect(scan.outcome.kind == .repairable, "\(scan.findings)")
        let events = try await agent.apply(scan.findings, recipe)
        #expect(events.outcome.kind == .repaired)
        #expect(try await content(long, of: image) == [9])
    }

    // MARK: Put back

    private static let undo = Salvor_V1_Recipe.with {
        $0.name = "undo"
        $0.version = 1
        $0.putBackFrom = "back"
    }

    /// Brings what an apply took back, as the coordinator does: fetched, then stored under another id.
    private func bringBack(_ id: String, by agent: TestAgent) async throws {
        try await agent.call { client in
            let quarantine = Salvor_V1_Quarantine.Client(wrapping: client)
            let chunks = try await quarantine.fetch(.with { $0.quarantineID = id }) { response in
                var chunks: [Salvor_V1_FetchChunk] = []
                for try await chunk in response.messages { chunks.append(chunk) }
                return chunks
            }
            let answer = try await quarantine.store { writer in
                try await writer.write(.with { $0.quarantineID = "back" })
                for chunk in chunks {
                    try await writer.write(
                        .with {
                            switch chunk.part {
                            case .entry(let entry): $0.entry = entry
                            case .data(let data): $0.data = data
                            case nil: break
                            }
                        })
                }
            }
            #expect(
                Int(answer.files)
                    == chunks.count { $0.part.map { if case .entry = $0 { true } else { false } } == true })
        }
    }

    @Test func `what was deleted and what was written over come back with times, attributes and rights`() async throws {
        let image = try await windows { editor in
            try Incident.broken(editor)
            try editor.file(Self.driver, [1, 2, 3], modified: NTFSImage.faultyTime)
            // Hidden, system, archive.
            try editor.attributes(Self.driver, 0x26)
            try editor.attributes(Incident.faulty, 0x21)
        }
        let agent = try TestAgent(scratch, .ntfs(image))
        var recipe = Self.recipe("some.sys", [.faulty: Self.writing([9])])
        recipe.rules += Salvor_V1_Recipe.crowdStrike().rules
        let paths = [Self.driver, Incident.faulty]
        var before: [FileMetadata] = []
        for path in paths { before.append(try await metadata(path, of: image)) }
        let applied = try await agent.apply(try await agent.scan(recipe).findings, recipe)
        #expect(applied.outcome.kind == .repaired, "\(applied.outcome.message)")
        try await bringBack("run-1-vm-1", by: agent)

        let scan = try await agent.scan(Self.undo)
        #expect(scan.outcome.kind == .repairable, "\(scan.outcome.message)")
        #expect(scan.findings.map(\.verdict) == [.faulty, .missing])
        let events = try await agent.apply(scan.findings, Self.undo, id: "undone")
        #expect(events.outcome.kind == .repaired, "\(events.outcome.message)")
        #expect(events.writtenPaths.count == 2)
        #expect(try await content(Self.driver, of: image) == [1, 2, 3])
        #expect(try await content(Incident.faulty, of: image) == Incident.content(32))
        for (path, old) in zip(paths, before) {
            let new = try await metadata(path, of: image)
            #expect(new.times.created == old.times.created && new.times.modified == old.times.modified, "\(path)")
            #expect(new.attributes == old.attributes, "\(path)")
            #expect(new.securityDescriptor == old.securityDescriptor && !old.securityDescriptor.isEmpty, "\(path)")
        }
        let again = try await agent.scan(Self.undo)
        #expect(again.outcome.kind == .nothingToRepair)
    }

    @Test func `what has changed since the repair is left, and what is there already too`() async throws {
        let image = try await windows(Incident.broken)
        let agent = try TestAgent(scratch, .ntfs(image))
        _ = try await agent.apply(try await agent.scan().findings)
        try await bringBack("run-1-vm-1", by: agent)
        try await image.change { try $0.file(Incident.faulty, [1, 2, 3]) }
        let scan = try await agent.scan(Self.undo)
        #expect(scan.outcome.kind == .nothingToRepair)
        #expect(scan.findings.map(\.action) == [.keep])
        #expect(scan.findings.first?.reason.contains("changed since the repair") == true)
    }

    @Test func `a quarantine that does not come whole is not kept`() async throws {
        let image = try await windows { _ in }
        let agent = try TestAgent(scratch, .ntfs(image))
        let entry = Salvor_V1_QuarantineEntry.with {
            $0.path = ["a"]
            $0.sizeBytes = 3
            $0.sha256 = Data(SHA256.digest(of: [1, 2, 3]).bytes)
        }
        func chunks(_ fill: ((inout Salvor_V1_StoreChunk) -> Void)...) -> [Salvor_V1_StoreChunk] {
            fill.map { Salvor_V1_StoreChunk.with($0) }
        }
        let wrong = [
            chunks({ $0.entry = entry }),
            chunks({ $0.quarantineID = "x" }, { $0.data = Data([1]) }),
            chunks({ $0.quarantineID = "x" }, { $0.quarantineID = "y" }),
            chunks({ $0.quarantineID = "x" }, { $0.entry = entry }, { $0.data = Data([1, 2]) }),
            chunks({ $0.quarantineID = "x" }, { $0.entry = entry }, { $0.data = Data([1, 2, 3, 4]) }),
            chunks({ $0.quarantineID = "x" }, { $0.entry = entry }, { $0.data = Data([3, 2, 1]) }),
            chunks({ $0.quarantineID = "../x" }),
            chunks(
                { $0.quarantineID = "x" },
                {
                    $0.entry = entry
                    $0.entry.sizeBytes = 1 << 40
                }),
        ]
        for list in wrong {
            await #expect(throws: (any Error).self) {
                try await agent.call { client in
                    _ = try await Salvor_V1_Quarantine.Client(wrapping: client).store { writer in
                        for chunk in list { try await writer.write(chunk) }
                    }
                }
            }
            #expect(throws: AgentError(.noSuchQuarantine, "", next: "")) { try agent.store.entries(of: "x") }
        }
    }
}
