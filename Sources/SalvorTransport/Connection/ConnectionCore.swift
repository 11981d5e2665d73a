internal import NIOCore
internal import SalvorWire

/// The way from any task to the handler on its event loop.
struct ConnectionCore: Sendable {
    let eventLoop: any EventLoop
    /// Bytes of the largest message that this side takes.
    let maxMessage: Int
    /// Bytes of the largest message that the peer takes.
    let maxPeerMessage: Int
    /// Bytes that a call's writer may be ahead of the event loop.
    let roomForWriters: Int
    /// Cost of read messages from which their window is given back. A quarter of a stream's: what the peer has left is
    /// three quarters then, and it waits for nothing; and no hop to the event loop is made for every message.
    let costWorthReturning: Int
    private let handler: NIOLoopBound<ConnectionHandler>

    /// Called on the event loop, when the peer's settings are known.
    init(_ handler: ConnectionHandler, eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        maxMessage = Int(handler.limits.maxMessage)
        maxPeerMessage = Int(handler.peerSettings.maxMessage)
        roomForWriters = handler.limits.sendQueueHighWater / 4
        costWorthReturning = Int(handler.limits.initialStreamWindow) / 4
        self.handler = NIOLoopBound(handler, eventLoop: eventLoop)
    }

    func perform(_ body: @escaping @Sendable (ConnectionHandler) -> Void) {
        eventLoop.execute { body(handler.value) }
    }
}
