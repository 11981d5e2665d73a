import NIOCore
import NIOPosix

/// A stretch of network between two ends: counts what passes, and can be cut.
final class Proxy: Sendable {
    struct Passed: Sendable {
        var towardsListener = 0
        var towardsDialler = 0
    }

    let passed = Observed(Passed())
    let port: Int
    private let listener: any Channel
    private let channels: Observed<[any Channel]>

    private init(listener: any Channel, channels: Observed<[any Channel]>, port: Int) {
        self.listener = listener
        self.channels = channels
        self.port = port
    }

    static func open(to target: Int) async throws -> Proxy {
        let channels = Observed<[any Channel]>([])
        let holder = Observed<Proxy?>(nil)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { near in
                ClientBootstrap(group: near.eventLoop).connect(host: "127.0.0.1", port: target).flatMapThrowing { far in
                    channels.update { $0 += [near, far] }
                    try near.pipeline.syncOperations.addHandler(
                        Relay(to: far) { count in holder.value?.passed.update { $0.towardsListener += count } })
                    try far.pipeline.syncOperations.addHandler(
                        Relay(to: near) { count in holder.value?.passed.update { $0.towardsDialler += count } })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let proxy = Proxy(listener: listener, channels: channels, port: listener.localAddress!.port!)
        holder.update { $0 = proxy }
        return proxy
    }

    /// Ends both sides without a word of TLS.
    func cut() { for channel in channels.value { channel.close(promise: nil) } }

    func close() async {
        try? await listener.close()
        cut()
    }
}

private final class Relay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    let other: any Channel
    let count: (Int) -> Void

    init(to other: any Channel, count: @escaping (Int) -> Void) {
        self.other = other
        self.count = count
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        count(buffer.readableBytes)
        other.writeAndFlush(buffer, promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }
}
