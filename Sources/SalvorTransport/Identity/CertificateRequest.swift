internal import COpenSSL

/// A PKCS#10 certificate request: the agent's public key, signed by its private half, and the name that it asks for.
package struct CertificateRequest: Sendable {
    /// Nothing that an agent of ours makes is near this: 4 KiB.
    package static let maximumByteCount = 4096

    package let der: [UInt8]
    /// DER of the SubjectPublicKeyInfo.
    package let publicKey: [UInt8]
    /// Who the request is for, as the agent has it.
    package let identity: PeerIdentity

    /// Makes the request of `identity`, signed by `key`.
    package init(for identity: PeerIdentity, key: KeyPair) throws(TransportError) {
        guard let request = X509_REQ_new() else { throw .openSSL("make a certificate request") }
        defer { X509_REQ_free(request) }
        let uri = identity.uri
        let names = try SubjectName.list([.uri(uri)])
        defer { GENERAL_NAMES_free(names) }
        guard X509_REQ_set_version(request, 0) == 1, X509_REQ_set_pubkey(request, key.pkey) == 1,
            salvor_X509_REQ_add_subject_alt_names(request, names) == 1,
            X509_REQ_sign(request, key.pkey, EVP_sha256()) > 0,
            let der = DER.encode({ i2d_X509_REQ(request, $0) })
        else { throw .openSSL("sign a certificate request") }
        self.der = der
        self.publicKey = key.publicKey
        self.identity = identity
    }

    /// Reads a request from a peer that is not trusted yet. Of what it asks for only the key and the name are looked at.
    /// - Throws: ``TransportError/Code/badRequest`` when it is not a request, when its key is not on P-256, when the
    ///   signature is not by that key, or when it does not ask for one name of ours.
    package init(der: [UInt8]) throws(TransportError) {
        func refuse(_ why: String) -> TransportError {
            TransportError(
                .badRequest, "the certificate request \(why); nothing was signed", cause: OpenSSLErrors.drain())
        }
        guard der.count <= Self.maximumByteCount else {
            throw refuse("has \(der.count) bytes, more than \(Self.maximumByteCount)")
        }
        guard let request = DER.decode(der, { d2i_X509_REQ(nil, $0, $1) }, free: X509_REQ_free) else {
            throw refuse("is not PKCS#10 in DER")
        }
        defer { X509_REQ_free(request) }
        guard let key = X509_REQ_get0_pubkey(request), EVP_PKEY_get_id(key) == EVP_PKEY_EC, Self.isOnP256(key) else {
            throw refuse("has a key that is not on P-256")
        }
        guard X509_REQ_verify(request, key) == 1 else { throw refuse("is not signed by its own key") }
        guard let publicKey = DER.encode({ i2d_PUBKEY(key, $0) }) else {
            throw refuse("has a key that cannot be encoded")
        }
        let uris = Self.subjectURIs(of: request)
        guard uris.count == 1, let identity = PeerIdentity(uri: uris[0]) else {
            throw refuse(
                "asks for \(uris.isEmpty ? "no name" : uris.map { String(reflecting: $0) }.joined(separator: ", "))")
        }
        self.der = der
        self.publicKey = publicKey
        self.identity = identity
    }

    private static func isOnP256(_ key: OpaquePointer) -> Bool {
        var name = [CChar](repeating: 0, count: 64)
        var length = 0
        guard EVP_PKEY_get_group_name(key, &name, name.count, &length) == 1 else { return false }
        return String(decoding: name.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self) == "prime256v1"
    }

    private static func subjectURIs(of request: OpaquePointer) -> [String] {
        guard let extensions = X509_REQ_get_extensions(request) else { return [] }
        defer { salvor_X509_EXTENSIONS_free(extensions) }
        guard let names = X509V3_get_d2i(extensions, NID_subject_alt_name, nil, nil) else { return [] }
        let list = OpaquePointer(names)
        defer { GENERAL_NAMES_free(list) }
        return AlternativeNames.uris(in: list)
    }
}
