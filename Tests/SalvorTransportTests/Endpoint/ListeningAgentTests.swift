import GRPCCore
import NIOCore
import NIOPosix
import SalvorTransport
import Testing

/// SPEC.md R-4 and N-5: the agent listens, the coordinator dials, and TLS has its usual sides.
@Suite(.timeLimit(.minutes(3))) struct ListeningAgentTests {
    static func listen(
        _ run: Run, as identity: LocalIdentity?, handshakeTimeout: Duration = .seconds(120),
        maximumConnections: Int = 16
    ) async throws -> (listener: Listener, refusals: Observed<[Listener.Refusal]>) {
        let refusals = Observed<[Listener.Refusal]>([])
        var endpoint = Endpoint.host(
            run: run.authority.run, authorityFingerprint: run.authority.fingerprint, identity: identity)
        endpoint.handshakeTimeout = handshakeTimeout
        let listener = try await Listener.listen(
            host: "127.0.0.1", port: 0, as: endpoint, tls: .client, maximumConnections: maximumConnections
        ) { refusal in
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
        let refusal = await #expect(throws: TransportError.self) { try await Self.dial(stranger, port: listener.port) }
        #expect(refusal?.code == .refusedByPeer)
        #expect(refusal?.message.contains("belongs to another run") == true, "\(String(describing: refusal))")
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

    /// Somebody who dials, speaks no TLS, and notes what comes.
    static func stranger(
        at port: Int, saying bytes: [UInt8] = []
    ) async throws -> (seen: Observed<Seen>, channel: any Channel) {
        let seen = Observed(Seen())
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Recorder(seen))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        if !bytes.isEmpty { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get() }
        return (seen, channel)
    }

    @Test func `N-5: strangers who say nothing learn nothing, and hold no place for longer than a handshake may take`()
        async throws
    {
        let run = try Run()
        let (listener, refusals) = try await Self.listen(
            run, as: try run.host("rescue-1"), handshakeTimeout: .milliseconds(500), maximumConnections: 2)
        // Those who come in are greeted, until every place is taken: one more is closed without a word. On a busy machine a
        // place may be free again by then, and then there are more who are greeted.
        var silent: [Observed<Seen>] = []
        while true {
            let stranger = try await Self.stranger(at: listener.port).seen
            let seen = try await stranger.wait(for: "a greeting, or the end") { !$0.bytes.isEmpty || $0.isInactive }
            if seen.bytes.isEmpty { break }
            silent.append(stranger)
        }
        #expect(silent.count >= 2)
        try await refusals.wait(for: "a refusal for want of a place") {
            $0.contains { $0.error.code == .tooManyConnections }
        }

        for stranger in silent {
            let seen = try await stranger.wait(for: "its end") { $0.isInactive }
            // A TLS handshake's ClientHello, in which nobody is named.
            #expect(seen.bytes.first == 22)
            let text = String(decoding: seen.bytes, as: UTF8.self)
            #expect(!text.contains("rescue-1") && !text.contains("run-1"))
        }
        let count = silent.count
        try await refusals.wait(for: "their ends") {
            $0.filter { $0.error.code == .handshakeTimeout }.count == count
        }

        // The places are given back when the channels are closed, which what was seen may come just before.
        var dialled: Connection?
        while dialled == nil { dialled = try? await Self.dial(run, expecting: "rescue-1", port: listener.port) }
        dialled?.close()
        await listener.close()
    }

    @Test(arguments: [
        (Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8), TransportError.Code.notTLS),
        // A preface of the wire without TLS: R-2 leaves no way round it.
        (Array("SALVOR\0\u{1}".utf8), .notTLS),
    ])
    func `R-2: what is not TLS is refused at once`(bytes: [UInt8], code: TransportError.Code) async throws {
        let run = try Run()
        let (listener, refusals) = try await Self.listen(run, as: try run.host("rescue-1"))
        let (seen, _) = try await Self.stranger(at: listener.port, saying: bytes)
        let refused = try await refusals.wait(for: "a refusal") { !$0.isEmpty }
        #expect(refused.map(\.error.code) == [code])
        try await seen.wait(for: "its end") { $0.isInactive }
        await listener.close()
    }

    @Test func `R-4: an alert of a stranger is told from the coordinator's refusal`() async throws {
        let run = try Run()
        let (listener, refusals) = try await Self.listen(run, as: try run.host("rescue-1"))
        // fatal, unknown_ca: in the clear, as anybody on the way can send it.
        let (seen, _) = try await Self.stranger(at: listener.port, saying: [21, 3, 3, 0, 2, 2, 48])
        try await seen.wait(for: "its end") { $0.isInactive }
        let error = await #expect(throws: TransportError.self) {
            try await Self.dial(run, expecting: "rescue-2", port: listener.port)
        }
        #expect(error?.code == .wrongName)
        let refused = try await refusals.wait(for: "both refusals") { $0.count == 2 }.map(\.error)
        #expect(refused.map(\.code) == [.refusedByPeer, .refusedByPeer])
        #expect(refused.map(\.isOfVerifiedPeer) == [false, true])
        await listener.close()
    }
}
