import AzureEmulator
import COpenSSL
import Testing

/// Certificates in the kinds of file that people have.
struct CertificateFile {
    let key: RSAKey
    let certificate: ClientCertificate
    /// Key and certificate in clear.
    let pem: [UInt8]

    private static let shared = RSAKey.generate(bits: 2048)

    /// - Parameter key: nil for one that all share: making one takes a while.
    init(_ key: RSAKey? = nil, from start: Int64 = 1_721_362_140) throws {
        self.key = try #require(key ?? Self.shared)
        pem = try #require(
            ClientCertificate.make(
                commonName: "salvor", key: self.key, notBefore: start - 60, notAfter: start + 10 * 365 * 86_400))
        certificate = try #require(ClientCertificate(pem: pem))
    }

    /// The certificate alone.
    var certificatePEM: [UInt8] { Array(pem.dropFirst(key.privatePEM.count)) }

    /// The key encrypted, and the certificate in clear.
    func encryptedPEM(password: String) throws -> [UInt8] {
        try withKey { key, _ in
            let bytes = try Self.written { bio in
                password.withCString {
                    PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), $0, Int32(password.utf8.count), nil, nil)
                }
            }
            return bytes + certificatePEM
        }
    }

    func pkcs12(password: String) throws -> [UInt8] {
        try withKey { key, certificate in
            ERR_clear_error()
            let made = PKCS12_create(password, "salvor", key, certificate, nil, 0, 0, 0, 0, 0)
            let file = try #require(made, "\(Self.complaints())")
            defer { PKCS12_free(file) }
            return try Self.written { i2d_PKCS12_bio($0, file) }
        }
    }

    private func withKey<Result>(_ body: (OpaquePointer, OpaquePointer) throws -> Result) throws -> Result {
        let bio = try #require(BIO_new(BIO_s_mem()))
        defer { BIO_free(bio) }
        try #require(BIO_write(bio, pem, Int32(pem.count)) == pem.count)
        let key = try #require(PEM_read_bio_PrivateKey(bio, nil, nil, nil))
        defer { EVP_PKEY_free(key) }
        let certificate = try #require(PEM_read_bio_X509(bio, nil, nil, nil))
        defer { X509_free(certificate) }
        return try body(key, certificate)
    }

    /// What OpenSSL says about its last failure on this thread.
    private static func complaints() -> [String] {
        var texts: [String] = []
        while case let code = ERR_get_error(), code != 0 {
            texts.append(String(cString: ERR_error_string(code, nil)))
        }
        return texts
    }

    private static func written(_ body: (OpaquePointer) -> Int32) throws -> [UInt8] {
        let bio = try #require(BIO_new(BIO_s_mem()))
        defer { BIO_free(bio) }
        try #require(body(bio) == 1)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = BIO_read(bio, &chunk, Int32(chunk.count)), count > 0 { bytes += chunk[..<Int(count)] }
        return bytes
    }
}
