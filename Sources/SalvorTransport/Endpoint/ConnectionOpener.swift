internal import NIOCore
internal import SalvorWire

/// Stands in a channel's pipeline from TCP to the peer's SETTINGS, and says how that went. Then the
/// ``ConnectionHandler`` that it has put in has the channel to itself.
final class ConnectionOpener: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let endpoint: Endpoint
    private let opened: EventLoopPromise<Connection>
    private var failure: TransportError?
    /// The ``ConnectionHandler`` says from now on how it goes.
    private var hasBegun = false

    private init(_ endpoint: Endpoint, _ opened: EventLoopPromise<Connection>) {
        self.endpoint = endpoint
        self.opened = opened
    }

    /// Sets up a channel's pipeline; called on its event loop.
    /// - Returns: the connection, or why there is none; the channel is closed then. An error is a ``TransportError``.
    static func install(
        _ endpoint: Endpoint, _ tls: TLSContext, on channel: any Channel
    ) throws -> EventLoopFuture<Connection> {
        let opened = channel.eventLoop.makePromise(of: Connection.self)
        do {
            try channel.pipeline.syncOperations.addHandlers([TLSHandler(tls), ConnectionOpener(endpoint, opened)])
        } catch {
            opened.fail(error)
            throw error
        }
        return opened.futureResult
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let handshake = event as? TLSHandshake else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        do {
            try begin(context, handshake)
        } catch {
            opened.fail(error)
            context.close(promise: nil)
        }
    }

    private func begin(_ context: ChannelHandlerContext, _ handshake: TLSHandshake) throws {
        let name = handshake.applicationProtocol ?? ""
        let peer = try handshake.peerCertificate.map { certificate throws in try PeerIdentity(of: certificate) }
        let isEnrolment = name == Connection.enrolmentProtocolName
        let handler = try ConnectionHandler(
            role: endpoint.role, limits: isEnrolment ? .enrolment : endpoint.limits,
            lifetime: isEnrolment ? endpoint.enrolmentLifetime : nil, on: context.eventLoop)
        let (endpoint, opened, channel) = (endpoint, opened, context.channel)
        handler.ready.futureResult.assumeIsolated().whenComplete { result in
            switch result {
            case .success:
                opened.succeed(
                    Connection(
                        handler, role: endpoint.role, applicationProtocol: name, peer: peer,
                        peerCertificateFingerprint: handshake.peerCertificate?.fingerprint, channel: channel))
            case .failure(var error as TransportError):
                error.isOfVerifiedPeer = handshake.peerCertificate != nil
                opened.fail(error)
            case .failure(let error): opened.fail(error)
            }
        }
        hasBegun = true
        try context.pipeline.syncOperations.addHandler(handler, position: .after(self))
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if failure == nil {
            failure = error as? TransportError ?? TransportError(.connectionLost, "the connection broke", cause: error)
        }
        context.close(promise: nil)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        // Also when the channel never became active, because nobody answered.
        guard !hasBegun else { return }
        opened.fail(failure ?? TransportError(.connectionLost, "the peer closed the connection before it was set up"))
    }
}
