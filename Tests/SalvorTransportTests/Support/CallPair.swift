import GRPCCore
import SalvorTransport
import SalvorWire
import Testing

/// Messages are the bytes that they are.
struct BytesCoder: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }
    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
        bytes.withUnsafeBytes { Array($0) }
    }
}

typealias Handler =
    @Sendable (StreamingServerRequest<[UInt8]>, ServerContext) async throws -> StreamingServerResponse<[UInt8]>

/// A service made of closures.
struct Service: RegistrableRPCService {
    var methods: [String: Handler] = [:]

    static func descriptor(_ method: String) -> MethodDescriptor {
        MethodDescriptor(fullyQualifiedService: "salvor.test.Service", method: method)
    }

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        for (name, handler) in methods {
            router.registerHandler(
                forMethod: Self.descriptor(name), deserializer: BytesCoder(), serializer: BytesCoder(), handler: handler
            )
        }
    }

    /// Sends back what it gets, message by message, with the request's metadata.
    static let echo: Handler = { request, _ in
        StreamingServerResponse(metadata: request.metadata) { writer in
            for try await message in request.messages { try await writer.write(message) }
            return request.metadata
        }
    }
}

extension GRPCClient {
    /// One message there, one back.
    func call(
        _ method: String, _ message: [UInt8] = [], metadata: Metadata = [:], options: CallOptions = .defaults
    ) async throws -> [UInt8] {
        try await unary(
            request: ClientRequest(message: message, metadata: metadata), descriptor: Service.descriptor(method),
            serializer: BytesCoder(), deserializer: BytesCoder(), options: options
        ) { try $0.message }
    }

    func stream<Result: Sendable>(
        _ method: String, metadata: Metadata = [:], options: CallOptions = .defaults,
        send: @escaping @Sendable (RPCWriter<[UInt8]>) async throws -> Void,
        receive: @escaping @Sendable (StreamingClientResponse<[UInt8]>) async throws -> Result
    ) async throws -> Result {
        try await bidirectionalStreaming(
            request: StreamingClientRequest(metadata: metadata, producer: send), descriptor: Service.descriptor(method),
            serializer: BytesCoder(), deserializer: BytesCoder(), options: options, onResponse: receive)
    }
}

/// Two ends of one real connection: one makes calls, the other serves them.
struct CallPair {
    let caller: Connection
    let callee: Connection
    let client: GRPCClient<SalvorClientTransport>
    let server: GRPCServer<SalvorServerTransport>
    /// What lies between the two ends; nil when nothing does.
    let proxy: Proxy?

    enum Dialler: CaseIterable { case caller, callee }

    static func with<Result: Sendable>(
        _ service: Service, dialler: Dialler = .callee, callerLimits: Limits = .standard,
        calleeLimits: Limits = .standard,
        throughProxy: Bool = false, compression: MessageCompression = .worthwhile,
        _ body: @Sendable (CallPair) async throws -> Result
    ) async throws -> Result {
        let run = try Run()
        var coordinator = try Endpoint.coordinator(of: run.authority)
        coordinator.limits = callerLimits
        var host = Endpoint.host(
            run: run.authority.run, authorityFingerprint: run.authority.fingerprint, identity: try run.host("rescue-1"))
        host.limits = calleeLimits
        let (listening, dialling) = dialler == .callee ? (coordinator, host) : (host, coordinator)
        // SPEC.md R-4: the host is TLS's client, whoever dials.
        let (listeningSide, diallingSide): (TLSConfiguration.Role, TLSConfiguration.Role) =
            dialler == .callee ? (.server, .client) : (.client, .server)
        let listener = try await Listener.listen(host: "127.0.0.1", port: 0, as: listening, tls: listeningSide) {
            refusal in
            Issue.record("refused: \(refusal)")
        }
        let proxy = throughProxy ? try await Proxy.open(to: listener.port) : nil
        let dialled = try await Dialler_(as: dialling, tls: diallingSide)
            .connect(host: "127.0.0.1", port: proxy?.port ?? listener.port)
        var iterator = listener.connections.makeAsyncIterator()
        let accepted = try #require(await iterator.next())
        await listener.close()
        let (caller, callee) = dialler == .callee ? (accepted, dialled) : (dialled, accepted)

        let client = GRPCClient(transport: SalvorClientTransport(caller, compression: compression))
        let server = GRPCServer(transport: SalvorServerTransport(callee, compression: compression), services: [service])
        let pair = CallPair(caller: caller, callee: callee, client: client, server: server, proxy: proxy)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.serve() }
            group.addTask { try await client.runConnections() }
            let result = await Swift.Result { try await body(pair) }
            client.beginGracefulShutdown()
            if case .failure = result {
                caller.close()
                callee.close()
            }
            try await group.waitForAll()
            await proxy?.close()
            return try result.get()
        }
    }
}

typealias Dialler_ = SalvorTransport.Dialler

extension Swift.Result where Failure == any Error {
    init(catching body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

/// The error that `body` ends with.
func rpcError(_ body: () async throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) async throws
    -> RPCError
{
    do {
        try await body()
    } catch {
        return try #require(error as? RPCError, "\(error)", sourceLocation: sourceLocation)
    }
    Issue.record("did not fail", sourceLocation: sourceLocation)
    throw CancellationError()
}
