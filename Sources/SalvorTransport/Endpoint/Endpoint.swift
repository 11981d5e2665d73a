package import SalvorDigest
package import SalvorWire

/// One side of connections: who it is, whom it talks to, and what it lets a peer do. The same for a side that listens and
/// one that dials.
package struct Endpoint: Sendable {
    /// Whom a peer's certificate has to name.
    package enum ExpectedPeer: Hashable, Sendable {
        case coordinator(run: String)
        case anyHost(run: String)
        case host(run: String, host: String)
    }

    /// Whether this side makes the calls or serves them.
    package var role: Role
    /// What this side shows; nil for a rescue host that is about to enrol.
    package var identity: LocalIdentity?
    package var trust: TLSConfiguration.Trust
    package var validity: TLSConfiguration.Validity
    package var expectedPeer: ExpectedPeer
    /// The protocols that this side offers, the preferred one first.
    package var protocols: [TLSConfiguration.ApplicationProtocol]
    package var limits = Limits.standard
    /// From the start of a connection until TLS stands; the peer's SETTINGS then have ``Limits/prefaceTimeout``.
    package var handshakeTimeout = Duration.seconds(10)
    /// How long a connection may last whose peer has shown no certificate.
    package var enrolmentLifetime = Duration.seconds(60)
    /// The clock that certificates are judged by.
    package var now: @Sendable () -> WallTime = { .now() }

    /// The coordinator of `authority`'s run. It calls hosts of its run, and lets hosts enrol.
    package static func coordinator(of authority: CertificateAuthority) throws(TransportError) -> Endpoint {
        Endpoint(
            role: .caller, identity: try authority.makeCoordinatorIdentity(),
            trust: .authorities([authority.certificate]), validity: .checked(),
            expectedPeer: .anyHost(run: authority.run),
            protocols: [
                .init(Connection.protocolName, requiresPeerCertificate: true),
                .init(Connection.enrolmentProtocolName, requiresPeerCertificate: false),
            ])
    }

    /// A rescue host, which serves calls of its run's coordinator.
    ///
    /// Times in the coordinator's certificate are not checked: a guest's clock may be off by hours or by decades, and the
    /// authority, made for this one run, is pinned (``TLSConfiguration/Validity/unchecked``). The coordinator checks
    /// the host's certificate against its own clock, by which it was made.
    /// - Parameters:
    ///   - identity: nil to enrol: the connection then carries enrolment only.
    ///   - authorityFingerprint: SHA-256 of the DER of the run's authority, from the bootstrap data.
    package static func host(
        run: String, authorityFingerprint: Digest, identity: LocalIdentity?
    ) -> Endpoint {
        let name = identity == nil ? Connection.enrolmentProtocolName : Connection.protocolName
        return Endpoint(
            role: .callee, identity: identity, trust: .authority(fingerprint: authorityFingerprint),
            validity: .unchecked,
            expectedPeer: .coordinator(run: run), protocols: [.init(name, requiresPeerCertificate: true)])
    }

    func tlsConfiguration(_ role: TLSConfiguration.Role) -> TLSConfiguration {
        var configuration = TLSConfiguration(role: role, identity: identity, trust: trust)
        configuration.applicationProtocols = protocols
        configuration.validity = validity
        configuration.handshakeTimeout = handshakeTimeout
        configuration.now = now
        let expectedPeer = expectedPeer
        configuration.checkPeer = { certificate throws(TransportError) in
            try expectedPeer.check(try PeerIdentity(of: certificate))
        }
        return configuration
    }
}

extension Endpoint.ExpectedPeer {
    var run: String {
        switch self {
        case .coordinator(let run), .anyHost(let run), .host(let run, _): run
        }
    }

    func check(_ peer: PeerIdentity) throws(TransportError) {
        guard peer.run == run else {
            throw TransportError(
                .wrongRun, "the peer is \(peer), of another run than \(run); the connection was refused")
        }
        let isExpected =
            switch (self, peer) {
            case (.coordinator, .coordinator), (.anyHost, .host): true
            case (.host(_, let expected), .host(_, let host)): host == expected
            default: false
            }
        guard isExpected else {
            throw TransportError(.wrongName, "the peer is \(peer), but \(self) is expected; the connection was refused")
        }
    }
}

extension Endpoint.ExpectedPeer: CustomStringConvertible {
    package var description: String {
        switch self {
        case .coordinator(let run): "the coordinator of run \(run)"
        case .anyHost(let run): "a host of run \(run)"
        case .host(let run, let host): "host \(host) of run \(run)"
        }
    }
}
