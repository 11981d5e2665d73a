import NIOCore
import NIOEmbedded
import SalvorTransport
import Testing

/// What strangers send to a TLS port, and what a network does to a connection.
@Suite struct HostileBytesTests {
    /// A ClientHello of TLS 1.2: no supported_versions extension.
    static let clientHello12: [UInt8] = {
        let body: [UInt8] = [3, 3] + Array(repeating: 9, count: 32) + [0, 0, 2, 0xC0, 0x2F, 1, 0]
        let handshake = [1, 0, 0, UInt8(body.count)] + body
        return [22, 3, 1, 0, UInt8(handshake.count)] + handshake
    }()

    @Test(arguments: [
        (Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8), TransportError.Code.notTLS),
        (Array("SSH-2.0-OpenSSH_9.2\r\n".utf8), .notTLS),
        (Array(repeating: 0, count: 64), .notTLS),
        (Array(repeating: 0xFF, count: 64), .notTLS),
        (clientHello12, .tlsVersion),
    ])
    func `what is not TLS 1.3 is refused with a reason`(bytes: [UInt8], code: TransportError.Code) async throws {
        let pair = try await TLSPair.open(server: try Run().server, client: nil)
        pair.send(bytes)
        try await expect(code, at: pair.server)
        await pair.close()
    }

    @Test func `a handshake that goes on for ever is given up before it costs memory`() async throws {
        let pair = try await TLSPair.open(server: try Run().server, client: nil)
        // A handshake message of 16 MiB, in records of 16 KiB.
        let record: [UInt8] = [22, 3, 1, 0x40, 0] + [1, 0xFF, 0xFF, 0xFF] + Array(repeating: 1, count: 0x4000 - 4)
        pair.send(record + [22, 3, 1, 0x40, 0] + Array(repeating: 1, count: 0x4000))
        let seen = try await pair.server.wait(for: "the refusal") { $0.error != nil }
        #expect(seen.handshake == nil)
        await pair.close()
    }

    @Test func `a peer that says nothing is refused when its time is up`() async throws {
        var server = try Run().server
        server.handshakeTimeout = .milliseconds(50)
        let pair = try await TLSPair.open(server: server, client: nil)
        try await expect(.handshakeTimeout, at: pair.server)
        await pair.close()
    }

    @Test func `a connection that is cut without a word is not mistaken for one that ended`() async throws {
        let run = try Run()
        let pair = try await TLSPair.open(server: run.server, client: run.client(try run.host("h")))
        pair.send(Array("the whole of it".utf8))
        try await pair.server.wait(for: "the bytes") { $0.bytes.count == 15 }
        // From the socket's end of the pipeline: the TLS handler has no say in it.
        let channel = pair.channel
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.context(handlerType: TLSHandler.self).close(mode: .all, promise: nil)
        }.get()
        try await expect(.truncated, at: pair.server)
        await pair.close()
    }

    @Test func `an end in the middle of the handshake is a failed handshake`() async throws {
        let pair = try await TLSPair.open(server: try Run().server, client: nil)
        pair.send(Self.clientHello12.prefix(9))
        try await pair.channel.close()
        try await expect(.handshakeFailed, at: pair.server)
        await pair.close()
    }

    @Test func `a changed byte ends the connection`() throws {
        let pair = try EmbeddedTLS(run: Run())
        try pair.shuttle(piece: .max)
        try pair.client.writeOutbound(ByteBuffer(string: "hello"))
        var record = try #require(try pair.client.readOutbound(as: ByteBuffer.self))
        let last = record.writerIndex - 1
        record.setInteger(record.getInteger(at: last, as: UInt8.self)! ^ 1, at: last)
        _ = try? pair.server.writeInbound(record)
        #expect(pair.serverSeen.value.error?.code == .protocolViolation)
        #expect(pair.serverSeen.value.bytes.isEmpty)
    }

    @Test func `whatever bit of a handshake is flipped, no side takes it for complete and hands out bytes`() throws {
        let run = try Run()
        var refused = 0
        for seed in UInt64(0)..<150 {
            let pair = try EmbeddedTLS(run: run)
            var random = SeededGenerator(seed: seed)
            pair.client.writeAndFlush(ByteBuffer(string: "secret"), promise: nil)
            try pair.shuttle(piece: .max, flipping: &random)
            let (server, client) = (pair.serverSeen.value, pair.clientSeen.value)
            #expect(server.bytes.isEmpty, "seed \(seed)")
            if server.error != nil || client.error != nil { refused += 1 }
        }
        // Where the flip makes a length longer, both sides wait for more: then it is the timeout that ends it.
        #expect(refused > 75)
    }

    @Test(arguments: [1, 2, 5, 1000])
    func `bytes that arrive in pieces of any size make the same connection`(piece: Int) throws {
        let pair = try EmbeddedTLS(run: Run())
        try pair.shuttle(piece: piece)
        try #require(pair.serverSeen.value.handshake != nil)
        let sent = (0..<40_000).map { UInt8(truncatingIfNeeded: $0) }
        for _ in 0..<2 {
            try pair.client.writeOutbound(ByteBuffer(bytes: sent))
            // The peer's answer to a key update travels with its next bytes.
            try pair.client.triggerUserOutboundEvent(TLSKeyUpdate()).wait()
            try pair.shuttle(piece: piece)
            try pair.server.writeOutbound(ByteBuffer(bytes: sent))
            try pair.shuttle(piece: piece)
        }
        #expect(pair.serverSeen.value.bytes == sent + sent)
        #expect(pair.clientSeen.value.bytes == sent + sent)
    }

    @Test func `records of a single byte each are as good as others, and cost no more memory than they hold`() throws {
        let pair = try EmbeddedTLS(run: Run())
        try pair.shuttle(piece: .max)
        let sent = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        for byte in sent {
            try pair.client.writeOutbound(ByteBuffer(bytes: [byte]))
            try pair.shuttle(piece: .max)
        }
        #expect(pair.serverSeen.value.bytes == sent)
        // And many of them at once, in one piece of TCP.
        for byte in sent { try pair.server.writeOutbound(ByteBuffer(bytes: [byte])) }
        try pair.shuttle(piece: .max)
        #expect(pair.clientSeen.value.bytes == sent)
        #expect(pair.serverSeen.value.error == nil && pair.clientSeen.value.error == nil)
    }

    @Test func `emitted buffers stay below the size at which malloc maps each one`() throws {
        let pair = try EmbeddedTLS(run: Run())
        try pair.shuttle(piece: .max)
        try pair.client.writeOutbound(ByteBuffer(repeating: 1, count: 1 << 20))
        var largest = 0
        while let buffer = try pair.client.readOutbound(as: ByteBuffer.self) {
            largest = max(largest, buffer.readableBytes)
        }
        #expect(largest > 16 << 10)
        #expect(largest <= 64 << 10)
    }

    @Test func `a half-closed connection still carries bytes the other way`() async throws {
        let run = try Run()
        let pair = try await TLSPair.open(
            server: run.server, client: run.client(try run.host("h")), echoes: true, allowsHalfClosure: true)
        pair.send(Array("ping".utf8))
        try await pair.client.wait(for: "the handshake and echo") { $0.bytes.count == 4 }
        try await pair.channel.close(mode: .output)
        // The server answers the end of input with some more, and its own end.
        let seen = try await pair.client.wait(for: "the other end") { $0.inputClosed }
        #expect(seen.bytes == Array("pinglast words".utf8))
        #expect(pair.server.value.error == nil)
        #expect(seen.error == nil)
        await pair.close()
    }
}

/// Two ends without a socket: every byte passes through the test's hands.
final class EmbeddedTLS {
    let server = EmbeddedChannel()
    let client = EmbeddedChannel()
    let serverSeen = Observed(Seen())
    let clientSeen = Observed(Seen())

    init(run: Run) throws {
        try server.pipeline.syncOperations.addHandlers([TLSHandler(try TLSContext(run.server)), Recorder(serverSeen)])
        let configuration = run.client(try run.host("h"))
        try client.pipeline.syncOperations.addHandlers([
            TLSHandler(try TLSContext(configuration)), Recorder(clientSeen),
        ])
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        server.connect(to: address, promise: nil)
        client.connect(to: address, promise: nil)
    }

    /// A channel and its handlers hold each other until it is closed.
    deinit {
        for channel in [client, server] { _ = try? channel.finish(acceptAlreadyClosed: true) }
    }

    /// Carries bytes in pieces of `piece` bytes until neither end has any left to send.
    func shuttle(piece: Int) throws {
        var moved = true
        while moved {
            moved = try Self.carry(from: client, to: server, piece: piece)
            if try Self.carry(from: server, to: client, piece: piece) { moved = true }
        }
    }

    /// Carries bytes, with one bit flipped in one of the first flights.
    func shuttle(piece: Int, flipping random: inout some RandomNumberGenerator) throws {
        let flips = Int.random(in: 0..<3, using: &random)
        var flight = 0
        for _ in 0..<6 {
            for (from, to) in [(client, server), (server, client)] {
                var bytes = ByteBuffer()
                while var buffer = try from.readOutbound(as: ByteBuffer.self) { bytes.writeBuffer(&buffer) }
                guard bytes.readableBytes > 0 else { continue }
                if flight == flips {
                    let index = Int.random(in: 0..<bytes.readableBytes, using: &random)
                    let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &random)
                    bytes.setInteger(bytes.getInteger(at: index, as: UInt8.self)! ^ bit, at: index)
                }
                flight += 1
                _ = try? to.writeInbound(bytes)
            }
        }
    }

    private static func carry(from: EmbeddedChannel, to: EmbeddedChannel, piece: Int) throws -> Bool {
        var moved = false
        while var buffer = try from.readOutbound(as: ByteBuffer.self) {
            moved = true
            while let slice = buffer.readSlice(length: min(piece, buffer.readableBytes)), slice.readableBytes > 0 {
                try to.writeInbound(slice)
            }
        }
        return moved
    }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
