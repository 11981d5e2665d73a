import CLinux
import Fixtures
import FoundationEssentials
import Glibc
import SalvorMessages
import SalvorRegistry
import SwiftProtobuf
import Testing

@testable import SalvorAgentCore

/// What becomes of hives, made of real ones in a folder: no mount is needed.
struct HiveWorkTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func make(
        of name: String = "SYSTEM", _ files: [String: [UInt8]], _ content: (inout Salvor_V1_NewContent) -> Void
    ) throws -> HiveWork.Answer? {
        let editor = VolumeEditor(root: scratch.path)
        for (name, bytes) in files { try editor.file(name, bytes) }
        let path = try #require(FileName(name))
        let root = try Descriptor.open(scratch.path, salvor_path_only | O_DIRECTORY)
        let hive = HiveOnDisk(tree: VolumeTree(root: root.number), path: [path])
        return try HiveWork(hive: hive).make(.with(content))
    }

    private static func change(
        _ key: String, _ name: String, _ set: (inout Salvor_V1_ValueChange) -> Void
    ) -> Salvor_V1_ValueChange {
        .with {
            $0.key = key.split(separator: "\\").map(String.init)
            $0.name = name
            set(&$0)
        }
    }

    private static func value(_ name: String, _ path: [String], _ hive: borrowing Hive) -> RegistryValue? {
        hive.key(path).flatMap { hive.data(name, of: $0) }
    }

    // MARK: Edit

    @Test func `values of every type are set, made and removed, and the rest of the hive stays`() throws {
        let system = try HiveMaker.make(WindowsRegistry().system)
        let answer = try make(files(system)) {
            $0.editedHive.changes = [
                Self.change("CurrentControlSet\\Services\\CSAgent", "Start") { $0.number = 4 },
                Self.change("ControlSet001\\Services\\CSAgent", "ImagePath") { $0.delete = true },
                Self.change("New\\Key", "") { $0.text = "wörter" },
                Self.change("New\\Key", "expand") { $0.expandableText = "%x%" },
                Self.change("New\\Key", "many") { $0.texts.texts = ["a", "b"] },
                Self.change("New\\Key", "long") { $0.longNumber = 1 << 40 },
                Self.change("New\\Key", "raw") { $0.binary = .init([1, 2, 3]) },
                Self.change("Not\\There", "x") { $0.delete = true },
            ]
        }
        let made = try #require(answer)
        #expect(made.changes.count == 7)
        #expect(made.changes[0] == "ControlSet001\\Services\\CSAgent\\Start: 1 becomes 4.")
        let hive = try Hive(made.bytes)
        let agent = ["ControlSet001", "Services", "CSAgent"]
        #expect(Self.value("Start", agent, hive) == .number(4))
        #expect(Self.value("ImagePath", agent, hive) == nil)
        let new = ["New", "Key"]
        #expect(Self.value("", new, hive) == .text("wörter"))
        #expect(Self.value("expand", new, hive) == .expandableText("%x%"))
        #expect(Self.value("many", new, hive) == .texts(["a", "b"]))
        #expect(Self.value("long", new, hive) == .longNumber(1 << 40))
        #expect(Self.value("raw", new, hive) == .binary([1, 2, 3]))
        let not = hive.key(["Not"])
        #expect(not == nil)
        var facts = WindowsFacts()
        facts.readSystem(hive)
        #expect(facts.computerName == "WEB-01")
        #expect(HiveBaseBlock(made.bytes)?.isDirty == false)
    }

    @Test func `the same edit makes the same bytes, and one that changes nothing makes none`() throws {
        let system = try HiveMaker.make(WindowsRegistry().system)
        let set = { (content: inout Salvor_V1_NewContent) in
            content.editedHive.changes = [Self.change("A\\B", "x") { $0.text = "y" }]
        }
        let first = try #require(try make(files(system), set))
        let second = try #require(try make(files(system), set))
        #expect(first.bytes == second.bytes)
        #expect(try make(files(first.bytes), set) == nil)
    }

    @Test func `a hive that was not closed is edited with what its log holds`() throws {
        let files = try WindowsRegistry { $0.isInterrupted = true }.files()
        let answer = try #require(
            try make(files) {
                $0.editedHive.changes = [
                    Self.change("CurrentControlSet\\Services\\CSAgent", "Start") { $0.number = 4 }
                ]
            })
        #expect(answer.changes.first?.contains("1 entries of its logs are applied") == true)
        let file = try HiveFile(answer.bytes, logs: [])
        #expect(file.health == .clean)
        var facts = WindowsFacts()
        facts.readSystem(try Hive(answer.bytes))
        #expect(facts.computerName == "WEB-01" && facts.falconServices.first?.start == 4)
    }

    // MARK: Repair

    private func repair(
        _ files: [String: [UInt8]], fromBackup: Bool = false
    ) throws -> HiveWork.Answer? {
        try make(files) { $0.repairedHive.fromBackup = fromBackup }
    }

    private func files(_ system: [UInt8]) -> [String: [UInt8]] { ["SYSTEM": system] }

    @Test func `a sound hive is left`() throws {
        #expect(try repair(files(HiveMaker.make(WindowsRegistry().system))) == nil)
    }

    @Test func `a hive is made whole from its log, even where its first bytes are gone`() throws {
        var files = try WindowsRegistry { $0.isInterrupted = true }.files()
        for destroyed in [0, 512] {
            files["SYSTEM"]?.replaceSubrange(..<destroyed, with: [UInt8](repeating: 0, count: destroyed))
            let answer = try #require(try repair(files))
            #expect(try HiveFile(answer.bytes, logs: []).health == .clean)
            var facts = WindowsFacts()
            facts.readSystem(try Hive(answer.bytes))
            #expect(facts.computerName == "WEB-01", "\(destroyed)")
        }
    }

    @Test func `a backup takes the place of what no log mends, with consent alone`() throws {
        let sound = try HiveMaker.make(WindowsRegistry().system)
        var broken = sound
        broken.replaceSubrange(4096..<4100, with: [1, 2, 3, 4])
        var files = ["SYSTEM": broken, "RegBack/SYSTEM": sound]
        let refused = #expect(throws: HiveError.self) { try repair(files) }
        #expect(refused?.description.contains("--consent older-registry") == true)
        let answer = try #require(try repair(files, fromBackup: true))
        #expect(answer.bytes == sound)
        #expect(answer.changes.first?.contains("is lost") == true)

        files["RegBack/SYSTEM"] = []
        let empty = #expect(throws: HiveError.self) { try repair(files, fromBackup: true) }
        #expect(empty?.description.contains("version 1803") == true)
        files["RegBack/SYSTEM"] = broken
        let both = #expect(throws: HiveError.self) { try repair(files, fromBackup: true) }
        #expect(both?.description.contains("damaged, too") == true)
        try VolumeEditor(root: scratch.path).remove("RegBack/SYSTEM")
        files["RegBack/SYSTEM"] = nil
        let none = #expect(throws: HiveError.self) { try repair(files, fromBackup: true) }
        #expect(none?.description.contains("no backup") == true)
    }

    // MARK: Safe boot

    @Test(arguments: [Salvor_V1_SafeBoot.off, .minimal, .network])
    func `safe boot is set and cleared in the default entry`(wanted: Salvor_V1_SafeBoot) throws {
        for (before, state) in [(nil, Salvor_V1_SafeBoot.off), (0, .minimal), (1, .network)] as [(UInt64?, _)] {
            let store = try BootStore { $0.safeBoot = before }.bytes()
            let answer = try make(of: "BCD", ["BCD": store]) { $0.safeBoot = wanted }
            guard state != wanted else {
                #expect(answer == nil)
                continue
            }
            let hive = try Hive(try #require(answer).bytes)
            let found = try BootConfiguration.safeBoot(hive)
            #expect(found == (wanted == .off ? .off : wanted == .minimal ? .minimal : .network))
            let loader = hive.key(["Objects", BootStore.windows, "Elements", "12000002"])
            #expect(loader != nil)
        }
    }

    @Test func `without a default the one entry that starts Windows is meant; of two none is`() throws {
        let one = try BootStore { $0.namesDefault = false }.bytes()
        #expect(try make(of: "BCD", ["BCD": one]) { $0.safeBoot = .minimal } != nil)
        let two = try BootStore {
            $0.namesDefault = false
            $0.hasSecondEntry = true
        }.bytes()
        let error = #expect(throws: HiveError.self) { try make(of: "BCD", ["BCD": two]) { $0.safeBoot = .minimal } }
        #expect(error?.description.contains("2 of its entries") == true)
    }
}
