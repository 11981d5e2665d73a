import NIOCore
import NIOPosix
import SalvorTransport

/// What one end of a connection has seen.
struct Seen: Sendable {
    var handshake: TLSHandshake?
    var bytes: [UInt8] = []
    var error: TransportError?
    var inputClosed = false
    var isInactive = false
}

/// Notes what comes out of a TLS handler; echoes what it reads if told to.
final class Recorder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let seen: Observed<Seen>
    let echoes: Bool

    init(_ seen: Observed<Seen>, echoes: Bool = false) {
        self.seen = seen
        self.echoes = echoes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        seen.update { $0.bytes += Array(buffer.readableBytesView) }
        if echoes { context.writeAndFlush(wrapOutboundOut(buffer), promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let handshake = event as? TLSHandshake { seen.update { $0.handshake = handshake } }
        if case .inputClosed = event as? ChannelEvent {
            seen.update { $0.inputClosed = true }
            if echoes {
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "last words")), promise: nil)
                context.close(promise: nil)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TransportError { seen.update { $0.error = $0.error ?? error } }
    }

    func channelInactive(context: ChannelHandlerContext) {
        seen.update { $0.isInactive = true }
    }
}

/// A server and a client over a real socket on the loopback.
struct TLSPair {
    let server: Observed<Seen>
    let client: Observed<Seen>
    let listener: any Channel
    let channel: any Channel

    /// - Parameter client: nil for a client that speaks no TLS.
    static func open(
        server: TLSConfiguration, client: TLSConfiguration?, echoes: Bool = false, allowsHalfClosure: Bool = false
    ) async throws -> TLSPair {
        let seenByServer = Observed(Seen())
        let seenByClient = Observed(Seen())
        let serverContext = try TLSContext(server)
        let clientContext = try client.map { configuration throws in try TLSContext(configuration) }
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: allowsHalfClosure)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        TLSHandler(serverContext, allowsHalfClosure: allowsHalfClosure),
                        Recorder(seenByServer, echoes: echoes),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let address = listener.localAddress!
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: allowsHalfClosure)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let clientContext {
                        try channel.pipeline.syncOperations.addHandler(
                            TLSHandler(clientContext, allowsHalfClosure: allowsHalfClosure))
                    }
                    try channel.pipeline.syncOperations.addHandler(Recorder(seenByClient))
                }
            }
            .connect(to: address).get()
        return TLSPair(server: seenByServer, client: seenByClient, listener: listener, channel: channel)
    }

    func send(_ bytes: some Sequence<UInt8> & Sendable) {
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    func close() async {
        try? await listener.close()
        try? await channel.close()
    }
}

/// A run's authority with the ends that it vouches for.
struct Run {
    let authority: CertificateAuthority
    let coordinator: LocalIdentity

    init(_ name: String = "run-1") throws {
        authority = try CertificateAuthority(run: name)
        coordinator = try authority.makeCoordinatorIdentity()
    }

    func host(_ name: String, validFor: Duration = .seconds(3600), now: WallTime = .now()) throws -> LocalIdentity {
        let key = try KeyPair.generate()
        let request = try CertificateRequest(for: .host(run: authority.run, host: name), key: key)
        let certificate = try authority.sign(request, forHost: name, validFor: validFor, now: now)
        return LocalIdentity(chain: [certificate, authority.certificate], key: key)
    }

    var server: TLSConfiguration {
        var configuration = TLSConfiguration(
            role: .server, identity: coordinator, trust: .authority(fingerprint: authority.fingerprint))
        // On a busy machine a test may be slow to say its first word; the test of the timeout sets its own.
        configuration.handshakeTimeout = .seconds(120)
        configuration.applicationProtocols = [
            .init("salvor/1", requiresPeerCertificate: true), .init("salvor-enrol/1", requiresPeerCertificate: false),
        ]
        return configuration
    }

    func client(_ identity: LocalIdentity?, speaking name: String = "salvor/1") -> TLSConfiguration {
        var configuration = TLSConfiguration(
            role: .client, identity: identity, trust: .authority(fingerprint: authority.fingerprint))
        configuration.applicationProtocols = [.init(name, requiresPeerCertificate: true)]
        return configuration
    }
}
