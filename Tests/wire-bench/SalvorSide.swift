import GRPCCore
import SalvorTransport
import SalvorWire

/// Salvor's transport, both ends in this process.
struct SalvorSide: Sendable {
    private let coordinator: Endpoint
    private let host: Endpoint

    init() throws { try self.init(CertificateAuthority(run: "bench")) }

    init(_ authority: CertificateAuthority) throws {
        coordinator = try Endpoint.coordinator(of: authority)
        let key = try KeyPair.generate()
        let request = try CertificateRequest(for: .host(run: authority.run, host: "rescue-1"), key: key)
        let certificate = try authority.sign(request, forHost: "rescue-1", validFor: .seconds(3600), now: .now())
        host = Endpoint.host(
            run: authority.run, authorityFingerprint: authority.fingerprint,
            identity: LocalIdentity(chain: [certificate, authority.certificate], key: key))
    }

    func listen() async throws -> Listener {
        try await Listener.listen(host: "127.0.0.1", port: 0, as: coordinator, maximumConnections: 20_000) { refusal in
            print("refused: \(refusal.error)")
        }
    }

    func connect(to port: Int) async throws -> Connection {
        try await Dialler(as: host).connect(host: "127.0.0.1", port: port)
    }

    /// As the product has it: who dials serves, and who listens calls.
    func with<Result: Sendable>(_ body: @escaping @Sendable (any EchoCalls) async throws -> Result) async throws
        -> Result
    {
        let listener = try await listen()
        var connections = listener.connections.makeAsyncIterator()
        let callee = try await connect(to: listener.port)
        guard let caller = await connections.next() else {
            throw RPCError(code: .unavailable, message: "no connection")
        }
        let server = GRPCServer(transport: SalvorServerTransport(callee), services: [EchoService()])
        let client = GRPCClient(transport: SalvorClientTransport(caller))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.serve() }
            group.addTask { try await client.runConnections() }
            let result = try await body(EchoClient(client: client))
            client.beginGracefulShutdown()
            server.beginGracefulShutdown()
            try await group.waitForAll()
            await listener.close()
            return result
        }
    }

    /// Connections made and closed, one after the other, for so long.
    func handshakes(for duration: Duration) async throws -> Double {
        let listener = try await listen()
        let held = Task { for await connection in listener.connections { _ = connection } }
        let dialler = try Dialler(as: host)
        let began = ContinuousClock.now
        var count = 0
        while began.duration(to: .now) < duration {
            try await dialler.connect(host: "127.0.0.1", port: listener.port).close()
            count += 1
        }
        let rate = Double(count) / (began.duration(to: .now) / .seconds(1))
        await listener.close()
        await held.value
        return rate
    }
}
