internal import COpenSSL

/// A certificate that an application signs in with: its public key and how tokens name it.
package struct ClientCertificate: Sendable {
    package let key: RSAKey
    /// SHA-1 and SHA-256 of its DER: `x5t` and `x5t#S256`.
    package let sha1: [UInt8]
    package let sha256: [UInt8]
    package let der: [UInt8]
    /// Seconds since 1970.
    package let notBefore: Int64
    package let notAfter: Int64

    /// Reads the first certificate of a PEM.
    /// - Returns: nil for text without a certificate over an RSA key.
    package init?(pem: [UInt8]) {
        guard let x509 = PEMText.read(pem, { PEM_read_bio_X509($0, nil, nil, nil) }) else { return nil }
        defer { X509_free(x509) }
        let text = PEMText.write { PEM_write_bio_X509($0, x509) }
        guard let key = RSAKey(pem: text), let begins = Self.seconds(X509_get0_notBefore(x509)),
            let ends = Self.seconds(X509_get0_notAfter(x509))
        else { return nil }
        self.key = key
        sha1 = Self.digest(of: x509, EVP_sha1())
        sha256 = Self.digest(of: x509, EVP_sha256())
        var der = [UInt8](repeating: 0, count: Int(max(0, i2d_X509(x509, nil))))
        der.withUnsafeMutableBufferPointer { buffer in
            var end = buffer.baseAddress
            i2d_X509(x509, &end)
        }
        self.der = der
        notBefore = begins
        notAfter = ends
    }

    /// Makes a certificate that a key signs for itself.
    /// - Returns: the private key and the certificate as PEM: for a file that only its owner can read. Nil where OpenSSL
    ///   will not.
    package static func make(commonName: String, key: RSAKey, notBefore: Int64, notAfter: Int64) -> [UInt8]? {
        guard key.isPrivate, let x509 = X509_new() else { return nil }
        defer { X509_free(x509) }
        var serial: UInt64 = 0
        guard withUnsafeMutableBytes(of: &serial, { RAND_bytes($0.baseAddress, Int32($0.count)) }) == 1,
            X509_set_version(x509, 2) == 1,
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial >> 1) == 1,
            ASN1_TIME_set(X509_getm_notBefore(x509), time_t(notBefore)) != nil,
            ASN1_TIME_set(X509_getm_notAfter(x509), time_t(notAfter)) != nil,
            let name = X509_get_subject_name(x509),
            X509_NAME_add_entry_by_txt(
                name, "CN", MBSTRING_UTF8, Array(commonName.utf8), Int32(commonName.utf8.count), -1, 0)
                == 1,
            X509_set_issuer_name(x509, name) == 1, X509_set_pubkey(x509, key.pkey) == 1,
            X509_sign(x509, key.pkey, EVP_sha256()) > 0
        else { return nil }
        return key.privatePEM + PEMText.write { PEM_write_bio_X509($0, x509) }
    }

    private static func digest(of x509: OpaquePointer, _ hash: OpaquePointer?) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MD_get_size(hash)))
        X509_digest(x509, hash, &digest, nil)
        return digest
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        guard let epoch = ASN1_TIME_set(nil, 0) else { return nil }
        defer { ASN1_TIME_free(epoch) }
        var days: Int32 = 0
        var seconds: Int32 = 0
        guard let time, ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return nil }
        return Int64(days) * 86_400 + Int64(seconds)
    }
}
