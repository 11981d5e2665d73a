internal import COpenSSL

/// A certificate about to be signed. Every field of it is decided here; nothing is copied from a request but the key.
struct Issuance {
    enum Profile {
        case authority
        /// One end of a connection. Either end may have dialled, so that both may be TLS client and TLS server.
        case end
        /// A server that anybody may dial.
        case server
    }

    let subject: (organization: String, commonName: String)
    let names: [SubjectName]
    let publicKey: OpaquePointer
    let notBefore: WallTime
    let notAfter: WallTime
    let profile: Profile

    /// - Parameter issuer: nil for a certificate that signs itself.
    func sign(issuer: Certificate?, key: KeyPair) throws(TransportError) -> Certificate {
        guard let x509 = X509_new() else { throw .openSSL("make a certificate") }
        do throws(TransportError) {
            try fill(x509, issuer: issuer)
            guard X509_sign(x509, key.pkey, EVP_sha256()) > 0 else { throw .openSSL("sign a certificate") }
        } catch {
            X509_free(x509)
            throw error
        }
        return try Certificate(owning: x509)
    }

    private func fill(_ x509: OpaquePointer, issuer: Certificate?) throws(TransportError) {
        // Version 3 counts from zero.
        guard X509_set_version(x509, 2) == 1, setSerialNumber(of: x509), let name = X509_get_subject_name(x509),
            add("O", subject.organization, to: name), add("CN", subject.commonName, to: name),
            X509_set_issuer_name(x509, issuer.map { X509_get_subject_name($0.handle.x509) } ?? name) == 1,
            ASN1_TIME_set(X509_getm_notBefore(x509), time_t(notBefore.secondsSinceEpoch)) != nil,
            ASN1_TIME_set(X509_getm_notAfter(x509), time_t(notAfter.secondsSinceEpoch)) != nil,
            X509_set_pubkey(x509, publicKey) == 1
        else { throw .openSSL("fill in a certificate") }

        if !names.isEmpty {
            let list = try SubjectName.list(names)
            defer { GENERAL_NAMES_free(list) }
            let added = X509_add1_ext_i2d(
                x509, NID_subject_alt_name, UnsafeMutableRawPointer(list), 0, UInt(X509V3_ADD_DEFAULT))
            guard added == 1 else { throw .openSSL("name the subject of a certificate") }
        }

        for (nid, value) in extensions {
            var context = X509V3_CTX()
            salvor_X509V3_set_ctx(&context, issuer?.handle.x509 ?? x509, x509)
            guard let made = X509V3_EXT_conf_nid(nil, &context, nid, value) else {
                throw .openSSL("extend a certificate with \(value)")
            }
            defer { X509_EXTENSION_free(made) }
            guard X509_add_ext(x509, made, -1) == 1 else { throw .openSSL("extend a certificate with \(value)") }
        }
    }

    // Constants alone go through OpenSSL's parser of extensions: a name in there could smuggle in a second extension.
    private var extensions: [(nid: Int32, value: String)] {
        switch profile {
        case .authority:
            [
                (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
                (NID_key_usage, "critical,keyCertSign"),
                (NID_subject_key_identifier, "hash"),
            ]
        case .end:
            [
                (NID_basic_constraints, "critical,CA:FALSE"),
                (NID_key_usage, "critical,digitalSignature"),
                (NID_ext_key_usage, "clientAuth,serverAuth"),
                (NID_subject_key_identifier, "hash"),
                (NID_authority_key_identifier, "keyid:always"),
            ]
        case .server:
            [
                (NID_basic_constraints, "critical,CA:FALSE"),
                (NID_key_usage, "critical,digitalSignature"),
                (NID_ext_key_usage, "serverAuth"),
                (NID_subject_key_identifier, "hash"),
                (NID_authority_key_identifier, "keyid:always"),
            ]
        }
    }

    /// 127 random bits: positive, and never the same twice.
    private func setSerialNumber(of x509: OpaquePointer) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 16)
        guard RAND_bytes(&bytes, Int32(bytes.count)) == 1 else { return false }
        bytes[0] = bytes[0] & 0x7F | 0x40
        guard let number = BN_bin2bn(bytes, Int32(bytes.count), nil) else { return false }
        defer { BN_free(number) }
        return BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != nil
    }

    private func add(_ field: String, _ value: String, to name: OpaquePointer) -> Bool {
        X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, value, Int32(value.utf8.count), -1, 0) == 1
    }
}
