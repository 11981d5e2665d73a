internal import COpenSSL

/// An RSA key, whole or its public half alone, by the system's OpenSSL.
// @unchecked: an EVP_PKEY is counted atomically, and nothing here changes it after it is made.
package final class RSAKey: @unchecked Sendable {
    let pkey: OpaquePointer
    /// Whether the private half is here.
    package let isPrivate: Bool

    private init(owning pkey: OpaquePointer, isPrivate: Bool) {
        self.pkey = pkey
        self.isPrivate = isPrivate
    }

    deinit { EVP_PKEY_free(pkey) }

    /// A new key.
    /// - Parameter bits: 2048 to 4096.
    /// - Returns: nil where OpenSSL makes none, as under a policy that forbids it.
    package static func generate(bits: Int) -> RSAKey? {
        guard (2048...4096).contains(bits), let pkey = salvor_EVP_RSA_gen(UInt32(bits)) else { return nil }
        return RSAKey(owning: pkey, isPrivate: true)
    }

    /// Reads a private key, a public key or a certificate, whichever comes first of these.
    /// - Returns: nil for text without an RSA key in clear.
    package convenience init?(pem: some Sequence<UInt8>) {
        let bytes = Array(pem)
        // No password is asked for: a key that needs one is refused instead of prompting on the terminal.
        if let pkey = PEMText.read(bytes, { PEM_read_bio_PrivateKey($0, nil, { _, _, _, _ in -1 }, nil) }) {
            self.init(checking: pkey, isPrivate: true)
        } else if let pkey = PEMText.read(bytes, { PEM_read_bio_PUBKEY($0, nil, nil, nil) }) {
            self.init(checking: pkey, isPrivate: false)
        } else if let certificate = PEMText.read(bytes, { PEM_read_bio_X509($0, nil, nil, nil) }) {
            defer { X509_free(certificate) }
            guard let pkey = X509_get_pubkey(certificate) else { return nil }
            self.init(checking: pkey, isPrivate: false)
        } else {
            return nil
        }
    }

    private convenience init?(checking pkey: OpaquePointer, isPrivate: Bool) {
        guard EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA else {
            EVP_PKEY_free(pkey)
            return nil
        }
        self.init(owning: pkey, isPrivate: isPrivate)
    }

    /// The numbers of a key as JSON web keys name them (RFC 7518, section 6.3), big-endian.
    package struct Numbers: Sendable {
        package var n: [UInt8]
        package var e: [UInt8]
        /// The private exponent and what makes it fast: all six or none.
        package var secret: (d: [UInt8], p: [UInt8], q: [UInt8], dp: [UInt8], dq: [UInt8], qi: [UInt8])?

        package init(
            n: [UInt8], e: [UInt8],
            secret: (d: [UInt8], p: [UInt8], q: [UInt8], dp: [UInt8], dq: [UInt8], qi: [UInt8])? = nil
        ) {
            self.n = n
            self.e = e
            self.secret = secret
        }
    }

    /// - Returns: nil for numbers that are no key.
    package convenience init?(_ numbers: Numbers) {
        var values: [OpaquePointer?] = []
        defer { values.forEach { BN_clear_free($0) } }
        var bytes = [numbers.n, numbers.e]
        if let secret = numbers.secret {
            bytes += [secret.d, secret.p, secret.q, secret.dp, secret.dq, secret.qi]
        }
        for number in bytes {
            guard number.count <= 1024, let value = BN_bin2bn(number, Int32(number.count), nil) else { return nil }
            values.append(value)
        }
        defer { ERR_clear_error() }
        guard let pkey = salvor_EVP_RSA_from_numbers(values, Int32(values.count)) else { return nil }
        let isPrivate = numbers.secret != nil
        let isWhole = (1024...16_384).contains(EVP_PKEY_get_bits(pkey)) && (!isPrivate || Self.isConsistent(pkey))
        guard isWhole else {
            EVP_PKEY_free(pkey)
            return nil
        }
        self.init(owning: pkey, isPrivate: isPrivate)
    }

    private static func isConsistent(_ pkey: OpaquePointer) -> Bool {
        guard let context = EVP_PKEY_CTX_new(pkey, nil) else { return false }
        defer {
            EVP_PKEY_CTX_free(context)
            ERR_clear_error()
        }
        return EVP_PKEY_check(context) == 1
    }

    package var bits: Int { Int(EVP_PKEY_get_bits(pkey)) }

    /// Big-endian.
    package var modulus: [UInt8] { number("n") }
    package var exponent: [UInt8] { number("e") }

    private func number(_ name: String) -> [UInt8] {
        var value: OpaquePointer?
        guard EVP_PKEY_get_bn_param(pkey, name, &value) == 1, let value else { return [] }
        defer { BN_free(value) }
        var bytes = [UInt8](repeating: 0, count: Int(BN_num_bits(value) + 7) / 8)
        BN_bn2bin(value, &bytes)
        return bytes
    }

    /// The private half in clear, as PKCS #8; empty where there is none.
    package var privatePEM: [UInt8] {
        guard isPrivate else { return [] }
        return PEMText.write { PEM_write_bio_PKCS8PrivateKey($0, pkey, nil, nil, 0, nil, nil) }
    }

    package var publicPEM: [UInt8] { PEMText.write { PEM_write_bio_PUBKEY($0, pkey) } }
}

/// PEM over OpenSSL's memory streams.
enum PEMText {
    static func read(_ bytes: [UInt8], _ body: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
        bytes.withUnsafeBytes { buffer in
            guard buffer.count <= Int32.max, let bio = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count)) else {
                return nil
            }
            defer {
                BIO_free(bio)
                // The end of the text is reported as an error.
                ERR_clear_error()
            }
            return body(bio)
        }
    }

    static func write(_ body: (OpaquePointer) -> Int32) -> [UInt8] {
        guard let bio = BIO_new(BIO_s_mem()) else { return [] }
        defer { BIO_free(bio) }
        guard body(bio) == 1 else { return [] }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = BIO_read(bio, &chunk, Int32(chunk.count))
            if count <= 0 { return bytes }
            bytes += chunk[..<Int(count)]
        }
    }
}
