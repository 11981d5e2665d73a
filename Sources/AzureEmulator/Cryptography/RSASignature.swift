internal import COpenSSL

/// Signatures as JSON web tokens and Key Vault name them (RFC 7518, section 3.1).
package enum RSASignature: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"

    private var hash: OpaquePointer? {
        switch self {
        case .rs256, .ps256: EVP_sha256()
        case .rs384, .ps384: EVP_sha384()
        case .rs512, .ps512: EVP_sha512()
        }
    }

    private var isProbabilistic: Bool { rawValue.hasPrefix("PS") }

    /// Bytes of the digest that is signed.
    package var digestBytes: Int { Int(EVP_MD_get_size(hash)) }

    /// The digest of a message.
    package func digest(of message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: digestBytes)
        EVP_Digest(message, message.count, &digest, nil, hash, nil)
        return digest
    }

    /// - Returns: nil for a digest of another length, or a key without its private half.
    package func sign(digest: [UInt8], with key: RSAKey) -> [UInt8]? {
        guard key.isPrivate, digest.count == digestBytes else { return nil }
        return withContext(of: key, EVP_PKEY_sign_init) { context in
            var signature = [UInt8](repeating: 0, count: Int(EVP_PKEY_get_size(key.pkey)))
            var length = signature.count
            guard EVP_PKEY_sign(context, &signature, &length, digest, digest.count) == 1 else { return nil }
            return Array(signature[..<length])
        }
    }

    package func verifies(_ signature: [UInt8], of digest: [UInt8], with key: RSAKey) -> Bool {
        guard digest.count == digestBytes else { return false }
        return withContext(of: key, EVP_PKEY_verify_init) { context in
            EVP_PKEY_verify(context, signature, signature.count, digest, digest.count) == 1 ? true : nil
        } ?? false
    }

    private func withContext<Result>(
        of key: RSAKey, _ begin: (OpaquePointer?) -> Int32, _ body: (OpaquePointer) -> Result?
    ) -> Result? {
        guard let context = EVP_PKEY_CTX_new(key.pkey, nil) else { return nil }
        defer {
            EVP_PKEY_CTX_free(context)
            ERR_clear_error()
        }
        let padding = isProbabilistic ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING
        guard begin(context) == 1, EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1,
            EVP_PKEY_CTX_set_signature_md(context, hash) == 1
        else { return nil }
        // As long as the digest: RFC 7518, section 3.5.
        if isProbabilistic, EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) != 1 { return nil }
        return body(context)
    }
}

/// Encryption of a few bytes, a key above all, as Key Vault names it.
package enum RSAEncryption: String, Sendable, CaseIterable {
    case oaep = "RSA-OAEP"
    case oaep256 = "RSA-OAEP-256"
    case pkcs1 = "RSA1_5"

    /// - Returns: nil for more bytes than the key can take.
    package func encrypt(_ bytes: [UInt8], with key: RSAKey) -> [UInt8]? {
        transform(bytes, with: key, EVP_PKEY_encrypt_init) { EVP_PKEY_encrypt($0, $1, $2, bytes, bytes.count) }
    }

    /// - Returns: nil for what was not encrypted with this key and in this way, or a key without its private half.
    package func decrypt(_ bytes: [UInt8], with key: RSAKey) -> [UInt8]? {
        guard key.isPrivate else { return nil }
        return transform(bytes, with: key, EVP_PKEY_decrypt_init) {
            EVP_PKEY_decrypt($0, $1, $2, bytes, bytes.count)
        }
    }

    private func transform(
        _ bytes: [UInt8], with key: RSAKey, _ begin: (OpaquePointer?) -> Int32,
        _ run: (OpaquePointer, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<Int>) -> Int32
    ) -> [UInt8]? {
        guard let context = EVP_PKEY_CTX_new(key.pkey, nil) else { return nil }
        defer {
            EVP_PKEY_CTX_free(context)
            ERR_clear_error()
        }
        let padding = self == .pkcs1 ? RSA_PKCS1_PADDING : RSA_PKCS1_OAEP_PADDING
        guard begin(context) == 1, EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1 else { return nil }
        if self == .oaep256 {
            guard EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) == 1,
                EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1
            else { return nil }
        }
        var result = [UInt8](repeating: 0, count: Int(EVP_PKEY_get_size(key.pkey)))
        var length = result.count
        guard run(context, &result, &length) == 1 else { return nil }
        return Array(result[..<length])
    }
}
