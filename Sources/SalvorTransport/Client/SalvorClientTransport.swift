package import GRPCCore
internal import NIOCore
internal import SalvorWire
internal import Synchronization

/// gRPC calls over one connection, from the side that makes them.
///
/// - A call's deadline (`CallOptions.timeout`) travels with it and is kept by both sides.
/// - A call whose task is cancelled, or whose response nobody reads to its end, is reset: the peer stops working on it.
/// - Messages are compressed as ``MessageCompression`` says, unless `CallOptions.compression` says otherwise for a call;
///   `.deflate` and `.gzip` both mean the wire's zlib.
/// - When the connection ends, calls in flight throw `unavailable`, and so do new ones.
package final class SalvorClientTransport: ClientTransport {
    package typealias Bytes = [UInt8]

    package let retryThrottle: RetryThrottle? = nil

    private let connection: Connection
    private let compression: MessageCompression
    private let shutdown = Ticket<Void>()
    private let isConnecting = Mutex(false)

    /// - Precondition: the connection's role is the caller's, and it has no other transport.
    package init(_ connection: Connection, compression: MessageCompression = .worthwhile) {
        precondition(connection.role == .caller, "this side of the connection serves calls; it cannot make them")
        self.connection = connection
        self.compression = compression
    }

    /// Returns when the client was shut down and the connection is closed. A connection that ends by itself does not end
    /// this: calls then fail as `unavailable`, and ``Connection/closed()`` tells why. Cancelling closes the connection.
    package func connect() async throws {
        let isFirst = isConnecting.withLock { isConnecting in
            defer { isConnecting = true }
            return !isConnecting
        }
        guard isFirst else { throw RPCError(code: .failedPrecondition, message: "the client runs already") }
        await withTaskCancellationHandler {
            // It can fail by cancellation alone, which closes the connection.
            try? await shutdown.value()
            _ = await connection.closed()
        } onCancel: {
            connection.close()
        }
    }

    package func beginGracefulShutdown() {
        shutdown.settle(.success(()))
        connection.drain()
    }

    package func config(forMethod descriptor: MethodDescriptor) -> MethodConfig? { nil }

    package func withStream<T: Sendable>(
        descriptor: MethodDescriptor, options: CallOptions,
        _ closure: (_ stream: RPCStream<Inbound, Outbound>, _ context: ClientContext) async throws -> T
    ) async throws -> T {
        if shutdown.isSettled {
            throw RPCError(code: .unavailable, message: "the client shuts down and takes no new calls")
        }
        let call = Call(on: connection.core)
        // Whatever happened: a stream that has not ended by now is one that nobody waits for.
        defer { call.end(.cancelled) }
        let stream = RPCStream(
            descriptor: descriptor,
            inbound: RPCAsyncSequence(
                wrapping: ResponseParts(call: call, limit: options.maxResponseMessageBytes ?? Self.unlimited)),
            outbound: RPCWriter.Closable(
                wrapping: RequestWriter(
                    call: call, path: descriptor.fullyQualifiedMethod,
                    encoder: MessageEncoder(compression(for: options), limit: options.maxRequestMessageBytes))))
        let context = ClientContext(
            descriptor: descriptor, remotePeer: connection.remoteAddress, localPeer: connection.localAddress)
        return try await closure(stream, context)
    }

    private func compression(for options: CallOptions) -> MessageCompression {
        guard connection.peerAcceptsZlib else { return .never }
        return switch options.compression {
        case nil: compression
        case CompressionAlgorithm.none: .never
        default: .worthwhile
        }
    }

    /// The connection's own limit holds in any case.
    private static let unlimited = Int.max
}

/// What has arrived of a response.
private struct ResponseParts: AsyncSequence, Sendable {
    typealias Element = RPCResponsePart<[UInt8]>
    typealias Failure = any Error

    let call: Call
    let limit: Int

    func makeAsyncIterator() -> Iterator { Iterator(call: call, limit: limit) }

    struct Iterator: AsyncIteratorProtocol {
        let call: Call
        let limit: Int

        mutating func next() async throws -> Element? {
            switch try await call.inbound.next() {
            case .metadata(let metadata): .metadata(metadata)
            case .message(let message, let cost): .message(try call.take(message, cost: cost, limit: limit))
            case .status(let status, let metadata): .status(status, metadata)
            case nil: nil
            }
        }

        mutating func next(isolation actor: isolated (any Actor)?) async throws -> Element? { try await next() }
    }
}
