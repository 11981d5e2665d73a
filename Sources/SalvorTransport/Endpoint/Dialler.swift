package import NIOCore
internal import NIOPosix

/// Makes connections to a peer that listens.
package struct Dialler: Sendable {
    private let endpoint: Endpoint
    private let tls: TLSContext
    private let group: any EventLoopGroup

    /// - Parameter tls: this side's part in TLS. A coordinator that dials an agent is still the server: the agent says
    ///   nothing before it knows whom it talks to (SPEC.md R-4).
    /// - Throws: ``TransportError/Code/cryptography`` when TLS cannot be set up.
    /// - Precondition: a TLS server has an identity.
    package init(
        as endpoint: Endpoint, tls role: TLSConfiguration.Role = .client,
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) throws(TransportError) {
        self.endpoint = endpoint
        self.group = group
        tls = try TLSContext(endpoint.tlsConfiguration(role))
    }

    /// Connects, and waits until the peer has accepted this side, which in TLS 1.3 it shows only by what it sends first.
    /// - Parameter timeout: for TCP alone; TLS and the wire have times of their own.
    /// - Throws: ``TransportError``: `cannotConnect` when nobody answers; otherwise why one side refused the other. Nothing is
    ///   left open.
    package func connect(
        host: String, port: Int, timeout: Duration = .seconds(10)
    ) async throws(TransportError) -> Connection {
        let opening: EventLoopFuture<Connection>
        do {
            opening = try await ClientBootstrap(group: group)
                .connectTimeout(TimeAmount(timeout))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .connect(host: host, port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try ConnectionOpener.install(endpoint, tls, on: channel)
                    }
                }
        } catch {
            throw TransportError(
                .cannotConnect, "nobody answers at \(host) port \(port). Is the peer there, and no firewall between?",
                cause: error)
        }
        do {
            return try await opening.get()
        } catch let error as TransportError {
            throw error
        } catch {
            throw TransportError(.connectionLost, "the connection to \(host) port \(port) broke", cause: error)
        }
    }
}
