import COpenSSL
package import SystemPackage

/// A volume that Windows encrypted, whose payload is replaced: its metadata, protectors and keys stay Windows' own, and
/// another NTFS volume takes the place of the one that was in it.
package struct WindowsBitLocker: BitLockerEncryption {
    private static let copyBytes = 65_536

    private let template: FilePath
    /// Where the metadata lies, three times.
    private let copies: [Range<Int>]
    /// Where the volume's first 8 KiB were moved.
    private let header: Range<Int>
    private let cipher: VolumeCipher
    package let volumeBytes: Int

    /// - Parameters:
    ///   - template: the volume as Windows left it.
    ///   - volumeKey: its key, from another reader; nil for a volume whose clear key lies on it.
    package init(_ template: FilePath, volumeKey: [UInt8]?) throws {
        self.template = template
        let file = try FileDescriptor.open(template, .readOnly)
        defer { try? file.close() }
        volumeBytes = Int(try file.seek(offset: 0, from: .end))
        let boot = try BitLockerVolume.read(file, at: 0, count: 512)
        copies = (0..<3).map { index in
            let start = Int(boot.get(176 + 8 * index, as: UInt64.self))
            return start..<(start + Self.copyBytes)
        }
        let metadata = Metadata(try BitLockerVolume.read(file, at: copies[0].lowerBound, count: Self.copyBytes))
        guard metadata.bytes.starts(with: "-FVE-FS-".utf8) else {
            throw FixtureError("\(template) is no BitLocker volume")
        }
        header = metadata.header..<(metadata.header + BitLockerVolume.headerBytes)
        guard let kind = VolumeCipher.Kind(rawValue: metadata.bytes.get(100, as: UInt16.self)) else {
            throw FixtureError("\(template) has a cipher that is not known here")
        }
        let sector = Int(boot.get(11, as: UInt16.self))
        cipher = VolumeCipher(kind: kind, key: try volumeKey ?? metadata.keyByClearKey(), sectorBytes: sector)
    }

    /// What is encrypted where it lies.
    private var payload: [Range<Int>] {
        var ranges: [Range<Int>] = []
        var next = BitLockerVolume.headerBytes
        for hole in (copies + [header]).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if next < hole.lowerBound { ranges.append(next..<hole.lowerBound) }
            next = hole.upperBound
        }
        return ranges + [next..<volumeBytes]
    }

    package func metadataRanges(volumeBytes: Int) -> [Range<Int>] { [0..<512] + copies }

    package func seal(_ image: FilePath) throws {
        let file = try FileDescriptor.open(image, .readWrite)
        defer { try? file.close() }
        guard Int(try file.seek(offset: 0, from: .end)) == volumeBytes else {
            throw FixtureError("\(image) must have the \(volumeBytes) bytes of the volume that Windows made")
        }
        for hole in copies + [header] {
            guard try BitLockerVolume.read(file, at: hole.lowerBound, count: hole.count).allSatisfy({ $0 == 0 }) else {
                throw FixtureError("NTFS has something where BitLocker's metadata must lie")
            }
        }
        let front = try BitLockerVolume.read(file, at: 0, count: header.count)
        for range in payload { try BitLockerVolume.pass(over: range, file, cipher, encrypt: true) }
        try file.writeAll(
            toAbsoluteOffset: Int64(header.lowerBound), cipher.crypt(front, at: header.lowerBound, encrypt: true))
        let source = try FileDescriptor.open(template, .readOnly)
        defer { try? source.close() }
        for range in [0..<header.count] + copies {
            try file.writeAll(
                toAbsoluteOffset: Int64(range.lowerBound),
                BitLockerVolume.read(source, at: range.lowerBound, count: range.count))
        }
    }

    package func unseal(_ disk: FilePath, at start: Int, count: Int) throws {
        let file = try FileDescriptor.open(disk, .readWrite)
        defer { try? file.close() }
        let front = try BitLockerVolume.read(file, at: start + header.lowerBound, count: header.count)
        for range in payload { try BitLockerVolume.pass(over: range, file, cipher, encrypt: false, from: start) }
        for hole in copies + [header] {
            try file.writeAll(
                toAbsoluteOffset: Int64(start + hole.lowerBound), [UInt8](repeating: 0, count: hole.count))
        }
        try file.writeAll(
            toAbsoluteOffset: Int64(start), cipher.crypt(front, at: header.lowerBound, encrypt: false))
    }
}

/// One copy of the metadata: the format is that of the libbde project's specification.
private struct Metadata {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var header: Int { Int(bytes.get(56, as: UInt64.self)) }

    private struct Entry {
        var type: UInt16
        var value: UInt16
        var data: [UInt8]
    }

    private static func entries(_ bytes: ArraySlice<UInt8>) -> [Entry] {
        var entries: [Entry] = []
        let bytes = Array(bytes)
        var offset = 0
        while offset + 8 <= bytes.count {
            let size = Int(bytes.get(offset, as: UInt16.self))
            guard size >= 8, offset + size <= bytes.count else { break }
            entries.append(
                Entry(
                    type: bytes.get(offset + 2, as: UInt16.self), value: bytes.get(offset + 4, as: UInt16.self),
                    data: Array(bytes[(offset + 8)..<(offset + size)])))
            offset += size
        }
        return entries
    }

    /// The key of a volume whose protection is suspended: the master key lies beside the key that wraps it.
    func keyByClearKey() throws -> [UInt8] {
        let size = Int(bytes.get(64, as: UInt32.self))
        let entries = Self.entries(bytes[112..<(64 + size)])
        for entry in entries where entry.type == 2 && entry.data.get(26, as: UInt16.self) == 0 {
            let parts = Self.entries(entry.data[28...])
            guard let clear = parts.first(where: { $0.value == 1 }),
                let wrapped = parts.first(where: { $0.value == 5 }),
                let volume = entries.first(where: { $0.type == 3 && $0.value == 5 })
            else { break }
            let master = try Self.unwrap(wrapped.data, by: Array(clear.data[4...]))
            return try Self.unwrap(volume.data, by: Array(master.prefix(32)))
        }
        throw FixtureError("the volume has no clear key")
    }

    /// Nonce, tag, ciphertext, by AES-CCM; the first 12 bytes of what comes out say what it is.
    private static func unwrap(_ data: [UInt8], by key: [UInt8]) throws -> [UInt8] {
        guard let context = EVP_CIPHER_CTX_new() else { throw FixtureError("no memory for a cipher") }
        defer { EVP_CIPHER_CTX_free(context) }
        var tag = Array(data[12..<28])
        let text = Array(data[28...])
        var plain = [UInt8](repeating: 0, count: text.count)
        var length: Int32 = 0
        guard EVP_DecryptInit_ex(context, EVP_aes_256_ccm(), nil, nil, nil) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, 12, nil) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, &tag) == 1,
            EVP_DecryptInit_ex(context, nil, nil, key, Array(data[..<12])) == 1,
            EVP_DecryptUpdate(context, &plain, &length, text, Int32(text.count)) == 1
        else { throw FixtureError("the clear key does not open the volume's key") }
        return Array(plain[12...])
    }
}
