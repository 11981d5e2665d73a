/// What went wrong on, or on the way to, a connection; with certificates and tokens too.
///
/// Two errors are the same kind when their ``code`` is the same; the message is for people.
package struct TransportError: Error, Sendable {
    /// An open set: a code that a reader does not know is treated like ``connectionLost``.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        package let description: String

        private init(_ description: String) { self.description = description }
    }

    package var code: Code
    /// What happened, to what, what state it left behind, and what to do next.
    package var message: String
    package var cause: (any Error)?
    /// Whether the peer had proven itself by then. Before that, anybody on the way can send an alert that refuses us.
    package var isOfVerifiedPeer = false

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension TransportError: CustomStringConvertible {
    package var description: String {
        if let cause { "\(code): \(message) (\(cause))" } else { "\(code): \(message)" }
    }
}

extension TransportError.Code {
    // Handshake.
    /// The bytes that arrived are not TLS.
    package static let notTLS = Self("not TLS")
    /// The peer offers no TLS 1.3.
    package static let tlsVersion = Self("TLS version")
    /// No application protocol in common.
    package static let noCommonProtocol = Self("no common protocol")
    /// The handshake took too long, or the peer's first frames after it did.
    package static let handshakeTimeout = Self("handshake timeout")
    /// The handshake failed for a reason that has no code of its own.
    package static let handshakeFailed = Self("handshake failed")
    /// The peer refused us, and said so by a TLS alert.
    package static let refusedByPeer = Self("refused by peer")

    // The peer's certificate.
    /// Not issued by the authority that is trusted here.
    package static let wrongCertificateAuthority = Self("wrong certificate authority")
    package static let certificateExpired = Self("certificate expired")
    package static let certificateNotYetValid = Self("certificate not yet valid")
    /// Issued by the right authority, to somebody else.
    package static let wrongName = Self("wrong name")
    /// Names another run than this one.
    package static let wrongRun = Self("wrong run")
    package static let noCertificate = Self("no certificate")
    /// Issued by the run, and no longer good for it.
    package static let certificateRevoked = Self("certificate revoked")
    /// Broken, or not allowed to do what it was shown for.
    package static let badCertificate = Self("bad certificate")

    // Certificates of ours, requests and tokens.
    /// OpenSSL cannot do what is asked: out of memory, or forbidden by the system's policy.
    package static let cryptography = Self("cryptography")
    package static let badRequest = Self("bad certificate request")
    package static let badName = Self("bad name")
    package static let unknownToken = Self("unknown enrolment token")
    package static let tokenExpired = Self("enrolment token expired")
    package static let tokenUsed = Self("enrolment token used")
    package static let tooManyAttempts = Self("too many enrolment attempts")
    /// A key or certificate file cannot be read, written, or trusted.
    package static let keyStore = Self("key store")

    // The connection.
    package static let cannotListen = Self("cannot listen")
    package static let cannotConnect = Self("cannot connect")
    /// The peer broke a rule of the wire.
    package static let protocolViolation = Self("protocol violation")
    /// The bytes stopped without the peer saying that it was done.
    package static let truncated = Self("truncated")
    /// The peer is gone.
    package static let connectionLost = Self("connection lost")
    /// Closed by this side.
    package static let closed = Self("closed")
    /// Refused without a look: too many connections at once.
    package static let tooManyConnections = Self("too many connections")
}
