import FoundationEssentials
import SalvorDigest
import SalvorMessages
import SwiftProtobuf
import SystemPackage
import Testing

@testable import SalvorAgentCore

/// Volumes that Windows made. Not part of this repository: without them these tests say that they skip.
@Suite(
    .serialized,
    .enabled(if: ThirdPartyVolume.areThere, "../shared/third-party/bitlocker is not there: real volumes are not read"))
struct FVEThirdPartyTests {
    @Test("Volumes that Windows encrypted open by each of their keys", arguments: ThirdPartyVolume.known)
    func open(_ known: ThirdPartyVolume) async throws {
        let volume = try await known.unpack()
        defer { try? FileManager.default.removeItem(atPath: volume) }
        let metadata = try #require(try FVEMetadata.read(volume))
        #expect(metadata.state == (known.keys.isEmpty ? .suspended : .encrypted))
        #expect(metadata.cipher?.name == known.cipher)
        for key in known.keys.isEmpty ? [[]] : known.keys.map({ [$0] }) {
            let found = try metadata.unlock(try key.map { try GivenKey($0) }, stop: StopSignal())
            guard case .unlocked = found else {
                Issue.record("\(known.file) was not unlocked")
                continue
            }
        }
    }
}

struct ThirdPartyVolume: Sendable, CustomTestStringConvertible {
    var file: String
    var cipher: String
    var keys: [Salvor_V1_VolumeKey]

    var testDescription: String { file }

    private static var folder: FilePath {
        // Tests/SalvorAgentCoreTests/FVEThirdPartyTests.swift
        var root = FilePath(#filePath)
        for _ in 0..<4 { root.removeLastComponent() }
        return root.appending("shared/third-party/bitlocker")
    }

    static var areThere: Bool { FileManager.default.fileExists(atPath: folder.string) }

    static let known: [ThirdPartyVolume] = [
        ThirdPartyVolume(
            file: "bitlk-aes-xts-128.img.xz", cipher: "aes-xts-128",
            keys: [recovery("235818-357951-253979-013365-241120-245575-342914-591910"), password("anaconda")]),
        ThirdPartyVolume(
            file: "bitlk-aes-cbc-128.img.xz", cipher: "aes-cbc-128",
            keys: [recovery("042647-302313-590458-071500-554323-116567-412181-516978"), password("anaconda")]),
        ThirdPartyVolume(
            file: "bitlk-aes-xts-128-startup-key.img.xz", cipher: "aes-xts-128",
            keys: [recovery("363770-230505-096371-652674-567006-579150-291038-408111")] + startupKeys),
        ThirdPartyVolume(file: "bitlk-aes-xts-128-clearkey-only.img.xz", cipher: "aes-xts-128", keys: []),
    ].filter { FileManager.default.fileExists(atPath: folder.appending($0.file).string) }

    private static func recovery(_ digits: String) -> Salvor_V1_VolumeKey {
        .with { $0.recoveryPassword = Data(digits.utf8) }
    }

    private static func password(_ text: String) -> Salvor_V1_VolumeKey { .with { $0.password = Data(text.utf8) } }

    private static var startupKeys: [Salvor_V1_VolumeKey] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []
        return names.filter { $0.hasSuffix(".BEK") }.compactMap { name in
            let bytes = contents(ofFile: folder.appending(name).string)
            return bytes.map { bytes in .with { $0.startupKey = Data(bytes) } }
        }
    }

    /// - Returns: the path of the volume, unpacked.
    func unpack() async throws -> String {
        let packed = Self.folder.appending(file).string
        let result = try await runTool("xz", ["-dc", packed], timeout: .seconds(120), outputLimit: 256 << 20)
        try #require(result.exitCode == 0)
        let path = "/tmp/salvor-third-party-\(UInt64.random(in: 0 ... .max))"
        let target = try FileDescriptor.open(
            FilePath(path), .writeOnly, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
        defer { try? target.close() }
        try target.writeAll(result.output)
        return path
    }
}
