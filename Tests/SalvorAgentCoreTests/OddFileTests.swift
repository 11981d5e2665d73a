import CLinux
import FoundationEssentials
import Glibc
import SalvorDigest
import SalvorMessages
import SwiftProtobuf
import Synchronization
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

    @Test("A file encrypted for a user, and one that Windows keeps elsewhere, are named and kept; the rest is repaired")
    func unreadable() async throws {
        // IO_REPARSE_TAG_DEDUP, and IO_REPARSE_TAG_WOF of a compact system, whose content lies in a stream.
        let tags: [(name: String, tag: UInt32)] = [("dedup", 0x8000_0013), ("wof", 0x8000_0017)]
        let image = try await NTFSImage(in: scratch)
        let encrypted = "\(Self.folder)/C-00000291-encrypted.sys"
        let inode = Mutex<UInt64>(0)
        try await image.change { editor in
            try Incident.broken(editor)
            try editor.file(encrypted, Incident.content(7), modified: NTFSImage.faultyTime)
            var status = stat()
            try #require(stat("\(editor.root)/\(encrypted)", &status) == 0)
            inode.withLock { $0 = UInt64(status.st_ino) }
            for (name, tag) in tags {
                let path = "\(Self.folder)/C-00000291-\(name).sys"
                try editor.file(path, [], modified: NTFSImage.faultyTime)
                let data =
                    littleEndian(UInt64(tag), 4) + littleEndian(16, 2) + [0, 0] + [UInt8](repeating: 1, count: 16)
                try #require(
                    setxattr("\(editor.root)/\(path)", "system.ntfs_reparse_data", data, data.count, 0) == 0, "\(errno)"
                )
            }
        }
        try image.encrypt(record: Int(inode.withLock { $0 }))
        let agent = try TestAgent(scratch, .ntfs(image))
        let scan = try await agent.scan()
        #expect(scan.outcome.kind == .repairable, "\(scan.outcome.message)")
        let reasons = Dictionary(uniqueKeysWithValues: scan.findings.map { ($0.path.last ?? "", $0) })
        #expect(reasons["C-00000291-encrypted.sys"]?.reason.contains("(EFS)") == true)
        for name in ["encrypted", "dedup", "wof"] {
            let finding = try #require(reasons["C-00000291-\(name).sys"])
            #expect(finding.action == .keep && finding.verdict == .unknown, "\(name): \(finding)")
        }
        let events = try await agent.apply(scan.findings)
        #expect(events.outcome.kind == .repaired, "\(events.outcome.message)")
        #expect(events.deletedPaths.compactMap(\.last) == ["C-00000291-00000000-00000032.sys"])
    }

    @Test("Letters beyond ASCII are one or two as the volume's own table has it, and not as Unicode does")
    func upCase() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.broken(editor)
            // To Unicode both are WINDOWS in upper case; to Windows they are another folder's names.
            try editor.file("W\u{131}ndows/x", [1])
            try editor.file("Window\u{17F}/x", [1])
            try editor.file("\(Self.folder)/ÄRGER.SYS", Incident.content(9), modified: NTFSImage.faultyTime)
        }
        var recipe = Salvor_V1_Recipe.crowdStrike()
        recipe.rules[0].namePattern = "ärger.sys"
        let agent = try TestAgent(scratch, .ntfs(image))
        let usual = try await agent.scan(recipe)
        #expect(usual.outcome.kind == .repairable, "\(usual.outcome.message)")
        #expect(usual.findings.map(\.path.last) == ["ÄRGER.SYS"])
        try image.setUpCase(0xE4, to: 0xE4)
        let other = try await agent.scan(recipe)
        #expect(other.outcome.kind == .nothingToRepair && other.findings.isEmpty, "\(other.outcome.message)")
    }

    @Test("Junctions that lead round in a circle are never entered, however often a recipe's folder has a wildcard")
    func loop() async throws {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.windows(editor)
            try editor.file("Users/anna/x.tmp", [1])
            // As Windows itself makes them: "All Users\Application Data" leads to what it lies in.
            try editor.junction("Users/anna/Users", to: "C:\\Users")
            try editor.junction("Users/anna/anna", to: "C:\\Users\\anna")
            try editor.link("Users/self", to: ".")
        }
        var recipe = Salvor_V1_Recipe.crowdStrike()
        recipe.rules[0].namePattern = "x.tmp"
        recipe.rules[0].judgement = .with { $0.everyFile = true }
        let agent = try TestAgent(scratch, .ntfs(image))
        for (folder, count) in [(["Users", "*"], 1), (["Users", "*", "*"], 0), (["*", "*", "*", "*", "*"], 0)] {
            recipe.rules[0].folder = folder
            let scan = try await agent.scan(recipe)
            #expect(scan.findings.count == count, "\(folder): \(scan.findings)")
            #expect(scan.outcome.kind == (count == 0 ? .nothingToRepair : .repairable))
        }
        recipe.rules[0].folder = ["Users", "anna", "Users", "anna"]
        let named = try await agent.scan(recipe)
        #expect(named.outcome.kind == .failed && named.outcome.message.contains("junction"), "\(named.outcome.message)")
    }
}

extension NTFSImage {
    /// Changes one unit's upper case in $UpCase, whose record is 10.
    fileprivate func setUpCase(_ unit: UInt16, to upper: UInt16) throws {
        let offset = try systemFile(10).offset
        try write(littleEndian(UInt64(upper), 2), at: offset + 2 * Int(unit))
    }

    /// Marks a file as EFS does: in its standard information and at its data. The bytes are not encrypted; nothing reads them.
    fileprivate func encrypt(record index: Int) throws {
        let record = try recordOffset(index)
        let image = try #require(contents(ofFile: path, limit: 1 << 26))
        func number(_ position: Int, _ count: Int) -> Int { Int(littleEndian(image[position..<position + count])) }
        var attribute = record + number(record + 0x14, 2)
        while number(attribute, 4) != 0xFFFF_FFFF {
            switch number(attribute, 4) {
            case 0x10:
                let flags = attribute + number(attribute + 0x14, 2) + 32
                try write([image[flags], image[flags + 1] | 0x40], at: flags)
            case 0x80: try write([image[attribute + 12], image[attribute + 13] | 0x40], at: attribute + 12)
            default: break
            }
            attribute += number(attribute + 4, 4)
        }
    }
}
