package import NIOCore
internal import NIOPosix
internal import Synchronization

/// Waits for connections on a TCP port.
///
/// A peer that is refused costs the others nothing: each connection is set up by itself, those that are not yet set up are
/// limited in number and time, and every refusal is reported with its reason.
package final class Listener: Sendable {
    /// A connection that did not come about.
    package struct Refusal: Sendable {
        package let remoteAddress: String
        package let error: TransportError
    }

    /// Established connections, those for enrolment among them (``Connection/isEnrolment``), in the order in which they
    /// were set up. For one consumer. Ends when the listener is closed.
    package let connections: AsyncStream<Connection>
    /// The port that is listened on: the one that was picked when port 0 was asked for.
    package let port: Int

    private let channel: any Channel

    private init(channel: any Channel, connections: AsyncStream<Connection>) {
        self.channel = channel
        self.connections = connections
        port = channel.localAddress?.port ?? 0
    }

    /// - Parameters:
    ///   - port: 0 for any that is free.
    ///   - role: this side's part in TLS. An agent that listens is still the client (SPEC.md R-4).
    ///   - maximumConnections: of all kinds, at once; what comes beyond is refused without a look.
    ///   - onRefusal: called for each refused connection, on an event loop: it must not block.
    /// - Throws: ``TransportError/Code/cannotListen``, or ``TransportError/Code/cryptography`` when TLS cannot be set up.
    /// - Precondition: a TLS server has an identity.
    package static func listen(
        host: String, port: Int, as endpoint: Endpoint, tls role: TLSConfiguration.Role = .server,
        maximumConnections: Int = 256,
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        onRefusal: @escaping @Sendable (Refusal) -> Void
    ) async throws(TransportError) -> Listener {
        let tls = try TLSContext(endpoint.tlsConfiguration(role))
        let (connections, continuation) = AsyncStream.makeStream(of: Connection.self)
        let places = Places(maximumConnections)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                let address = channel.remoteAddress?.grpcDescription ?? "unknown"
                let refuse = { @Sendable (error: any Error) in
                    onRefusal(
                        Refusal(
                            remoteAddress: address,
                            error: error as? TransportError
                                ?? TransportError(.connectionLost, "the connection broke", cause: error)))
                }
                guard places.take() else {
                    let error = TransportError(
                        .tooManyConnections, "there are \(maximumConnections) connections already; one more was refused"
                    )
                    refuse(error)
                    return channel.eventLoop.makeFailedFuture(error)
                }
                channel.closeFuture.whenComplete { _ in places.giveBack() }
                return channel.eventLoop.makeCompletedFuture {
                    try ConnectionOpener.install(endpoint, tls, on: channel).whenComplete { result in
                        switch result {
                        case .success(let connection):
                            // After the listener's end nobody would ever look at it.
                            if case .terminated = continuation.yield(connection) { connection.close() }
                        case .failure(let error): refuse(error)
                        }
                    }
                }
            }
        do {
            let channel = try await bootstrap.bind(host: host, port: port).get()
            channel.closeFuture.whenComplete { _ in continuation.finish() }
            return Listener(channel: channel, connections: connections)
        } catch {
            throw TransportError(
                .cannotListen,
                "\(host) port \(port) cannot be listened on. Is it in use, or not an address of this machine?",
                cause: error)
        }
    }

    /// Takes no more connections. Those that are established stay.
    package func close() async {
        // It can only be closed already.
        try? await channel.close()
    }
}

/// How many connections there may be.
private final class Places: Sendable {
    private let free: Mutex<Int>

    init(_ count: Int) { free = Mutex(count) }

    func take() -> Bool {
        free.withLock { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
    }

    func giveBack() { free.withLock { $0 += 1 } }
}
