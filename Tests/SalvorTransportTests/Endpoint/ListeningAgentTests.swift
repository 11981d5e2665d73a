import GRPCCore
import SalvorTransport
import Testing

/// SPEC.md R-4 and N-5: the agent listens, the coordinator dials, and TLS has its usual sides.
@Suite(.timeLimit(.minutes(3))) struct ListeningAgentTests {
    static func listen(
        _ run: Run, as identity: LocalIdentity?
    ) async throws -> (listener: Listener, refusals: Observed<[Listener.Refusal]>) {
        let refusals = Observed<[Listener.Refusal]>([])
        let endpoint = Endpoint.host(
            run: run.authority.run, authorityFingerprint: run.authority.fingerprint, identity: identity)
        let listener = try await Listener.listen(host: "127.0.0.1", port: 0, as: endpoint, tls: .client) { refusal in
            refusals.update { $0.append(refusal) }
        }
        return (listener, refusals)
    }

    static func dial(_ run: Run, expecting host: String? = nil, port: Int) async throws(TransportError) -> Connection {
        var endpoint = try Endpoint.coordinator(of: run.authority)
        if let host { endpoint.expectedPeer = .host(run: run.authority.run, host: host) }
        return try await SalvorTransport.Dialler(as: endpoint, tls: .server).connect(host: "127.0.0.1", port: port)
    }

    @Test func `N-5: an agent that listens is called by the coordinator that dials it`() async throws {
        let run = try Run()
        let (listener, refusals) = try await Self.listen(run, as: try run.host("rescue-1"))
        let dialled = try await Self.dial(run, expecting: "rescue-1", port: listener.port)
        #expect(dialled.peer == .host(run: "run-1", host: "rescue-1"))
        var iterator = listener.connections.makeAsyncIterator()
        let accepted = try #require(await iterator.next())
        #expect(accepted.peer == .coordinator(run: "run-1"))
        let service = Service(methods: ["Echo": Service.echo])
        try await withGRPCServer(transport: SalvorServerTransport(accepted), services: [service]) { _ in
            try await withGRPCClient(transport: SalvorClientTransport(dialled)) { client in
                let answer = try await client.call("Echo", [7])
                #expect(answer == [7])
            }
        }
        await listener.close()
        #expect(refusals.value.isEmpty)
    }

    @Test(arguments: [false, true])
    func `R-4: a stranger that dials first learns nothing, and costs the coordinator nothing`(isEnrolled: Bool)
        async throws
    {
        let run = try Run()
        // Of the same name, under another authority: all but the fingerprint is right.
        let stranger = try Run()
        let (listener, refusals) = try await Self.listen(run, as: isEnrolled ? try run.host("rescue-1") : nil)
        await #expect(throws: TransportError.self) { try await Self.dial(stranger, port: listener.port) }
        let refused = try await refusals.wait(for: "a refusal") { !$0.isEmpty }
        #expect(refused.map(\.error.code) == [.wrongCertificateAuthority])

        let dialled = try await Self.dial(run, expecting: "rescue-1", port: listener.port)
        #expect(dialled.isEnrolment == !isEnrolled)
        // The stranger never became a connection: the first is the coordinator's.
        var iterator = listener.connections.makeAsyncIterator()
        let accepted = try #require(await iterator.next())
        #expect(accepted.peer == .coordinator(run: "run-1"))
        dialled.close()
        await listener.close()
    }

    @Test func `N-5: the coordinator refuses whoever listens in its host's place`() async throws {
        let run = try Run()
        let (other, _) = try await Self.listen(run, as: try run.host("rescue-2"))
        var error = await #expect(throws: TransportError.self) {
            try await Self.dial(run, expecting: "rescue-1", port: other.port)
        }
        #expect(error?.code == .wrongName)
        await other.close()

        // It believes this coordinator, but has its certificate from another authority.
        let endpoint = Endpoint.host(
            run: "run-1", authorityFingerprint: run.authority.fingerprint, identity: try Run().host("rescue-1"))
        let stranger = try await Listener.listen(host: "127.0.0.1", port: 0, as: endpoint, tls: .client) { _ in }
        error = await #expect(throws: TransportError.self) {
            try await Self.dial(run, expecting: "rescue-1", port: stranger.port)
        }
        #expect(error?.code == .wrongCertificateAuthority)
        await stranger.close()
    }

    @Test func `N-5: the port stays open while a connection lasts`() async throws {
        let run = try Run()
        let (listener, _) = try await Self.listen(run, as: try run.host("rescue-1"))
        let first = try await Self.dial(run, port: listener.port)
        let second = try await Self.dial(run, port: listener.port)
        var iterator = listener.connections.makeAsyncIterator()
        let older = try #require(await iterator.next())
        older.close()
        _ = await first.closed()
        let newer = try #require(await iterator.next())
        #expect(newer.peer == .coordinator(run: "run-1"))
        second.close()
        await listener.close()
    }
}
