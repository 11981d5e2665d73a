import COpenSSL

/// Encrypts and decrypts sectors as BitLocker does, by OpenSSL: nothing of it is shared with what is tested.
package struct VolumeCipher {
    package enum Kind: UInt16, Sendable, CaseIterable {
        case cbc128Diffuser = 0x8000
        case cbc256Diffuser = 0x8001
        case cbc128 = 0x8002
        case cbc256 = 0x8003
        case xts128 = 0x8004
        case xts256 = 0x8005

        /// As the metadata keeps the key.
        var keyBytes: Int {
            switch self {
            case .cbc128: 16
            case .cbc256, .xts128: 32
            case .xts256, .cbc128Diffuser, .cbc256Diffuser: 64
            }
        }
    }

    let kind: Kind
    let key: [UInt8]
    let sectorBytes: Int

    /// - Parameters:
    ///   - sectors: whole sectors.
    ///   - offset: where the first of them lies on the volume, in bytes.
    func crypt(_ sectors: [UInt8], at offset: Int, encrypt: Bool) throws -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(sectors.count)
        for start in stride(from: 0, to: sectors.count, by: sectorBytes) {
            let sector = Array(sectors[start..<(start + sectorBytes)])
            let place = offset + start
            switch kind {
            case .xts128:
                result += try run(EVP_aes_128_xts(), key, block(place / sectorBytes), sector, encrypt)
            case .xts256:
                result += try run(EVP_aes_256_xts(), key, block(place / sectorBytes), sector, encrypt)
            case .cbc128, .cbc256: result += try cbc(sector, place, encrypt)
            case .cbc128Diffuser, .cbc256Diffuser:
                let mask = try sectorKey(place)
                if encrypt {
                    result += try cbc(Diffuser.encrypt(xor(sector, mask)), place, true)
                } else {
                    result += xor(Diffuser.decrypt(try cbc(sector, place, false)), mask)
                }
            }
        }
        return result
    }

    private var isWide: Bool { kind == .cbc256 || kind == .cbc256Diffuser }

    private func cbc(_ sector: [UInt8], _ place: Int, _ encrypt: Bool) throws -> [UInt8] {
        let key = Array(key.prefix(isWide ? 32 : 16))
        let vector = try run(isWide ? EVP_aes_256_ecb() : EVP_aes_128_ecb(), key, nil, block(place), true)
        return try run(isWide ? EVP_aes_256_cbc() : EVP_aes_128_cbc(), key, vector, sector, encrypt)
    }

    /// The diffuser's key is the second half of the volume's.
    private func sectorKey(_ place: Int) throws -> [UInt8] {
        let key = Array(key[32..<(isWide ? 64 : 48)])
        let cipher = isWide ? EVP_aes_256_ecb() : EVP_aes_128_ecb()
        var second = block(place)
        second[15] = 0x80
        return try run(cipher, key, nil, block(place), true) + run(cipher, key, nil, second, true)
    }

    private func xor(_ bytes: [UInt8], _ mask: [UInt8]) -> [UInt8] {
        bytes.indices.map { bytes[$0] ^ mask[$0 % mask.count] }
    }

    private func block(_ number: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 16)
        bytes.put(UInt64(number), at: 0)
        return bytes
    }

    private func run(
        _ cipher: OpaquePointer?, _ key: [UInt8], _ vector: [UInt8]?, _ input: [UInt8], _ encrypt: Bool
    ) throws -> [UInt8] {
        guard let context = EVP_CIPHER_CTX_new() else { throw FixtureError("no memory for a cipher") }
        defer { EVP_CIPHER_CTX_free(context) }
        var output = [UInt8](repeating: 0, count: input.count)
        var length: Int32 = 0
        guard EVP_CipherInit_ex(context, cipher, nil, key, vector, encrypt ? 1 : 0) == 1,
            EVP_CIPHER_CTX_set_padding(context, 0) == 1,
            EVP_CipherUpdate(context, &output, &length, input, Int32(input.count)) == 1, Int(length) == input.count
        else { throw FixtureError("OpenSSL could not encrypt a sector") }
        return output
    }
}

/// BitLocker's Elephant diffuser (N. Ferguson, “AES-CBC + Elephant diffuser”, 2006), over words of 32 bits.
enum Diffuser {
    private static let rotationsA: [UInt32] = [9, 0, 13, 0]
    private static let rotationsB: [UInt32] = [0, 10, 0, 25]

    static func encrypt(_ sector: [UInt8]) -> [UInt8] {
        var words = words(sector)
        let count = words.count
        for _ in 0..<5 {
            for i in (0..<count).reversed() {
                words[i] =
                    words[i]
                    &- (words[(i + count - 2) % count] ^ rotate(words[(i + count - 5) % count], rotationsA[i % 4]))
            }
        }
        for _ in 0..<3 {
            for i in (0..<count).reversed() {
                words[i] = words[i] &- (words[(i + 2) % count] ^ rotate(words[(i + 5) % count], rotationsB[i % 4]))
            }
        }
        return bytes(words)
    }

    static func decrypt(_ sector: [UInt8]) -> [UInt8] {
        var words = words(sector)
        let count = words.count
        for _ in 0..<3 {
            for i in 0..<count {
                words[i] = words[i] &+ (words[(i + 2) % count] ^ rotate(words[(i + 5) % count], rotationsB[i % 4]))
            }
        }
        for _ in 0..<5 {
            for i in 0..<count {
                words[i] =
                    words[i]
                    &+ (words[(i + count - 2) % count] ^ rotate(words[(i + count - 5) % count], rotationsA[i % 4]))
            }
        }
        return bytes(words)
    }

    private static func rotate(_ word: UInt32, _ by: UInt32) -> UInt32 {
        by == 0 ? word : word << by | word >> (32 - by)
    }

    private static func words(_ bytes: [UInt8]) -> [UInt32] {
        (0..<bytes.count / 4).map { bytes.get(4 * $0, as: UInt32.self) }
    }

    private static func bytes(_ words: [UInt32]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4 * words.count)
        for (index, word) in words.enumerated() { bytes.put(word, at: 4 * index) }
        return bytes
    }
}
