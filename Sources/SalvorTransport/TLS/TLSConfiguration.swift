package import SalvorDigest

/// How one side of a TLS 1.3 connection behaves. Older versions are never spoken.
package struct TLSConfiguration: Sendable {
    package enum Role: Sendable { case client, server }

    /// Whom to believe about the peer. There is no system trust store in it: every peer is one of ours.
    package enum Trust: Sendable {
        /// Certificates that chain to one of these.
        case authorities([Certificate])
        /// Certificates that chain to the authority with this SHA-256, which the peer has to send along.
        case authority(fingerprint: Digest)
    }

    /// Whether a peer's certificate has to be valid by this machine's clock.
    package enum Validity: Sendable {
        /// - Parameter tolerance: how wrong the clock may be, either way.
        case checked(tolerance: Duration = .zero)
        /// For a machine whose clock is not to be relied on, such as a rescue host: one that boots in 1970 would refuse every
        /// certificate and could not be told otherwise. Nothing is lost when the trusted authority is pinned and makes the
        /// certificates of one run alone: who can use a peer's expired key there holds the authority's key, too.
        case unchecked
    }

    /// One entry of the ALPN list.
    package struct ApplicationProtocol: Sendable {
        package var name: String
        /// Whether a peer that speaks it has to show a certificate. What is shown is verified in any case.
        package var requiresPeerCertificate: Bool

        package init(_ name: String, requiresPeerCertificate: Bool) {
            self.name = name
            self.requiresPeerCertificate = requiresPeerCertificate
        }
    }

    package var role: Role
    /// What this side shows; a client that has none shows nothing.
    package var identity: LocalIdentity?
    /// nil: peers are not asked for a certificate, which a server alone may do.
    package var trust: Trust?
    package var validity = Validity.checked()
    /// The protocols spoken, the preferred one first. Empty: ALPN is not used. Otherwise a connection has to agree on one.
    package var applicationProtocols: [ApplicationProtocol] = []
    /// A last word on a peer's certificate whose chain is in order: is it the one that is meant?
    package var checkPeer: (@Sendable (Certificate) throws(TransportError) -> Void)?
    /// From the connection's start to the end of the handshake.
    package var handshakeTimeout = Duration.seconds(10)
    /// How long a closing side waits for the peer to close as well, so that what was sent last arrives.
    package var closeTimeout = Duration.seconds(1)
    /// The clock that certificates are judged by.
    package var now: @Sendable () -> WallTime = { .now() }

    /// - Precondition: a server has an identity, and a client has trust.
    package init(role: Role, identity: LocalIdentity?, trust: Trust?) {
        self.role = role
        self.identity = identity
        self.trust = trust
    }
}

/// What a handshake has settled; fired down the pipeline as a user inbound event when it is complete.
package struct TLSHandshake: Sendable {
    /// nil: ALPN is not used.
    package let applicationProtocol: String?
    /// The peer's own certificate, verified; nil when none was shown.
    package let peerCertificate: Certificate?
}

/// Triggered as a user outbound event: from the next write on, encrypt with a new key, and ask the peer to do the same.
package struct TLSKeyUpdate: Sendable {
    package init() {}
}
