internal import COpenSSL

/// A certificate for a server on this machine, under an authority that was made for it alone and signs nothing else: its
/// key is gone once this has been made.
package struct ServerCertificate: Sendable {
    package let identity: LocalIdentity
    /// What a client has to trust.
    package let authority: Certificate

    /// - Parameters:
    ///   - hosts: DNS names; `*` stands for a first label.
    ///   - addresses: of 4 or 16 bytes each.
    package init(
        hosts: [String], addresses: [[UInt8]], validFor: Duration, now: WallTime = .now()
    ) throws(TransportError) {
        let authorityKey = try KeyPair.generate()
        let notBefore = now - CertificateAuthority.backdating
        authority = try Issuance(
            subject: (organization: "Salvor", commonName: "\(hosts.first ?? "server") CA"), names: [],
            publicKey: authorityKey.pkey, notBefore: notBefore, notAfter: now + validFor, profile: .authority
        ).sign(issuer: nil, key: authorityKey)
        let key = try KeyPair.generate()
        let certificate = try Issuance(
            subject: (organization: "Salvor", commonName: hosts.first ?? "server"),
            names: hosts.map { .dns($0) } + addresses.map { .address($0) }, publicKey: key.pkey, notBefore: notBefore,
            notAfter: now + validFor, profile: .server
        ).sign(issuer: authority, key: authorityKey)
        identity = LocalIdentity(chain: [certificate, authority], key: key)
    }

    /// The private key in clear, then its certificate and the authority's: for a file that only its owner can read.
    package func privatePEM() throws(TransportError) -> [UInt8] {
        try PEM.encode(key: identity.key, certificates: identity.chain)
    }

    /// The authority's certificate, which is nobody's secret.
    package func authorityPEM() throws(TransportError) -> [UInt8] { try PEM.encode(certificates: [authority]) }
}
