import SalvorWire
import Testing

@testable import SalvorTransport

/// Between a call's writer and the event loop.
@Suite(.timeLimit(.minutes(1))) struct CallOutboxTests {
    private static func message(_ first: UInt8, _ count: Int = 64 << 10) -> Message {
        Message([first] + [UInt8](repeating: 0, count: count - 1))
    }

    /// So many messages have room.
    private static let most = 4
    private let outbox = CallOutbox(room: (most * 64) << 10, maxMessage: 1 << 20)

    /// What the event loop gets until there is nothing: the first bytes of messages.
    private func takeAll() -> [String] {
        var taken: [String] = []
        while let entry = outbox.take() { taken.append(Self.text(entry)) }
        return taken
    }

    private static func text(_ entry: CallOutbox.Entry) -> String {
        switch entry {
        case .headers: "headers"
        case .message(let message, _): "\(message.bytes[0])"
        case .halfClose: "half-close"
        case .trailers: "trailers"
        }
    }

    private func fill() throws {
        for number in 0..<Self.most {
            let ticket = try outbox.put(Self.message(UInt8(number))).ticket
            #expect(ticket == nil)
        }
    }

    @Test func `the event loop is asked once, until it has taken everything`() throws {
        #expect(try outbox.put(.headers(WireMetadata(), nil)))
        #expect(try !outbox.put(Self.message(1)).needsFlush)
        #expect(outbox.take().map(Self.text) == "headers")
        #expect(try !outbox.put(.trailers(Trailers(code: .ok, message: ""))))
        #expect(takeAll() == ["1", "trailers"])
        #expect(try outbox.put(.halfClose))
    }

    @Test
    func `a writer waits when there is no room, until half of it is free, and what it says afterwards stays behind`()
        async throws
    {
        try fill()
        let ticket = try #require(try outbox.put(Self.message(100)).ticket)
        _ = try outbox.put(.halfClose)
        for number in 0..<Self.most / 2 {
            #expect(!ticket.isSettled)
            #expect(outbox.take().map(Self.text) == "\(number)")
        }
        #expect(ticket.isSettled)
        try await ticket.value()
        // There is room again.
        #expect(try outbox.put(Self.message(101)).ticket == nil)
        #expect(takeAll() == (Self.most / 2..<Self.most).map { "\($0)" } + ["100", "half-close", "101"])
    }

    @Test func `what a cancelled writer waited with is not sent`() async throws {
        try fill()
        let (ticket, _) = try outbox.put(Self.message(100))
        let writer = Task { try await #require(ticket).value() }
        writer.cancel()
        await #expect(throws: CancellationError.self) { try await writer.value }
        let (second, _) = try outbox.put(Self.message(101))
        #expect(takeAll() == (0..<Self.most).map { "\($0)" } + ["101"])
        try await #require(second).value()
    }

    @Test func `one message larger than the room goes when nothing else waits, and its writer hears what became of it`()
        async throws
    {
        try fill()
        let ticket = try #require(try outbox.put(Self.message(100, ((Self.most * 64) << 10) + 1)).ticket)
        for _ in 0..<Self.most { _ = outbox.take() }
        #expect(!ticket.isSettled)
        let entry = try #require(outbox.take())
        #expect(Self.text(entry) == "100" && entry.ticket === ticket && !ticket.isSettled)
        #expect(outbox.take() == nil)
    }

    @Test func `the writer of a message that the peer does not take waits for the refusal, however much room there is`()
        throws
    {
        let small = CallOutbox(room: 1 << 20, maxMessage: 10)
        let ticket = try #require(try small.put(Self.message(1, 11)).ticket)
        #expect(small.take()?.ticket === ticket && !ticket.isSettled)
        #expect(try small.put(Self.message(1, 10)).ticket == nil)
    }

    @Test func `after a failure nothing is taken, who waits is told, and who comes later too`() async throws {
        try fill()
        let ticket = try #require(try outbox.put(Self.message(100)).ticket)
        outbox.fail(WireError(.streamClosed, "first"))
        outbox.fail(WireError(.streamClosed, "second"))
        let error = await #expect(throws: WireError.self) { try await ticket.value() }
        #expect(error?.message == "first")
        #expect(throws: WireError(.streamClosed, "first")) { _ = try outbox.put(Self.message(1)) }
        #expect(throws: WireError.self) { _ = try outbox.put(.halfClose) }
        #expect(outbox.take() == nil)
    }
}
