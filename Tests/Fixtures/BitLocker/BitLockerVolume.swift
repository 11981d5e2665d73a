import COpenSSL
import SalvorDigest
package import SystemPackage

/// Makes a BitLocker volume of an NTFS volume in a file, and the other way round. No Linux tool does it; the format is that
/// of the libbde project's specification, and what is made here opens with cryptsetup.
package enum BitLockerVolume {
    private static let copyBytes = 65_536
    static let headerBytes = 8192

    /// Encrypts the volume in place. Its last two mebibytes must be free but for the last sector.
    package static func seal(_ image: FilePath, _ spec: BitLockerSpec) throws {
        let file = try FileDescriptor.open(image, .readWrite)
        defer { try? file.close() }
        let size = Int(try file.seek(offset: 0, from: .end))
        let layout = Layout(size)
        let free = try read(file, at: layout.copies[0], count: layout.end - layout.copies[0])
        guard free.allSatisfy({ $0 == 0 }) else { throw FixtureError("there is no room for BitLocker's metadata") }
        let cipher = VolumeCipher(kind: spec.cipher, key: spec.volumeKey, sectorBytes: spec.sectorBytes)

        let front = try read(file, at: 0, count: headerBytes)
        // The backup of the boot sector lies behind the last cluster.
        let wanted = spec.encryptsUsedSpaceOnly ? try RawNTFS(image).usedRanges() + [(size - 512)..<size] : [0..<size]
        for payload in [headerBytes..<layout.copies[0], layout.end..<size] {
            for range in wanted.map({ $0.clamped(to: payload) }) where !range.isEmpty {
                try pass(over: range, file, cipher, encrypt: true)
            }
        }
        try file.writeAll(
            toAbsoluteOffset: Int64(layout.header), cipher.crypt(front, at: layout.header, encrypt: true))
        let metadata = try metadata(spec, layout)
        for copy in layout.copies { try file.writeAll(toAbsoluteOffset: Int64(copy), metadata) }
        try file.writeAll(toAbsoluteOffset: 0, boot(spec, layout) + [UInt8](repeating: 0, count: headerBytes - 512))
    }

    /// Decrypts a volume in place, which lies at `start` of a disk.
    package static func unseal(_ disk: FilePath, _ spec: BitLockerSpec, at start: Int, count: Int) throws {
        let file = try FileDescriptor.open(disk, .readWrite)
        defer { try? file.close() }
        let layout = Layout(count)
        let cipher = VolumeCipher(kind: spec.cipher, key: spec.volumeKey, sectorBytes: spec.sectorBytes)
        let front = try read(file, at: start + layout.header, count: headerBytes)
        try pass(over: headerBytes..<layout.copies[0], file, cipher, encrypt: false, from: start)
        try pass(over: layout.end..<count, file, cipher, encrypt: false, from: start)
        try file.writeAll(
            toAbsoluteOffset: Int64(start + layout.copies[0]),
            [UInt8](repeating: 0, count: layout.end - layout.copies[0]))
        try file.writeAll(
            toAbsoluteOffset: Int64(start), cipher.crypt(front, at: layout.header, encrypt: false))
    }

    /// Where a volume's own header and the copies of its metadata lie.
    package static func metadataRanges(volumeBytes: Int) -> [Range<Int>] {
        [0..<headerBytes] + Layout(volumeBytes).copies.map { $0..<($0 + copyBytes) }
    }

    private struct Layout {
        let size: Int
        let copies: [Int]
        let header: Int
        let end: Int

        init(_ size: Int) {
            self.size = size
            let start = size - (2 << 20)
            copies = (0..<3).map { start + $0 * copyBytes }
            header = start + 3 * copyBytes
            end = header + headerBytes
        }
    }

    static func read(_ file: FileDescriptor, at offset: Int, count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try bytes.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: Int64(offset), into: $0) }
        guard got == count else { throw FixtureError("a volume ends too early") }
        return bytes
    }

    static func pass(
        over range: Range<Int>, _ file: FileDescriptor, _ cipher: VolumeCipher, encrypt: Bool, from origin: Int = 0
    ) throws {
        for start in stride(from: range.lowerBound, to: range.upperBound, by: 1 << 20) {
            let plain = try read(file, at: origin + start, count: min(1 << 20, range.upperBound - start))
            try file.writeAll(
                toAbsoluteOffset: Int64(origin + start), cipher.crypt(plain, at: start, encrypt: encrypt))
        }
    }

    // MARK: Metadata

    static func entry(type: UInt16, value: UInt16, _ data: [UInt8]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 8)
        bytes.put(UInt16(8 + data.count), at: 0)
        bytes.put(type, at: 2)
        bytes.put(value, at: 4)
        bytes.put(UInt16(1), at: 6)
        return bytes + data
    }

    private static func boot(_ spec: BitLockerSpec, _ layout: Layout) -> [UInt8] {
        var boot = [UInt8](repeating: 0, count: 512)
        let place = spec.isToGo ? 424 : 160
        boot.put([0xEB, 0x58, 0x90], at: 0)
        boot.put((spec.isToGo ? "MSWIN4.1" : "-FVE-FS-").utf8, at: 3)
        boot.put(UInt16(spec.sectorBytes), at: 11)
        boot.put(UInt8(8), at: 13)
        let guid =
            spec.state == .encryptOnWrite
            ? "92a84d3b-dd80-4d0e-9e4e-b1e3284eaed8" : "4967d63b-2e29-4ad8-8399-f6a339e3d001"
        boot.put(GUID(guid).bytes, at: place)
        for (index, copy) in layout.copies.enumerated() { boot.put(UInt64(copy), at: place + 16 + 8 * index) }
        boot.put([0x55, 0xAA], at: 510)
        return boot
    }

    private static func metadata(_ spec: BitLockerSpec, _ layout: Layout) throws -> [UInt8] {
        var entries = entry(type: 7, value: 2, Array("SALVOR".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }))
        for (index, protector) in spec.protectors.enumerated() {
            entries += try masterKey(protector, number: index, spec)
        }
        entries += try entry(
            type: 3, value: 5,
            wrap(spec.volumeKey, by: spec.masterKey, nonce: Noise.bytes(seed: spec.seed &+ 90, count: 12)))
        var moved = [UInt8](repeating: 0, count: 92)
        moved.put(UInt64(layout.header), at: 0)
        moved.put(UInt64(headerBytes), at: 8)
        entries += entry(type: 15, value: 15, moved)

        var bytes = [UInt8](repeating: 0, count: copyBytes)
        let checked = (112 + entries.count + 15) / 16 * 16
        bytes.put("-FVE-FS-".utf8, at: 0)
        bytes.put(UInt16(checked / 16), at: 8)
        bytes.put(UInt16(2), at: 10)
        bytes.put(UInt16(spec.state == .converting ? 2 : 4), at: 12)
        bytes.put(UInt16(4), at: 14)
        bytes.put(UInt64(layout.size), at: 16)
        bytes.put(UInt32(16), at: 28)
        for (index, copy) in layout.copies.enumerated() { bytes.put(UInt64(copy), at: 32 + 8 * index) }
        bytes.put(UInt64(layout.header), at: 56)
        bytes.put(UInt32(48 + entries.count), at: 64)
        bytes.put(UInt32(1), at: 68)
        bytes.put(UInt32(48), at: 72)
        bytes.put(UInt32(48 + entries.count), at: 76)
        bytes.put(GUID("5a1f0291-b17c-4000-8000-000000000001").bytes, at: 80)
        bytes.put(UInt32(spec.cipher.rawValue), at: 100)
        bytes.put(NTFSTime.utc(2023, 11, 5), at: 104)
        bytes.put(entries, at: 112)
        bytes.put(UInt16(copyBytes - checked), at: checked)
        bytes.put(UInt16(2), at: checked + 2)
        correctChecksum(&bytes)
        return bytes
    }

    /// Gives a copy of the metadata the checksum that it must have, wherever its size says that it is.
    package static func correctChecksum(_ copy: inout [UInt8]) {
        let checked = 16 * Int(copy.get(8, as: UInt16.self))
        guard checked + 8 <= copy.count else { return }
        copy.put(crc32(copy[..<checked]), at: checked + 4)
    }

    private static func masterKey(_ protector: BitLockerSpec.Protector, number: Int, _ spec: BitLockerSpec) throws
        -> [UInt8]
    {
        let salt = Noise.bytes(seed: spec.seed &+ 10 &+ UInt64(number), count: 16)
        let stretch = entry(type: 0, value: 3, [0, 0x10, 0, 0] + salt)
        let (kind, parts, key): (UInt16, [UInt8], [UInt8]?) =
            switch protector {
            case .clearKey: (0, entry(type: 0, value: 1, [0, 0x20, 0, 0] + spec.clearKey), spec.clearKey)
            case .tpm: (0x0100, entry(type: 0, value: 6, salt), nil)
            case .startupKey: (0x0200, entry(type: 0, value: 4, [2, 0x20, 0, 0]), spec.startupKey)
            case .recoveryPassword:
                (0x0800, stretch, try stretched(SHA256.digest(of: spec.recoveryKey).bytes, salt))
            case .password(let text):
                (
                    0x2000, stretch,
                    try stretched(
                        SHA256.digest(
                            of: SHA256.digest(of: text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }).bytes
                        ).bytes, salt)
                )
            }
        var data = [UInt8](repeating: 0, count: 28)
        data.put(GUID(spec.guid(of: protector)).bytes, at: 0)
        data.put(kind, at: 26)
        data += parts
        if let key {
            data += try entry(type: 0, value: 5, wrap(spec.masterKey, by: key, nonce: Array(salt.prefix(12))))
        }
        return entry(type: 2, value: 8, data)
    }

    private static func stretched(_ initial: some Collection<UInt8>, _ salt: [UInt8]) throws -> [UInt8] {
        var state = [UInt8](repeating: 0, count: 88)
        state.put(Array(initial), at: 32)
        state.put(salt, at: 64)
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            throw FixtureError("no SHA-256")
        }
        defer { EVP_MD_CTX_free(context) }
        state.withUnsafeMutableBytes { bytes in
            for round in 0..<UInt64(1 << 20) {
                bytes.storeBytes(of: round.littleEndian, toByteOffset: 80, as: UInt64.self)
                EVP_DigestInit_ex(context, nil, nil)
                EVP_DigestUpdate(context, bytes.baseAddress, 88)
                EVP_DigestFinal_ex(context, bytes.bindMemory(to: UInt8.self).baseAddress, nil)
            }
        }
        return Array(state.prefix(32))
    }

    /// Nonce, tag and ciphertext of a key, by AES-CCM.
    private static func wrap(_ key: [UInt8], by outer: [UInt8], nonce: [UInt8]) throws -> [UInt8] {
        var plain = [UInt8](repeating: 0, count: 12)
        plain.put(UInt16(12 + key.count), at: 0)
        plain.put(UInt16(1), at: 4)
        plain += key
        guard let context = EVP_CIPHER_CTX_new() else { throw FixtureError("no memory for a cipher") }
        defer { EVP_CIPHER_CTX_free(context) }
        var output = [UInt8](repeating: 0, count: plain.count)
        var tag = [UInt8](repeating: 0, count: 16)
        var length: Int32 = 0
        guard EVP_EncryptInit_ex(context, EVP_aes_256_ccm(), nil, nil, nil) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, 12, nil) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, nil) == 1,
            EVP_EncryptInit_ex(context, nil, nil, outer, nonce) == 1,
            EVP_EncryptUpdate(context, &output, &length, plain, Int32(plain.count)) == 1,
            EVP_EncryptFinal_ex(context, nil, &length) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, &tag) == 1
        else { throw FixtureError("OpenSSL could not wrap a key") }
        return nonce + tag + output
    }
}
