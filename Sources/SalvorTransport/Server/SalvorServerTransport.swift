package import GRPCCore
internal import NIOCore
internal import SalvorWire

/// gRPC calls over one connection, on the side that serves them.
///
/// A call that its caller cancels, whose deadline passes, or whose connection is lost stops: its cancellation handle fires, and
/// the task of its handler is cancelled.
package final class SalvorServerTransport: ServerTransport {
    package typealias Bytes = [UInt8]

    private let connection: Connection
    private let compression: MessageCompression

    /// - Precondition: the connection's role is the callee's, and it has no other transport.
    package init(_ connection: Connection, compression: MessageCompression = .worthwhile) {
        precondition(connection.role == .callee, "this side of the connection makes calls; it cannot serve them")
        self.connection = connection
        self.compression = compression
    }

    /// Returns when the connection is closed, for whatever reason (``Connection/closed()`` tells it), and the last handler
    /// has returned. Cancelling closes it.
    package func listen(
        streamHandler:
            @escaping @Sendable (_ stream: RPCStream<Inbound, Outbound>, _ context: ServerContext) async -> Void
    ) async throws {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for await incoming in connection.incoming {
                    group.addTask { await self.serve(incoming, streamHandler) }
                }
            }
        } onCancel: {
            connection.close()
        }
        _ = await connection.closed()
    }

    package func beginGracefulShutdown() { connection.drain() }

    private func serve(
        _ incoming: ConnectionHandler.Incoming,
        _ streamHandler: @escaping @Sendable (RPCStream<Inbound, Outbound>, ServerContext) async -> Void
    ) async {
        let call = incoming.call
        // Resets what a handler left open; a call that ended in order is not touched by it.
        defer { call.end(.internalFailure) }
        await withServerContextRPCCancellationHandle { handle in
            // A task of its own, because a child task cannot be cancelled alone.
            let work = Task { await streamHandler(stream(incoming), context(incoming, handle)) }
            let cancel: @Sendable () -> Void = {
                handle.cancel()
                work.cancel()
            }
            call.whenClosed { closure in
                if closure != .finished { cancel() }
            }
            await withTaskCancellationHandler {
                await work.value
            } onCancel: {
                cancel()
            }
        }
    }

    private func stream(_ incoming: ConnectionHandler.Incoming) -> RPCStream<Inbound, Outbound> {
        let encoder = MessageEncoder(connection.peerAcceptsZlib ? compression : .never)
        return RPCStream(
            descriptor: Self.descriptor(path: incoming.headers.path),
            inbound: RPCAsyncSequence(
                wrapping: RequestParts(call: incoming.call, metadata: Metadata(incoming.headers.metadata))),
            outbound: RPCWriter.Closable(
                wrapping: ResponseWriter(call: incoming.call, encoder: encoder)))
    }

    private func context(
        _ incoming: ConnectionHandler.Incoming, _ handle: ServerContext.RPCCancellationHandle
    ) -> ServerContext {
        var context = ServerContext(
            descriptor: Self.descriptor(path: incoming.headers.path), remotePeer: connection.remoteAddress,
            localPeer: connection.localAddress, cancellation: handle)
        context.transportSpecific = SalvorServerContext(peer: connection.peer, call: incoming.call)
        return context
    }

    private static func descriptor(path: String) -> MethodDescriptor {
        guard let slash = path.lastIndex(of: "/") else {
            return MethodDescriptor(fullyQualifiedService: "", method: path)
        }
        return MethodDescriptor(
            fullyQualifiedService: String(path[..<slash]), method: String(path[path.index(after: slash)...]))
    }
}

/// What a handler may want to know about its caller beyond what gRPC tells it.
package struct SalvorServerContext: ServerContext.TransportSpecific {
    /// Whom the caller's certificate names; nil when it has none.
    package let peer: PeerIdentity?
    let call: Call

    /// Whether the call has ended because its connection did: its caller may still want what it asked for.
    package var isConnectionLost: Bool {
        if case .connectionLost? = call.closure { true } else { false }
    }
}

/// What has arrived of a request.
private struct RequestParts: AsyncSequence, Sendable {
    typealias Element = RPCRequestPart<[UInt8]>
    typealias Failure = any Error

    let call: Call
    let metadata: Metadata

    func makeAsyncIterator() -> Iterator { Iterator(call: call, metadata: metadata) }

    struct Iterator: AsyncIteratorProtocol {
        let call: Call
        var metadata: Metadata?

        mutating func next() async throws -> Element? {
            if let metadata {
                self.metadata = nil
                return .metadata(metadata)
            }
            switch try await call.inbound.next() {
            case .message(let message, let cost): return .message(try call.take(message, cost: cost, limit: .max))
            case .metadata, .status: throw RPCError(code: .internalError, message: "a request with parts of a response")
            case nil: return nil
            }
        }

        mutating func next(isolation actor: isolated (any Actor)?) async throws -> Element? { try await next() }
    }
}
