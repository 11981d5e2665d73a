import Fixtures
import Testing

@testable import SalvorRegistry

struct HiveTests {
    @Test("What a machine's hives say of it is read")
    func facts() throws {
        let registry = WindowsRegistry {
            $0.hasPendingRenames = true
            $0.schedulesCheck = true
        }
        let files = try registry.files()
        var facts = WindowsFacts()
        facts.readSoftware(try Self.hive(files, "SOFTWARE"))
        facts.readSystem(try Self.hive(files, "SYSTEM"))
        #expect(facts.productName == "Windows Server 2019 Datacenter")
        #expect(facts.editionID == "ServerDatacenter")
        #expect(facts.installationType == "Server")
        #expect(facts.displayVersion == "1809")
        #expect(facts.build == 17763 && facts.revision == 6054)
        #expect(facts.falconVersion == "7.16.18605.0")
        #expect(facts.computerName == "WEB-01")
        #expect(facts.controlSet == 1)
        #expect(facts.falconServices.map(\.name) == ["CSAgent", "CSFalconService"])
        #expect(facts.falconServices.map(\.start) == [1, 2])
        #expect(facts.falconServices.first?.imagePath.hasSuffix("csagent.sys") == true)
        #expect(facts.pendingReboot == ["Session Manager\\PendingFileRenameOperations"])
        #expect(facts.scheduledChecks == ["autocheck autochk /f \\??\\C:"])
    }

    @Test("A hive that was not closed is read with what its log holds; without the log it says so")
    func interrupted() throws {
        let files = try WindowsRegistry { $0.isInterrupted = true }.files()
        let hive = try #require(files["SYSTEM"])
        let log = try #require(files["SYSTEM.LOG1"])
        let whole = try HiveFile(hive, logs: [log, []])
        #expect(whole.health == .recovered(entries: 1))
        #expect(Self.computerName(whole) == "WEB-01")
        let half = try HiveFile(hive, logs: [])
        #expect(half.health == .unrecovered)
        #expect(Self.computerName(half) == "MINWINPC")
        // A log that was cut or changed is none.
        for bytes in [Array(log.dropLast(512)), Self.flipped(log, at: 600), Self.flipped(log, at: 100)] {
            #expect(try HiveFile(hive, logs: [bytes]).health == .unrecovered)
        }
    }

    @Test("A base block with a wrong checksum is a hive that was not closed")
    func checksum() throws {
        let bytes = try HiveMaker.make(WindowsRegistry().system)
        #expect(try HiveFile(bytes, logs: []).health == .clean)
        #expect(try HiveFile(Self.flipped(bytes, at: 20), logs: []).health == .unrecovered)
    }

    @Test("What is no hive, and a hive whose structure is damaged, are errors that say so")
    func damaged() throws {
        #expect(throws: HiveError.self) { try HiveFile([], logs: []) }
        #expect(throws: HiveError.self) { try HiveFile([UInt8](repeating: 7, count: 9000), logs: []) }
        var bytes = try HiveMaker.make(WindowsRegistry().system)
        bytes[4096] = 0
        #expect(throws: HiveError.self) { _ = try Hive(bytes).key([]) }
    }

    @Test("The same keys make the same bytes")
    func deterministic() throws {
        #expect(try WindowsRegistry().files() == WindowsRegistry().files())
    }

    private static func hive(_ files: [String: [UInt8]], _ name: String) throws -> Hive {
        try Hive(try HiveFile(try #require(files[name]), logs: []).bytes)
    }

    private static func computerName(_ file: HiveFile) -> String? {
        var facts = WindowsFacts()
        guard let hive = try? Hive(file.bytes) else { return nil }
        facts.readSystem(hive)
        return facts.computerName
    }

    private static func flipped(_ bytes: [UInt8], at offset: Int) -> [UInt8] {
        var bytes = bytes
        bytes[offset] ^= 0x40
        return bytes
    }
}
