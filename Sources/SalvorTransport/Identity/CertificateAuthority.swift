internal import COpenSSL
package import SalvorDigest

/// The certificate authority of one run. It is made when the run starts, and trusted by nobody but this run's
/// coordinator and rescue hosts.
package struct CertificateAuthority: Sendable {
    package let run: String
    package let certificate: Certificate
    let key: KeyPair

    /// What a rescue host is told of it: SHA-256 of the certificate's DER.
    package var fingerprint: Digest { certificate.fingerprint }

    /// Certificates begin this long before they are made. The verifier of hosts' certificates is the coordinator that
    /// issued them, so that this has to bridge no more than a step of its own clock (a laptop that slept, NTP). A rescue
    /// host's clock is not relied on at all: ``TLSConfiguration/Validity``.
    package static let backdating = Duration.seconds(15 * 60)

    /// - Parameter validFor: how long the run can be resumed.
    package init(
        run: String, validFor: Duration = .seconds(30 * 86_400), now: WallTime = .now()
    ) throws(TransportError) {
        try PeerIdentity.check(name: run, of: "a run")
        key = try KeyPair.generate()
        certificate = try Issuance(
            subject: (organization: run, commonName: "Salvor run CA"), names: [.uri(Self.uri(run: run))],
            publicKey: key.pkey, notBefore: now - Self.backdating, notAfter: now + validFor, profile: .authority
        ).sign(issuer: nil, key: key)
        self.run = run
    }

    init(certificate: Certificate, key: KeyPair) throws(TransportError) {
        let uris = certificate.subjectURIs
        guard uris.count == 1, let run = Self.run(uri: uris[0]),
            X509_check_private_key(certificate.handle.x509, key.pkey) == 1
        else {
            throw TransportError(
                .keyStore, "the certificate is not that of a run's authority, or the key is not its own",
                cause: OpenSSLErrors.drain())
        }
        self.run = run
        self.certificate = certificate
        self.key = key
    }

    /// A key and certificate for this run's coordinator, made for this process: nothing of it needs to be kept.
    package func makeCoordinatorIdentity(
        validFor: Duration = .seconds(30 * 86_400), now: WallTime = .now()
    ) throws(TransportError) -> LocalIdentity {
        let key = try KeyPair.generate()
        let certificate = try issue(.coordinator(run: run), to: key.pkey, validFor: validFor, now: now)
        return LocalIdentity(chain: [certificate, self.certificate], key: key)
    }

    /// Signs what a rescue host asked for.
    /// - Parameters:
    ///   - host: the host that the request must be for: the one that its enrolment token was made for.
    ///   - validFor: hours. There is no revocation: a certificate ends by itself.
    /// - Throws: ``TransportError/Code/badRequest`` when the request is for anybody else.
    package func sign(
        _ request: CertificateRequest, forHost host: String, validFor: Duration = .seconds(12 * 3600),
        now: WallTime = .now()
    ) throws(TransportError) -> Certificate {
        try PeerIdentity.check(name: host, of: "a rescue host")
        let identity = PeerIdentity.host(run: run, host: host)
        guard request.identity == identity else {
            throw TransportError(
                .badRequest,
                "the certificate request is for \(request.identity), but its sender may only be \(identity); nothing was signed"
            )
        }
        guard let key = DER.decode(request.publicKey, { d2i_PUBKEY(nil, $0, $1) }, free: EVP_PKEY_free) else {
            throw .openSSL("read the key of a certificate request")
        }
        defer { EVP_PKEY_free(key) }
        return try issue(identity, to: key, validFor: validFor, now: now)
    }

    private func issue(
        _ identity: PeerIdentity, to publicKey: OpaquePointer, validFor: Duration, now: WallTime
    ) throws(TransportError) -> Certificate {
        let name =
            switch identity {
            case .coordinator: "coordinator"
            case .host(_, let host): host
            }
        // A certificate that outlives its authority is worth nothing after it.
        let notAfter = min(now + validFor, certificate.notAfter ?? now + validFor)
        return try Issuance(
            subject: (organization: run, commonName: name), names: [.uri(identity.uri)], publicKey: publicKey,
            notBefore: now - Self.backdating, notAfter: notAfter, profile: .end
        ).sign(issuer: certificate, key: key)
    }

    private static func uri(run: String) -> String { "salvor://\(run)/authority" }

    private static func run(uri: String) -> String? {
        let parts = uri.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 4, Self.uri(run: String(parts[2])) == uri, PeerIdentity.isValidName(String(parts[2]))
        else {
            return nil
        }
        return String(parts[2])
    }
}
