import NIOCore
import SalvorTransport
import Testing

@Suite struct HandshakeTests {
    @Test func `both sides see each other's certificate, and bytes arrive in order both ways`() async throws {
        let run = try Run()
        let host = try run.host("rescue-1")
        let pair = try await TLSPair.open(server: run.server, client: run.client(host), echoes: true)
        let sent = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 11) }
        pair.send(sent)
        let client = try await pair.client.wait(for: "the echo") { $0.bytes.count >= sent.count }
        #expect(client.bytes == sent)
        #expect(client.handshake?.applicationProtocol == "salvor/1")
        #expect(client.handshake?.peerCertificate == run.coordinator.chain[0])
        #expect(pair.server.value.handshake?.peerCertificate == host.chain[0])
        await pair.close()
        try await pair.server.wait(for: "the orderly end") { $0.isInactive }
        #expect(pair.server.value.error == nil)
        #expect(pair.client.value.error == nil)
    }

    @Test func `a client refuses a server of another run's authority, and the server is told`() async throws {
        let (ours, theirs) = (try Run(), try Run())
        let pair = try await TLSPair.open(server: theirs.server, client: ours.client(try ours.host("h")))
        try await expect(.wrongCertificateAuthority, at: pair.client)
        try await expect(.refusedByPeer, at: pair.server)
        await pair.close()
    }

    @Test
    func `a server refuses a client of another authority, and the client is told although it thought itself done`()
        async throws
    {
        let (ours, theirs) = (try Run(), try Run())
        let pair = try await TLSPair.open(server: ours.server, client: ours.client(try theirs.host("h")))
        // What a client sends before it knows better must not destroy the alert on its way.
        pair.send(Array(repeating: 7, count: 200_000))
        try await expect(.wrongCertificateAuthority, at: pair.server)
        let refused = try await expect(.refusedByPeer, at: pair.client)
        #expect(refused.message.contains("another run"))
        #expect(pair.server.value.handshake == nil)
        await pair.close()
    }

    @Test(arguments: [
        (validFor: 3600, clock: 7200, TransportError.Code.certificateExpired),
        (validFor: 3600, clock: -3600, TransportError.Code.certificateNotYetValid),
    ])
    func `a certificate out of its time is refused, and the reason is told apart`(
        validFor: Int, clock: Int, code: TransportError.Code
    ) async throws {
        let run = try Run()
        var server = run.server
        let now = WallTime.now()
        server.now = { now + .seconds(clock) }
        let client = run.client(try run.host("h", validFor: .seconds(validFor), now: now))
        let pair = try await TLSPair.open(server: server, client: client)
        try await expect(code, at: pair.server)
        try await expect(.refusedByPeer, at: pair.client)
        await pair.close()
    }

    @Test(arguments: [TLSConfiguration.Validity.checked(tolerance: .seconds(7200)), .unchecked])
    func `a wrong clock does no harm within the tolerance, or where times are not checked`(
        validity: TLSConfiguration.Validity
    ) async throws {
        let run = try Run()
        var server = run.server
        let now = WallTime.now()
        server.now = { now + .seconds(7200) }
        server.validity = validity
        let pair = try await TLSPair.open(server: server, client: run.client(try run.host("h", now: now)))
        try await pair.server.wait(for: "the handshake") { $0.handshake != nil }
        await pair.close()
    }

    @Test func `salvor/1 needs a client certificate, salvor-enrol/1 does not (N-1, N-4)`() async throws {
        let run = try Run()
        let refused = try await TLSPair.open(server: run.server, client: run.client(nil))
        try await expect(.noCertificate, at: refused.server)
        let error = try await expect(.refusedByPeer, at: refused.client)
        #expect(error.message.contains("enrol first"))
        await refused.close()

        let accepted = try await TLSPair.open(server: run.server, client: run.client(nil, speaking: "salvor-enrol/1"))
        let seen = try await accepted.server.wait(for: "the handshake") { $0.handshake != nil }
        #expect(seen.handshake?.applicationProtocol == "salvor-enrol/1")
        #expect(seen.handshake?.peerCertificate == nil)
        await accepted.close()
    }

    @Test func `peers without a common protocol part, and both know why`() async throws {
        let run = try Run()
        let other = try await TLSPair.open(
            server: run.server, client: run.client(try run.host("h"), speaking: "http/1.1"))
        try await expect(.noCommonProtocol, at: other.server)
        try await expect(.noCommonProtocol, at: other.client)
        await other.close()

        var silent = run.client(try run.host("h"))
        silent.applicationProtocols = []
        let none = try await TLSPair.open(server: run.server, client: silent)
        try await expect(.noCommonProtocol, at: none.server)
        await none.close()
    }

    @Test
    func
        `a server certificate signed with another key than the pinned one is refused though it carries the pinned one`()
        async throws
    {
        let (ours, theirs) = (try Run(), try Run())
        var forged = theirs.coordinator
        forged.chain = [forged.chain[0], ours.authority.certificate]
        var server = ours.server
        server.identity = forged
        let pair = try await TLSPair.open(server: server, client: ours.client(try ours.host("h")))
        try await expect(.wrongCertificateAuthority, at: pair.client)
        await pair.close()
    }

    @Test func `a host's certificate cannot vouch for another one`() async throws {
        let run = try Run()
        let host = try run.host("h")
        // The host's own certificate as the pinned authority: it is not one.
        var client = run.client(host)
        client.trust = .authority(fingerprint: run.coordinator.chain[0].fingerprint)
        var server = run.server
        server.identity = LocalIdentity(chain: [run.coordinator.chain[0]], key: run.coordinator.key)
        let pair = try await TLSPair.open(server: server, client: client)
        let seen = try await pair.client.wait(for: "a refusal") { $0.error != nil }
        #expect(seen.handshake == nil)
        await pair.close()
    }
}

@discardableResult
func expect(
    _ code: TransportError.Code, at end: Observed<Seen>, sourceLocation: SourceLocation = #_sourceLocation
) async throws -> TransportError {
    let seen = try await end.wait(for: "\(code)") { $0.error != nil && $0.isInactive }
    let error = try #require(seen.error, sourceLocation: sourceLocation)
    #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
    return error
}
