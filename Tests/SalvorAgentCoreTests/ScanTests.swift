import FoundationEssentials
import GRPCCore
import SalvorDigest
import SalvorMessages
import SwiftProtobuf
import Testing

@testable import SalvorAgentCore

@Suite(.enabled(if: canMountNTFS, whyNotMountNTFS))
struct ScanTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test("A scan finds the faulty and the corrected file, judges each, and changes no byte of the disk")
    func findsAndLeaves() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change(Incident.broken)
        let before = try image.digest()
        let agent = try TestAgent(scratch, .other("vfat"), .ntfs(image))
        let response = try await agent.scan()
        #expect(try image.digest() == before)
        #expect(try scratch.mounts() == [])
        #expect(response.outcome.kind == .repairable, "\(response.outcome.message)")
        #expect(!response.outcome.diskChanged)
        #expect(response.installations.map(\.systemRoot) == [["Windows"]])
        #expect(response.installations.map(\.volumeNumber) == [2])
        #expect(response.installations.map(\.volumeState) == [.clean])
        #expect(response.findings.map(\.verdict) == [.faulty, .corrected])
        #expect(response.findings.map(\.action) == [.quarantineAndDelete, .keep])
        #expect(response.findings.map(\.path) == [Incident.faulty, Incident.corrected].map(Incident.components))
        let faulty = try #require(response.findings.first)
        #expect(Array(faulty.sha256) == SHA256.digest(of: Incident.content(32)).bytes)
        #expect(faulty.sizeBytes == 40_000)
        #expect(Array(faulty.header) == Array(Incident.content(32).prefix(16)))
    }

    @Test("NTFS times come in full, to 100 ns")
    func exactTimes() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change(Incident.broken)
        let times = try #require(try await TestAgent(scratch, .ntfs(image)).scan().findings.first?.times)
        #expect(times.created == NTFSImage.faultyTime - 3)
        #expect(times.modified == NTFSImage.faultyTime)
        #expect(times.accessed == NTFSImage.faultyTime + 5)
        #expect(times.mftChanged > NTFSImage.correctedTime, "set by ntfs-3g itself, when the test wrote the times")
    }

    @Test("Names are found whatever their case, and reported as the disk spells them")
    func caseInsensitive() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try editor.file("WINDOWS/system32/Config/system", [1])
            try editor.file(
                "WINDOWS/system32/DRIVERS/crowdstrike/c-00000291-Ä.SYS", Incident.content(1),
                modified: NTFSImage.faultyTime)
        }
        let response = try await TestAgent(scratch, .ntfs(image)).scan()
        #expect(response.installations.first?.systemRoot == ["WINDOWS"])
        #expect(
            response.findings.map(\.path) == [["WINDOWS", "system32", "DRIVERS", "crowdstrike", "c-00000291-Ä.SYS"]])
        #expect(response.outcome.kind == .repairable)
    }

    @Test("A name with a line end in it is reported whole")
    func oddName() async throws {
        let image = try await NTFSImage(in: scratch)
        let name = "C-00000291\n\u{1B}[2J\".sys"
        try await image.change { editor in
            try Incident.windows(editor)
            try editor.file("\(Incident.folder)/\(name)", Incident.content(1), modified: NTFSImage.faultyTime)
        }
        #expect(try await TestAgent(scratch, .ntfs(image)).scan().findings.map(\.path.last) == [name])
    }

    @Test("Only corrected files: nothing to repair, and the outcome says why")
    func onlyCorrected() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.windows(editor)
            try editor.file(Incident.corrected, Incident.content(33), modified: NTFSImage.correctedTime)
        }
        let response = try await TestAgent(scratch, .ntfs(image)).scan()
        #expect(response.outcome.kind == .nothingToRepair)
        #expect(response.outcome.message.contains("Only corrected files"))
        #expect(response.findings.map(\.verdict) == [.corrected])
    }

    @Test("No matching file: nothing to repair, and the outcome says why")
    func nothingMatches() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change(Incident.windows)
        let response = try await TestAgent(scratch, .ntfs(image)).scan()
        #expect(response.outcome.kind == .nothingToRepair)
        #expect(response.outcome.message.contains("No file matches"))
        #expect(response.findings.isEmpty)
    }

    @Test("A file of zeroes is zeroed, whatever its time; an empty one is unknown and kept")
    func zeroes() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.windows(editor)
            try editor.file(
                "\(Incident.folder)/C-00000291-1.sys", [UInt8](repeating: 0, count: 600_000),
                modified: NTFSImage.correctedTime)
            try editor.file("\(Incident.folder)/C-00000291-2.sys", [], modified: NTFSImage.faultyTime)
        }
        let response = try await TestAgent(scratch, .ntfs(image)).scan()
        #expect(response.findings.map(\.verdict) == [.zeroed, .unknown])
        #expect(response.findings.map(\.action) == [.quarantineAndDelete, .keep])
        #expect(response.outcome.kind == .repairable)
    }

    @Test("NTFS without Windows, and no NTFS at all, are not Windows")
    func notWindows() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { try $0.file("Users/readme.txt", [1]) }
        let without = try await TestAgent(scratch, .ntfs(image)).scan()
        #expect(without.outcome.kind == .notWindows)
        #expect(without.outcome.message.contains("SYSTEM"))
        let none = try await TestAgent(try Scratch(), .other("vfat"), .other("")).scan()
        #expect(none.outcome.kind == .notWindows)
        #expect(none.outcome.message.contains("no NTFS volume"))
    }

    @Test("A BitLocker volume is locked, and stays so beside an NTFS volume without Windows")
    func bitLocker() async throws {
        let image = try await NTFSImage(in: scratch)
        let response = try await TestAgent(scratch, .other("BitLocker"), .ntfs(image)).scan()
        #expect(response.outcome.kind == .locked)
        #expect(response.outcome.message.contains("Volume 1"))
        #expect(response.installations.map(\.volumeState) == [.locked])
    }

    @Test("Two folders that differ only in case are ambiguous")
    func ambiguousFolders() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.broken(editor)
            try editor.folder("Windows/System32/DRIVERS/CrowdStrike")
        }
        let response = try await TestAgent(scratch, .ntfs(image)).scan()
        #expect(response.outcome.kind == .ambiguous)
        #expect(response.outcome.message.contains("DRIVERS, drivers"))
        #expect(response.findings.isEmpty)
    }

    @Test("A symbolic link in the path is refused, wherever it leads", arguments: ["/etc", "../drivers", "."])
    func symlink(target: String) async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.windows(editor)
            try editor.link(Incident.folder, to: target)
        }
        let response = try await TestAgent(scratch, .ntfs(image)).scan()
        #expect(response.outcome.kind == .failed)
        #expect(response.outcome.failedStep == "match")
        #expect(response.outcome.message.contains("CrowdStrike is, or leads through, a symbolic link"))
    }

    @Test("A junction in the path is refused")
    func junction() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.windows(editor)
            try editor.folder("Other")
            try editor.folder("Windows/System32/drivers")
            try editor.junction(Incident.folder, to: "C:\\Other")
        }
        let response = try await TestAgent(scratch, .ntfs(image)).scan()
        #expect(response.outcome.kind == .failed)
        #expect(response.outcome.message.contains("junction"))
    }

    @Test("A matching name that is a link is unknown and kept; a folder of that name is no file")
    func matchingLink() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.windows(editor)
            try editor.link("\(Incident.folder)/C-00000291-link.sys", to: "/etc/passwd")
            try editor.folder("\(Incident.folder)/C-00000291-folder.sys")
        }
        let response = try await TestAgent(scratch, .ntfs(image)).scan()
        #expect(response.findings.map(\.path.last) == ["C-00000291-link.sys"])
        #expect(response.findings.map(\.verdict) == [.unknown])
        #expect(response.findings.map(\.action) == [.keep])
        #expect(response.findings.first?.sha256.isEmpty == true)
    }

    @Test("A volume that was cut short fails, and is not taken for one with an open log")
    func truncated() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change(Incident.broken)
        try image.truncate(toMegabytes: 8)
        let response = try await TestAgent(scratch, .ntfs(image)).scan(.crowdStrike(resetLog: true))
        #expect(response.outcome.kind == .failed)
        #expect(response.outcome.failedStep == "mount")
        #expect(response.outcome.message.contains("only 8388608 are there"))
        #expect(try scratch.mounts() == [])
    }

    @Test("A scan that is given up ends as such, with nothing mounted")
    func givenUp() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change(Incident.broken)
        let disk = try ImageDisks.disk(in: scratch, volumes: [.ntfs(image)])
        let stop = StopSignal()
        let scan = DiskScan(
            mounter: scratch.mounter, access: VolumeAccess(tools: AgentTools()),
            store: QuarantineStore(directory: "\(scratch.path)/quarantine", budgetBytes: 1 << 20),
            recipe: .crowdStrike(),
            stop: stop)
        stop.raise()
        await #expect(throws: AgentError(.cancelled, "", next: "")) { _ = try await scan.run(on: disk) }
        #expect(try scratch.mounts() == [])
    }

    @Test("Two Windows volumes are both looked at")
    func twoVolumes() async throws {
        let first = try await NTFSImage(in: scratch, name: "first.img")
        let second = try await NTFSImage(in: scratch, name: "second.img")
        try await first.change(Incident.windows)
        try await second.change(Incident.broken)
        let response = try await TestAgent(scratch, .ntfs(first), .ntfs(second)).scan()
        #expect(response.installations.map(\.volumeNumber) == [1, 2])
        #expect(response.findings.map(\.volumeNumber) == [2, 2])
        #expect(response.outcome.kind == .repairable)
    }

    @Test("A recipe that cannot mean one thing is refused before any disk is looked at")
    func badRecipe() async throws {
        let agent = TestAgent(scratch, [])
        let faults: [(inout Salvor_V1_Recipe) -> Void] = [
            { $0.rules = [] }, { $0.rules += $0.rules }, { $0.rules[0].folder = [] }, { $0.rules[0].folder = [".."] },
            { $0.rules[0].folder = ["Windows/System32"] }, { $0.rules[0].namePattern = "a/b" },
            { $0.rules[0].judgement.correctedFrom = 1 }, { $0.rules[0].judgement.faultySha256 = [.init([1])] },
            { $0.rules[0].actions += $0.rules[0].actions }, { $0.rules[0].actions[0].action = .UNRECOGNIZED(9) },
        ]
        for fault in faults {
            var recipe = Salvor_V1_Recipe.crowdStrike()
            fault(&recipe)
            let error = await #expect(throws: RPCError.self) { try await agent.scan(recipe) }
            #expect(error?.code == .invalidArgument, "\(String(describing: error))")
        }
    }
}
