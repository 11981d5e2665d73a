import CLinux
import FoundationEssentials
import Glibc
import SalvorDigest
import SalvorMessages
import SwiftProtobuf
import Testing

@testable import SalvorAgentCore

/// Channel files that NTFS keeps in another way than as plain bytes under a plain name.
@Suite(.enabled(if: canMountNTFS, whyNotMountNTFS))
struct OddFileTests {
    private static let folder = Incident.folder
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Scans and repairs a volume; what was deleted, and what ntfs-3g shows afterwards of a path.
    private func repaired(
        _ image: NTFSImage, deleting names: [String], recipe: Salvor_V1_Recipe = .crowdStrike()
    ) async throws {
        let agent = try TestAgent(scratch, .ntfs(image))
        let scan = try await agent.scan(recipe)
        #expect(scan.outcome.kind == .repairable, "\(scan.outcome.message)")
        let events = try await agent.apply(scan.findings, recipe)
        #expect(events.outcome.kind == .repaired, "\(events.outcome.message)")
        #expect(events.deletedPaths.compactMap(\.last).sorted() == names.sorted())
    }

    @Test("A compressed, a sparse and a fragmented channel file are read, judged and removed like any other")
    func storage() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.windows(editor)
            try editor.folder(Self.folder)
            // What is made in a folder with this attribute is compressed.
            let compressed: [UInt8] = [0x10, 0x08, 0, 0]
            try #require(
                setxattr("\(editor.root)/\(Self.folder)", "system.ntfs_attrib", compressed, 4, 0) == 0, "\(errno)")
            let text = Salvor_V1_Recipe.channelHeader + [UInt8](repeating: 0x41, count: 100_000)
            try editor.file("\(Self.folder)/C-00000291-compressed.sys", text, modified: NTFSImage.faultyTime)
            var attributes = [UInt8](repeating: 0, count: 4)
            try #require(
                getxattr(
                    "\(editor.root)/\(Self.folder)/C-00000291-compressed.sys", "system.ntfs_attrib", &attributes, 4)
                    == 4)
            #expect(attributes[1] & 0x08 != 0, "ntfs-3g did not compress it")
            let plain: [UInt8] = [0x10, 0, 0, 0]
            try #require(setxattr("\(editor.root)/\(Self.folder)", "system.ntfs_attrib", plain, 4, 0) == 0)
            let sparse = "\(Self.folder)/C-00000291-sparse.sys"
            try editor.file(sparse, Salvor_V1_Recipe.channelHeader)
            try #require(truncate("\(editor.root)/\(sparse)", 5 << 20) == 0)
            try editor.file("\(sparse).tail", [1])
            let times = [NTFSImage.faultyTime, NTFSImage.faultyTime, NTFSImage.faultyTime].flatMap { time in
                (0..<8).map { UInt8(truncatingIfNeeded: time >> (8 * UInt64($0))) }
            }
            try #require(setxattr("\(editor.root)/\(sparse)", "system.ntfs_times", times, times.count, 0) == 0)
        }
        try await repaired(image, deleting: ["C-00000291-compressed.sys", "C-00000291-sparse.sys"])
    }

    @Test("Of a file with several names the one that the recipe means goes, and its content stays under the others")
    func hardLinks() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.broken(editor)
            try editor.folder("Windows/WinSxS")
            try #require(link("\(editor.root)/\(Incident.faulty)", "\(editor.root)/Windows/WinSxS/other.sys") == 0)
        }
        try await repaired(image, deleting: ["C-00000291-00000000-00000032.sys"])
        try await image.change { editor in
            #expect(!editor.exists(Incident.faulty))
            let kept = contents(ofFile: "\(editor.root)/Windows/WinSxS/other.sys")
            #expect(kept == Incident.content(32))
        }
    }

    @Test("A name of 255 characters is a name; one with a dot or a blank at its end, or a stream, is not the recipe's")
    func names() async throws {
        let long = "C-00000291" + String(repeating: "ä", count: 241) + ".sys"
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.windows(editor)
            for name in [long, "C-00000291.sys.", "C-00000291.sys ", "C-00000291.sys\u{202E}", "c-00000291.SYS"] {
                try editor.file("\(Self.folder)/\(name)", Incident.content(1), modified: NTFSImage.faultyTime)
            }
        }
        #expect(long.utf16.count == 255)
        try await repaired(image, deleting: [long, "c-00000291.SYS"])
    }

    @Test("A short name beside the long one is no second file")
    func shortName() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.broken(editor)
            let name = Array("C-0000~1.SYS".utf8)
            try #require(
                setxattr("\(editor.root)/\(Incident.faulty)", "system.ntfs_dos_name", name, name.count, 0) == 0,
                "\(errno)")
        }
        try await repaired(image, deleting: ["C-00000291-00000000-00000032.sys"])
    }

    @Test("Case is ignored beyond ASCII as Windows ignores it: unit by unit, and ß has no upper case")
    func caseBeyondASCII() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.windows(editor)
            try editor.file("ärger/ЖУК.x", [1])
            try editor.file("ärger/straße.x", [1])
            try editor.file("ärger/strasse.x", [1])
        }
        var recipe = Salvor_V1_Recipe.crowdStrike()
        recipe.rules[0].folder = ["ÄRGER"]
        recipe.rules[0].judgement = .with { $0.everyFile = true }
        recipe.rules[0].namePattern = "жук.X"
        var other = recipe.rules[0]
        other.id = "other"
        other.namePattern = "STRAßE.x"
        recipe.rules.append(other)
        try await repaired(image, deleting: ["ЖУК.x", "straße.x"], recipe: recipe)
    }
}
