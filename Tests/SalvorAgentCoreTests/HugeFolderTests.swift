import FoundationEssentials
import Glibc
import SalvorMessages
import Testing

@testable import SalvorAgentCore

/// Folders with more names than are kept in memory.
@Suite(.serialized, .enabled(if: canMountNTFS, whyNotMountNTFS))
struct HugeFolderTests {
    /// `make fuzz-disks` takes a million, which ntfs-3g needs minutes to make.
    static let count = ProcessInfo.processInfo.environment["SALVOR_HUGE_FOLDER"].flatMap { Int($0) } ?? 25_000

    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test(
        "The one file of a huge folder is found and removed, two spellings are told, and too many matches are an error")
    func huge() async throws {
        let image = try await NTFSImage(in: scratch, megabytes: 64 + Self.count / 350)
        try await image.change { editor in
            try Incident.broken(editor)
            for number in 0..<Self.count {
                let path = "\(editor.root)/\(Incident.folder)/C-00000290-\(number).sys"
                let file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
                try #require(file >= 0, "\(errno)")
                close(file)
            }
        }
        let agent = try TestAgent(scratch, .ntfs(image))
        var all = Salvor_V1_Recipe.crowdStrike()
        all.rules[0].namePattern = "C-00000290*"
        let tooMany = try await agent.scan(all)
        #expect(
            tooMany.outcome.kind == .failed && tooMany.outcome.message.contains("10000"), "\(tooMany.outcome.message)")

        let began = ContinuousClock.now
        let scan = try await agent.scan()
        #expect(scan.outcome.kind == .repairable && scan.findings.count == 2, "\(scan.outcome.message)")
        let events = try await agent.apply(scan.findings)
        #expect(events.outcome.kind == .repaired, "\(events.outcome.message)")
        #expect(events.deletedPaths.count == 1)
        print(
            "\(Self.count) names: scan and apply in \(began.duration(to: .now)), at most \(peakResidentKibibytes() ?? 0) KiB"
        )

        // Another spelling of a folder on the way, in a folder that is huge.
        var inside = Salvor_V1_Recipe.crowdStrike()
        inside.rules[0].folder += ["Inner"]
        try await image.change { editor in
            try editor.folder("\(Incident.folder)/inner")
            try editor.folder("\(Incident.folder)/INNER")
        }
        let twins = try await agent.scan(inside)
        #expect(twins.outcome.kind == .ambiguous, "\(twins.outcome.message)")
        #expect(try scratch.mounts() == [])
    }
}
