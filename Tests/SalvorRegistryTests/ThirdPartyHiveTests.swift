import FoundationEssentials
import SalvorDigest
import Subprocess
import SystemPackage
import Testing

@testable import SalvorRegistry

/// Hives that Windows made. Not part of this repository: without them these tests say that they skip.
@Suite(
    .enabled(if: ThirdPartyHive.areThere, "../shared/third-party/registry is not there: real hives are not read"))
struct ThirdPartyHiveTests {
    @Test("A hive that was not closed is whole with its logs, and says what Windows would have read")
    func recovered() async throws {
        let hive = try await ThirdPartyHive.unpack("SYSTEM_B.xz")
        let logs = [
            try await ThirdPartyHive.unpack("SYSTEM_B.LOG1.xz"), try await ThirdPartyHive.unpack("SYSTEM_B.LOG2.xz"),
        ]
        let alone = try HiveFile(hive, logs: [])
        #expect(alone.health == .unrecovered)
        #expect(alone.primarySequence == 1622 && alone.secondarySequence == 1621)
        let whole = try HiveFile(hive, logs: logs)
        guard case .recovered(let entries) = whole.health else {
            Issue.record("not recovered: \(whole.health)")
            return
        }
        #expect(entries > 0)
        // A second pass finds nothing to do, in either order of the logs.
        #expect(try HiveFile(whole.bytes, logs: logs).health == .clean)
        #expect(try HiveFile(hive, logs: logs.reversed()).bytes == whole.bytes)
        #expect(whole.bytes != hive)
        var facts = WindowsFacts()
        facts.readSystem(try Hive(whole.bytes))
        #expect(facts.computerName == "DESKTOP-PM6C56D")
        #expect(facts.controlSet == 1)
    }

    @Test("The smallest hive has a root and nothing in it")
    func minimal() async throws {
        let bytes = try await ThirdPartyHive.read("minimal-hive")
        let hive = try Hive(try HiveFile(bytes, logs: []).bytes)
        let root = hive.key([])
        let count = root.map { hive.children(of: $0).count }
        #expect(count == 0)
    }
}

enum ThirdPartyHive {
    private static var folder: FilePath {
        // Tests/SalvorRegistryTests/ThirdPartyHiveTests.swift
        var root = FilePath(#filePath)
        for _ in 0..<4 { root.removeLastComponent() }
        return root.appending("shared/third-party/registry")
    }

    static var areThere: Bool { FileManager.default.fileExists(atPath: folder.string) }

    static func read(_ name: String) async throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: folder.appending(name).string)))
    }

    static func unpack(_ name: String) async throws -> [UInt8] {
        let result = try await Subprocess.run(
            .name("xz"), arguments: ["-dc", folder.appending(name).string], output: .bytes(limit: 256 << 20))
        try #require(result.terminationStatus.isSuccess)
        return result.standardOutput
    }
}
