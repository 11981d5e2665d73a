internal import NIOCore
package import SalvorDigest
package import SalvorWire

/// One connection of the wire that both sides have accepted: TLS stands, identities are checked, SETTINGS are exchanged.
///
/// Make one ``SalvorClientTransport`` or one ``SalvorServerTransport`` of it, according to its role; who dialled does not
/// matter. It stays open until one side drains or closes it.
package final class Connection: Sendable {
    /// `salvor/1`
    package static let protocolName = "salvor/1"
    /// `salvor-enrol/1`: for a rescue host that has no certificate yet.
    package static let enrolmentProtocolName = "salvor-enrol/1"

    /// Whether this side makes the calls or serves them.
    package let role: Role
    /// What ALPN settled.
    package let applicationProtocol: String
    /// Whom the peer's certificate names; nil for a rescue host that has none yet and may only enrol.
    package let peer: PeerIdentity?
    /// SHA-256 of the certificate that the peer has shown (DER); nil where it has shown none.
    package let peerCertificateFingerprint: Digest?
    /// As gRPC writes it: `ipv4:127.0.0.1:4711`.
    package let remoteAddress: String
    /// ``remoteAddress`` without its port.
    package var remoteHost: String {
        remoteAddress.lastIndex(of: ":").map { String(remoteAddress[..<$0]) } ?? remoteAddress
    }
    package let localAddress: String

    let peerAcceptsZlib: Bool
    let core: ConnectionCore
    let incoming: AsyncStream<ConnectionHandler.Incoming>
    private let ended: EventLoopFuture<TransportError?>

    /// Called on the event loop, when the handler is ready.
    init(
        _ handler: ConnectionHandler, role: Role, applicationProtocol: String, peer: PeerIdentity?,
        peerCertificateFingerprint: Digest?, channel: any Channel
    ) {
        self.peerCertificateFingerprint = peerCertificateFingerprint
        self.role = role
        self.applicationProtocol = applicationProtocol
        self.peer = peer
        remoteAddress = channel.remoteAddress?.grpcDescription ?? "unknown"
        localAddress = channel.localAddress?.grpcDescription ?? "unknown"
        core = ConnectionCore(handler, eventLoop: channel.eventLoop)
        incoming = handler.incoming
        peerAcceptsZlib = handler.peerSettings.acceptsZlib
        ended = handler.ended.futureResult
    }

    /// Whether it is good for enrolment only: no certificate has been shown for what is called on it.
    package var isEnrolment: Bool { applicationProtocol == Self.enrolmentProtocolName }

    /// Waits until the connection is closed. Not ended by cancellation: close or drain the connection to end it.
    /// - Returns: why; nil for an end that both sides meant.
    package func closed() async -> TransportError? {
        do {
            return try await ended.get()
        } catch {
            return TransportError(.connectionLost, "the connection broke", cause: error)
        }
    }

    /// Takes no new calls, in either direction; those that run go on. Closes the connection after the last one.
    package func drain() { core.perform { $0.drain() } }

    /// Closes the connection now; calls that run end as unavailable.
    package func close() {
        core.perform { $0.abort(.cancelled, TransportError(.closed, "the connection was closed")) }
    }

    /// Asks the peer for a sign of life.
    /// - Returns: the time that it took to answer.
    /// - Throws: ``TransportError`` when the connection ends before.
    package func ping() async throws -> Duration {
        let ticket = Ticket<Duration>()
        core.perform { $0.ping(ticket) }
        return try await ticket.value()
    }
}

extension SocketAddress {
    var grpcDescription: String {
        switch self {
        case .v4: "ipv4:\(ipAddress ?? "?"):\(port ?? 0)"
        case .v6: "ipv6:[\(ipAddress ?? "?")]:\(port ?? 0)"
        case .unixDomainSocket: "unix:\(pathname ?? "?")"
        }
    }
}
