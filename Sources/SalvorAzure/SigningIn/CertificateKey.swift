internal import COpenSSL

/// A certificate and its RSA key, from a file that azure-identity would take.
// @unchecked: an EVP_PKEY is counted atomically, and nothing here changes it after it is made.
final class CertificateKey: @unchecked Sendable {
    /// Why a file is no certificate with a key.
    struct Unreadable: Error {
        let why: String
        let nextStep: String
    }

    private let pkey: OpaquePointer
    /// DER, the certificate of the key first.
    let chain: [[UInt8]]
    /// Of the certificate's DER.
    let sha1: [UInt8]
    let sha256: [UInt8]

    /// - Parameters:
    ///   - bytes: PEM with a key and its certificate, or PKCS #12.
    ///   - password: of the key; nil for one in clear.
    init(_ bytes: [UInt8], password: String?) throws(Unreadable) {
        defer { ERR_clear_error() }
        let isPEM = String(decoding: bytes, as: UTF8.self).contains("-----BEGIN")
        let found = isPEM ? try Self.readPEM(bytes, password) : try Self.readPKCS12(bytes, password)
        let certificates = found.certificates
        defer { certificates.forEach { X509_free($0) } }
        guard EVP_PKEY_get_base_id(found.key) == EVP_PKEY_RSA else {
            EVP_PKEY_free(found.key)
            throw Unreadable(why: "its key is not RSA.", nextStep: "Make a certificate over an RSA key.")
        }
        // The key's own certificate may stand behind those that signed it.
        guard let own = certificates.firstIndex(where: { X509_check_private_key($0, found.key) == 1 }) else {
            EVP_PKEY_free(found.key)
            throw Unreadable(
                why: "it holds no certificate of its key.", nextStep: "Put the key and its certificate into one file.")
        }
        pkey = found.key
        let ordered = [certificates[own]] + certificates.enumerated().filter { $0.offset != own }.map(\.element)
        chain = ordered.map(Self.der)
        sha1 = Self.digest(of: certificates[own], EVP_sha1())
        sha256 = Self.digest(of: certificates[own], EVP_sha256())
    }

    deinit { EVP_PKEY_free(pkey) }

    /// PS256 or RS256 (RFC 7518, section 3).
    /// - Returns: nil where OpenSSL will not sign, as under a policy that forbids the key.
    func sign(_ message: [UInt8], isProbabilistic: Bool) -> [UInt8]? {
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer {
            EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        var settings: OpaquePointer?
        guard EVP_DigestSignInit(context, &settings, EVP_sha256(), nil, pkey) == 1,
            EVP_PKEY_CTX_set_rsa_padding(settings, isProbabilistic ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1,
            !isProbabilistic || EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) == 1
        else { return nil }
        var signature = [UInt8](repeating: 0, count: Int(EVP_PKEY_get_size(pkey)))
        var length = signature.count
        guard EVP_DigestSign(context, &signature, &length, message, message.count) == 1 else { return nil }
        return Array(signature[..<length])
    }

    private typealias Found = (key: OpaquePointer, certificates: [OpaquePointer])

    private static let wrongPassword = Unreadable(
        why: "its key cannot be decrypted.",
        nextStep: "Set AZURE_CLIENT_CERTIFICATE_PASSWORD to the file's password.")

    private static func readPEM(_ bytes: [UInt8], _ password: String?) throws(Unreadable) -> Found {
        let key = withStream(of: bytes) { bio in
            // With a password of our own, so that OpenSSL asks for none on the terminal.
            (password ?? "").withCString { password in
                PEM_read_bio_PrivateKey(bio, nil, nil, UnsafeMutableRawPointer(mutating: password))
            }
        }
        guard let key else {
            let isEncrypted = String(decoding: bytes, as: UTF8.self).contains("ENCRYPTED")
            throw isEncrypted
                ? wrongPassword
                : Unreadable(
                    why: "it holds no private key.", nextStep: "Put the key and its certificate into one file.")
        }
        var certificates: [OpaquePointer] = []
        _ = withStream(of: bytes) { bio -> OpaquePointer? in
            while let certificate = PEM_read_bio_X509(bio, nil, nil, nil) { certificates.append(certificate) }
            return nil
        }
        return (key, certificates)
    }

    private static func readPKCS12(_ bytes: [UInt8], _ password: String?) throws(Unreadable) -> Found {
        guard let file = withStream(of: bytes, { d2i_PKCS12_bio($0, nil) }) else {
            throw Unreadable(
                why: "it is neither PEM nor PKCS #12.", nextStep: "Name a file with a key and its certificate.")
        }
        defer { PKCS12_free(file) }
        guard PKCS12_verify_mac(file, password ?? "", Int32(password?.utf8.count ?? 0)) == 1 else {
            throw wrongPassword
        }
        var key: OpaquePointer?
        var certificate: OpaquePointer?
        var others: OpaquePointer?
        guard PKCS12_parse(file, password ?? "", &key, &certificate, &others) == 1 else {
            throw Unreadable(
                why: "it is encrypted in a way that this system's OpenSSL no longer reads.",
                nextStep: "Export it again with AES-256, or as PEM.")
        }
        defer { salvor_sk_X509_free(others) }
        var certificates = [certificate].compactMap(\.self)
        for index in 0..<max(0, salvor_sk_X509_num(others)) {
            if let other = salvor_sk_X509_value(others, index) { certificates.append(other) }
        }
        guard let key else {
            certificates.forEach { X509_free($0) }
            throw Unreadable(
                why: "it holds no private key.", nextStep: "Put the key and its certificate into one file.")
        }
        return (key, certificates)
    }

    private static func withStream(of bytes: [UInt8], _ body: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
        bytes.withUnsafeBytes { buffer in
            guard buffer.count <= Int32.max, let bio = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count)) else {
                return nil
            }
            defer { BIO_free(bio) }
            return body(bio)
        }
    }

    private static func der(_ certificate: OpaquePointer) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(max(0, i2d_X509(certificate, nil))))
        bytes.withUnsafeMutableBufferPointer { buffer in
            var end = buffer.baseAddress
            i2d_X509(certificate, &end)
        }
        return bytes
    }

    private static func digest(of certificate: OpaquePointer, _ hash: OpaquePointer?) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MD_get_size(hash)))
        X509_digest(certificate, hash, &digest, nil)
        return digest
    }
}
