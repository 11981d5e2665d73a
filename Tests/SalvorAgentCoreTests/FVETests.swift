import Fixtures
import FoundationEssentials
import SalvorMessages
import SalvorSystem
import SwiftProtobuf
import SystemPackage
import Testing

@testable import SalvorAgentCore

/// BitLocker's metadata, and the way from a key to the volume's key; no device mapper is needed for either.
struct FVETests {
    static let everyCipher = BitLockerSpec.Cipher.allCases

    @Test("A volume says how it is encrypted and by which protectors, in every cipher", arguments: everyCipher)
    func metadata(_ cipher: BitLockerSpec.Cipher) throws {
        let spec = BitLockerSpec {
            $0.cipher = cipher
            $0.protectors = [.tpm, .startupKey]
        }
        let volume = try SealedVolume(spec)
        let metadata = try #require(try FVEMetadata.read(volume.path))
        #expect(metadata.state == .encrypted)
        #expect(metadata.cipher?.rawValue == cipher.rawValue)
        #expect(metadata.protectors.map(\.kind) == [.tpm, .startupKey])
        #expect(metadata.protectors.map(\.guid) == spec.protectors.map { spec.guid(of: $0) })
        let key = try volume.key(metadata, [.with { $0.startupKey = Data(spec.startupKeyFile) }])
        #expect(key?.cipher.rawValue == cipher.rawValue)
        #expect(key?.bytes.count == key?.cipher.keyBytes)
    }

    @Test("Each kind of key opens the protector of its kind, and a wrong one none")
    func keys() throws {
        let spec = BitLockerSpec { $0.protectors = [.tpm, .password("Straße 7"), .recoveryPassword, .startupKey] }
        let other = BitLockerSpec(seed: 7) { $0.protectors = spec.protectors }
        let volume = try SealedVolume(spec)
        let metadata = try #require(try FVEMetadata.read(volume.path))
        let right: [Salvor_V1_VolumeKey] = [
            .with { $0.recoveryPassword = Data(spec.recoveryPassword.utf8) },
            .with { $0.password = Data("Straße 7".utf8) },
            .with { $0.startupKey = Data(spec.startupKeyFile) },
        ]
        for key in right { #expect(try volume.key(metadata, [key]) != nil) }
        let wrong: [Salvor_V1_VolumeKey] = [
            .with { $0.recoveryPassword = Data(other.recoveryPassword.utf8) },
            .with { $0.startupKey = Data(other.startupKeyFile) },
        ]
        for key in wrong {
            guard case .wrongKey(let tried) = try metadata.unlock([try GivenKey(key)], stop: StopSignal()) else {
                Issue.record("a wrong key was not refused as one")
                continue
            }
            #expect(tried.count == 1)
        }
        let elsewhere = Salvor_V1_VolumeKey.with {
            $0.protectorGuid = "00000000-0000-4000-8000-000000000000"
            $0.recoveryPassword = Data(spec.recoveryPassword.utf8)
        }
        guard case .noKey = try metadata.unlock([try GivenKey(elsewhere)], stop: StopSignal()) else {
            Issue.record("a key for another protector was tried")
            return
        }
    }

    @Test("A suspended volume needs no key, and one in conversion takes none")
    func states() throws {
        let suspended = try SealedVolume(BitLockerSpec { $0.protectors = [.tpm, .clearKey] })
        let metadata = try #require(try FVEMetadata.read(suspended.path))
        #expect(metadata.state == .suspended)
        #expect(try suspended.key(metadata, []) != nil)
        for (state, seen) in [
            (BitLockerSpec.State.converting, Salvor_V1_EncryptionState.converting), (.encryptOnWrite, .encryptOnWrite),
        ] {
            let spec = BitLockerSpec {
                $0.state = state; $0.protectors = [.tpm, .startupKey]
            }
            let volume = try SealedVolume(spec)
            let metadata = try #require(try FVEMetadata.read(volume.path))
            #expect(metadata.state == seen)
            let key = try GivenKey(.with { $0.startupKey = Data(spec.startupKeyFile) })
            guard case .notPossible = try metadata.unlock([key], stop: StopSignal()) else {
                Issue.record("a volume in the state \(seen) was unlocked")
                continue
            }
        }
    }

    @Test("BitLocker To Go and sectors of 4 KiB are read like the others")
    func variants() throws {
        for (toGo, sector) in [(true, 512), (false, 4096)] {
            let spec = BitLockerSpec {
                $0.isToGo = toGo; $0.sectorBytes = sector; $0.protectors = [.clearKey]
            }
            let volume = try SealedVolume(spec)
            let metadata = try #require(try FVEMetadata.read(volume.path))
            #expect(metadata.state == .suspended)
            #expect(metadata.sectorBytes == sector)
        }
    }

    @Test("The table covers the volume once, without a gap, and shows none of BitLocker's own regions")
    func table() throws {
        let volume = try SealedVolume(BitLockerSpec { $0.protectors = [.clearKey] })
        let metadata = try #require(try FVEMetadata.read(volume.path))
        let pieces = CryptTable(metadata).pieces
        #expect(pieces.first?.range.lowerBound == 0)
        #expect(pieces.last?.range.upperBound == UInt64(SealedVolume.bytes))
        for (one, next) in zip(pieces, pieces.dropFirst()) { #expect(one.range.upperBound == next.range.lowerBound) }
        #expect(pieces.first?.source == metadata.header.lowerBound)
        #expect(
            pieces.filter { $0.source == nil }.map(\.range)
                == metadata.regionsWithoutData.sorted { $0.lowerBound < $1.lowerBound })
    }

    @Test("A damaged copy of the metadata is passed over; with none whole, the volume is damaged and nothing crashes")
    func damage() throws {
        let volume = try SealedVolume(BitLockerSpec { $0.protectors = [.clearKey, .startupKey] })
        let copies = try #require(try FVEMetadata.read(volume.path)).copies.map { Int($0) }
        for copy in copies.dropLast() {
            try volume.put([0xFF], at: copy + 120)
            #expect(try FVEMetadata.read(volume.path)?.state == .suspended)
        }
        try volume.put([0xFF], at: copies[2] + 120)
        #expect(try FVEMetadata.read(volume.path)?.state == .damaged)
    }

    @Test("Two thousand mutations with a right checksum are read or refused, and never laid out beyond the volume")
    func mutations() throws {
        let volume = try SealedVolume(BitLockerSpec { $0.protectors = [.clearKey, .startupKey] })
        let sector = try volume.bytes(at: 0, count: 512)
        let header = try #require(FVEMetadata.Header(sector))
        let copy = try volume.bytes(at: Int(header.copies[0]), count: 65_536)
        var noise = Noise(seed: 2024)
        var refused = 0
        for _ in 0..<2000 {
            var bytes = copy
            for _ in 0...(noise.next() % 3) {
                bytes[Int(noise.next() % 700)] = UInt8(truncatingIfNeeded: noise.next())
            }
            BitLockerVolume.correctChecksum(&bytes)
            guard
                let metadata = FVEMetadata(header, copy: bytes, deviceBytes: UInt64(SealedVolume.bytes))
            else {
                refused += 1
                continue
            }
            guard [.encrypted, .suspended].contains(metadata.state) else { continue }
            let pieces = CryptTable(metadata).pieces
            #expect(pieces.allSatisfy { $0.range.upperBound <= UInt64(SealedVolume.bytes) })
            _ = try? metadata.unlock([], stop: StopSignal())
        }
        #expect(refused > 100)
    }

    @Test("What is no key of its kind is refused without a word of it")
    func malformed() throws {
        let groups = BitLockerSpec().recoveryPassword
        let bad = [String(groups.dropLast()), groups + "-000000", "000001" + groups.dropFirst(6), "abc", ""]
        for text in bad {
            let error = #expect(throws: AgentError.self) {
                try GivenKey(.with { $0.recoveryPassword = Data(text.utf8) })
            }
            #expect(error?.code == .invalidRequest)
            if text.count > 3 { #expect(error.map { !"\($0)".contains(text.prefix(6)) } == true) }
        }
        #expect(throws: AgentError.self) { try GivenKey(.with { $0.startupKey = Data(count: 200) }) }
        #expect(throws: AgentError.self) { try GivenKey(.with { $0.password = Data([0xC3]) }) }
        #expect(throws: AgentError.self) { try GivenKey(Salvor_V1_VolumeKey()) }
    }
}

/// An encrypted volume in a file of its own.
final class SealedVolume {
    static let bytes = 8 << 20
    let path: String

    init(_ spec: BitLockerSpec) throws {
        path = "/tmp/salvor-fve-\(UInt64.random(in: 0 ... .max))"
        let file = try FileDescriptor.open(
            FilePath(path), .readWrite, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
        defer { try? file.close() }
        try file.resize(to: Int64(Self.bytes), retryOnInterrupt: true)
        try BitLockerVolume.seal(FilePath(path), spec)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func key(_ metadata: FVEMetadata, _ keys: [Salvor_V1_VolumeKey]) throws -> VolumeKey? {
        let found = try metadata.unlock(try keys.map { try GivenKey($0) }, stop: StopSignal())
        guard case .unlocked(let key, _) = found else { return nil }
        return key
    }

    func bytes(at offset: Int, count: Int) throws -> [UInt8] {
        let file = try FileDescriptor.open(FilePath(path), .readOnly)
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try bytes.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: Int64(offset), into: $0) }
        try #require(got == count)
        return bytes
    }

    func put(_ bytes: [UInt8], at offset: Int) throws {
        let file = try FileDescriptor.open(FilePath(path), .writeOnly)
        defer { try? file.close() }
        try file.writeAll(toAbsoluteOffset: Int64(offset), bytes)
    }
}
