import GRPCCore
import NIOCore
import NIOPosix
import SalvorTransport
import SalvorWire
import Testing

@Suite(.timeLimit(.minutes(3))) struct ListenerTests {
    /// A listening coordinator, and what it has refused.
    struct Coordinator {
        let listener: Listener
        let refusals: Observed<[Listener.Refusal]>

        init(_ endpoint: Endpoint, maximumConnections: Int = 256) async throws {
            let refusals = Observed<[Listener.Refusal]>([])
            self.refusals = refusals
            listener = try await Listener.listen(
                host: "127.0.0.1", port: 0, as: endpoint, maximumConnections: maximumConnections
            ) { refusal in refusals.update { $0.append(refusal) } }
        }

        func expectRefusal(_ code: TransportError.Code) async throws {
            let seen = try await refusals.wait(for: "\(code)") { !$0.isEmpty }
            #expect(seen.map(\.error.code) == [code])
            #expect(seen[0].remoteAddress.hasPrefix("ipv4:127.0.0.1:"))
            refusals.update { $0 = [] }
        }
    }

    static func host(_ run: Run, _ identity: LocalIdentity?) -> Endpoint {
        Endpoint.host(run: run.authority.run, authorityFingerprint: run.authority.fingerprint, identity: identity)
    }

    /// Why dialling failed.
    static func failure(of endpoint: Endpoint, port: Int) async throws -> TransportError {
        do {
            let connection = try await SalvorTransport.Dialler(as: endpoint).connect(host: "127.0.0.1", port: port)
            connection.close()
            Issue.record("connected")
            throw CancellationError()
        } catch let error as TransportError {
            return error
        }
    }

    @Test func `who does not belong is refused with the reason, and those who do are served all the while`()
        async throws
    {
        let run = try Run()
        let (sameName, otherRun) = (try Run(), try Run("run-2"))
        var endpoint = try Endpoint.coordinator(of: run.authority)
        endpoint.handshakeTimeout = .seconds(120)
        let coordinator = try await Coordinator(endpoint)
        let port = coordinator.listener.port
        var iterator = coordinator.listener.connections.makeAsyncIterator()
        let good = try await SalvorTransport.Dialler(as: Self.host(run, try run.host("good")))
            .connect(host: "127.0.0.1", port: port)
        let accepted = try #require(await iterator.next())

        // A host of another run that has the same name: it does not get as far as its certificate.
        #expect(
            try await Self.failure(of: Self.host(sameName, try sameName.host("h")), port: port).code
                == .wrongCertificateAuthority)
        try await coordinator.expectRefusal(.refusedByPeer)

        // One that trusts this coordinator, but shows another authority's certificate.
        var stranger = Self.host(run, try otherRun.host("h"))
        #expect(try await Self.failure(of: stranger, port: port).code == .refusedByPeer)
        try await coordinator.expectRefusal(.wrongCertificateAuthority)

        // None at all, on the protocol that needs one.
        stranger = Self.host(run, nil)
        stranger.protocols = [.init(Connection.protocolName, requiresPeerCertificate: true)]
        #expect(try await Self.failure(of: stranger, port: port).code == .refusedByPeer)
        try await coordinator.expectRefusal(.noCertificate)

        // One that has expired; the coordinator's clock decides.
        let past = WallTime.now() - .seconds(86_400)
        stranger = Self.host(run, try run.host("late", validFor: .seconds(3600), now: past))
        let expired = try await Self.failure(of: stranger, port: port)
        #expect(expired.code == .refusedByPeer)
        #expect(expired.message.contains("expired"))
        try await coordinator.expectRefusal(.certificateExpired)

        // The right authority, but the certificate of a coordinator.
        stranger = Self.host(run, run.coordinator)
        #expect(try await Self.failure(of: stranger, port: port).code == .refusedByPeer)
        try await coordinator.expectRefusal(.wrongName)

        // Another protocol, and no TLS.
        stranger = Self.host(run, try run.host("h"))
        stranger.protocols = [.init("http/1.1", requiresPeerCertificate: true)]
        #expect(try await Self.failure(of: stranger, port: port).code == .noCommonProtocol)
        try await coordinator.expectRefusal(.noCommonProtocol)
        let plain = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port).get()
        try await plain.writeAndFlush(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n"))
        try await coordinator.expectRefusal(.notTLS)
        try? await plain.close()

        #expect(try await accepted.ping() > .zero)
        #expect(accepted.peer == .host(run: "run-1", host: "good"))
        good.close()
        await coordinator.listener.close()
    }

    @Test func `a certificate of another run is told apart, although its authority is trusted`() async throws {
        let run = try Run()
        var endpoint = try Endpoint.coordinator(of: run.authority)
        endpoint.expectedPeer = .anyHost(run: "run-of-tomorrow")
        let coordinator = try await Coordinator(endpoint)
        _ = try await Self.failure(of: Self.host(run, try run.host("h")), port: coordinator.listener.port)
        try await coordinator.expectRefusal(.wrongRun)

        endpoint.expectedPeer = .host(run: "run-1", host: "another")
        let picky = try await Coordinator(endpoint)
        _ = try await Self.failure(of: Self.host(run, try run.host("h")), port: picky.listener.port)
        try await picky.expectRefusal(.wrongName)
        await coordinator.listener.close()
        await picky.listener.close()
    }

    @Test func `a host whose clock is in 1970 still trusts its coordinator`() async throws {
        let run = try Run()
        let coordinator = try await Coordinator(try .coordinator(of: run.authority))
        var host = Self.host(run, try run.host("h"))
        host.now = { WallTime(secondsSinceEpoch: 60) }
        let connection = try await SalvorTransport.Dialler(as: host)
            .connect(host: "127.0.0.1", port: coordinator.listener.port)
        host.validity = .checked()
        #expect(try await Self.failure(of: host, port: coordinator.listener.port).code == .certificateNotYetValid)
        connection.close()
        await coordinator.listener.close()
    }

    @Test func `a host enrols with its token, and comes back with its certificate (N-3)`() async throws {
        let run = try Run()
        let tokens = EnrolmentTokens()
        let token = try tokens.issue(forHost: "rescue-1").token
        let coordinator = try await Coordinator(try .coordinator(of: run.authority))
        var iterator = coordinator.listener.connections.makeAsyncIterator()

        // The host: a key of its own, a request for its name, and a service that hands both over and takes the certificate.
        let key = try KeyPair.generate()
        let request = try CertificateRequest(for: .host(run: "run-1", host: "rescue-1"), key: key)
        let installed = Observed<LocalIdentity?>(nil)
        let service = Service(methods: [
            "Request": { _, _ in
                StreamingServerResponse { writer in
                    try await writer.write(request.der)
                    try await writer.write(token.bytes)
                    return [:]
                }
            },
            "Install": { request, _ in
                for try await der in request.messages {
                    let certificate = try Certificate(der: der)
                    installed.update { $0 = LocalIdentity(chain: [certificate], key: key) }
                }
                return StreamingServerResponse(single: ServerResponse(message: []))
            },
        ])
        let dialled = try await SalvorTransport.Dialler(as: Self.host(run, nil))
            .connect(host: "127.0.0.1", port: coordinator.listener.port)
        #expect(dialled.isEnrolment)
        #expect(dialled.peer == .coordinator(run: "run-1"))
        let accepted = try #require(await iterator.next())
        #expect(accepted.isEnrolment)
        #expect(accepted.peer == nil)
        try await withGRPCServer(transport: SalvorServerTransport(dialled), services: [service]) { _ in
            try await withGRPCClient(transport: SalvorClientTransport(accepted)) { client in
                let parts = try await client.stream("Request") { _ in
                } receive: { response in
                    try await response.messages.reduce(into: []) { $0.append($1) }
                }
                let request = try CertificateRequest(der: parts[0])
                _ = try tokens.redeem(
                    parts[1], forHost: "rescue-1", publicKey: request.publicKey, from: accepted.remoteHost)
                let certificate = try run.authority.sign(request, forHost: "rescue-1")
                _ = try await client.call("Install", certificate.der)
            }
        }

        let identity = try #require(installed.value)
        let back = try await SalvorTransport.Dialler(as: Self.host(run, identity))
            .connect(host: "127.0.0.1", port: coordinator.listener.port)
        let host = try #require(await iterator.next())
        #expect(host.peer == .host(run: "run-1", host: "rescue-1"))
        #expect(!host.isEnrolment)
        back.close()
        await coordinator.listener.close()
        #expect(coordinator.refusals.value.isEmpty)
    }

    @Test func `a connection without a certificate ends by itself`() async throws {
        let run = try Run()
        var endpoint = try Endpoint.coordinator(of: run.authority)
        endpoint.enrolmentLifetime = .milliseconds(100)
        let coordinator = try await Coordinator(endpoint)
        let connection = try await SalvorTransport.Dialler(as: Self.host(run, nil))
            .connect(host: "127.0.0.1", port: coordinator.listener.port)
        #expect(await connection.closed()?.code != nil)
        await coordinator.listener.close()
    }

    @Test func `what comes beyond the number of connections is refused, and a place that is free again is given`()
        async throws
    {
        let run = try Run()
        let coordinator = try await Coordinator(try .coordinator(of: run.authority), maximumConnections: 1)
        let port = coordinator.listener.port
        var iterator = coordinator.listener.connections.makeAsyncIterator()
        let host = Self.host(run, try run.host("h"))
        let first = try await SalvorTransport.Dialler(as: host).connect(host: "127.0.0.1", port: port)
        let accepted = try #require(await iterator.next())
        _ = try await Self.failure(of: host, port: port)
        try await coordinator.expectRefusal(.tooManyConnections)
        first.close()
        _ = await accepted.closed()
        // The place is given back when the channel is closed, which the callback above may come just before.
        var second: Connection?
        while second == nil {
            second = try? await SalvorTransport.Dialler(as: host).connect(host: "127.0.0.1", port: port)
        }
        second?.close()
        await coordinator.listener.close()
    }

    @Test func `nobody there, a port in use, and a peer that says nothing are told apart`() async throws {
        let run = try Run()
        let coordinator = try await Coordinator(try .coordinator(of: run.authority))
        let port = coordinator.listener.port
        await #expect(throws: TransportError.self) { try await Self.listen(port: port, run) }
        await coordinator.listener.close()
        var host = Self.host(run, try run.host("h"))
        #expect(try await Self.failure(of: host, port: port).code == .cannotConnect)

        // It accepts, and is silent.
        let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(
            host: "127.0.0.1", port: 0
        )
        .get()
        host.handshakeTimeout = .milliseconds(100)
        #expect(try await Self.failure(of: host, port: silent.localAddress!.port!).code == .handshakeTimeout)
        try await silent.close()
    }

    private static func listen(port: Int, _ run: Run) async throws {
        let endpoint = try Endpoint.coordinator(of: run.authority)
        let listener = try await Listener.listen(host: "127.0.0.1", port: port, as: endpoint) { _ in }
        await listener.close()
    }
}

@Suite struct BackoffTests {
    @Test func `waits double up to the maximum, and are jittered by up to a half`() {
        var random = SystemRandomNumberGenerator()
        var backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(1))
        for span: Duration in [
            .milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800), .seconds(1), .seconds(1),
        ] {
            let wait = backoff.next(using: &random)
            #expect(wait <= span && wait >= span * 0.499)
        }
        for _ in 0..<100 { #expect(backoff.next(using: &random) <= .seconds(1)) }
        backoff.reset()
        #expect(backoff.next(using: &random) <= .milliseconds(100))
    }
}
