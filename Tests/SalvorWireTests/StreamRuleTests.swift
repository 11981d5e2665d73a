import SalvorWire
import Testing

@Suite("What a peer does to streams (T, M, W-6, E-5)")
struct StreamRuleTests {
    static let one = StreamID(1)

    struct Case: Sendable, CustomStringConvertible {
        var description: String
        var role: Role
        var frames: [Frame]
        /// Events after the stream was opened.
        var events: [String]

        init(_ description: String, _ role: Role, _ frames: [Frame], _ events: [String]) {
            self.description = description
            self.role = role
            self.frames = frames
            self.events = events
        }
    }

    /// A stream error: the machine sends RESET of this code, and the connection goes on.
    static func reset(_ code: ErrorCode) -> String { "closed 1 resetLocally \(code)" }
    static let lost = ["closed 1 connectionLost"]
    static let protocolFailure = lost + ["failed PROTOCOL"]

    static let cases: [Case] = [
        Case("callee: id does not rise", .callee, [.request(one, RequestHeaders(path: "a/B"))], protocolFailure),
        Case(
            "callee: a gap is fine", .callee, [.request(StreamID(99), RequestHeaders(path: "a/B"))], ["opened 99 a/B"]),
        Case("callee: MESSAGE on an idle stream", .callee, [.message(StreamID(3), [], [])], protocolFailure),
        Case("callee: RESET on an idle stream", .callee, [.reset(StreamID(3), .cancelled)], protocolFailure),
        Case("callee: WINDOW on an idle stream", .callee, [.window(StreamID(3), increment: 1)], protocolFailure),
        Case(
            "callee: MESSAGE after END", .callee, [.message(one, .end, []), .message(one, [], [])],
            ["message 1 0 cost 10", "halfClosed 1", reset(.protocolViolation)]),
        Case(
            "callee: END twice", .callee, [.message(one, [.end, .noData], []), .message(one, [.end, .noData], [])],
            ["halfClosed 1", reset(.protocolViolation)]),
        Case(
            "callee: END within a message", .callee, [.message(one, .more, [1]), .message(one, [.end, .noData], [])],
            [reset(.protocolViolation)]),
        Case(
            "callee: COMPRESSED on a later fragment", .callee,
            [.message(one, .more, [1]), .message(one, .compressed, [1])], [reset(.protocolViolation)]),
        Case("callee: RESET by the caller", .callee, [.reset(one, .cancelled)], ["closed 1 resetByPeer CANCELLED"]),
        Case(
            "callee: frames after RESET are dropped", .callee,
            [
                .reset(one, .cancelled), .message(one, .more, [1]), .message(one, .end, [1]), .reset(one, .cancelled),
                .window(one, increment: 5),
            ], ["closed 1 resetByPeer CANCELLED"]),
        Case("callee: WINDOW of zero", .callee, [.window(one, increment: 0)], [reset(.protocolViolation)]),
        Case("callee: WINDOW overflows", .callee, [.window(one, increment: 0x7fff_ffff)], [reset(.flowControl)]),
        Case(
            "callee: connection WINDOW of zero", .callee, [.window(.connection, increment: 0)], protocolFailure),
        Case(
            "callee: connection WINDOW overflows", .callee, [.window(.connection, increment: 0x7fff_ffff)],
            lost + ["failed FLOW_CONTROL"]),
        Case(
            "caller: HEADERS twice", .caller, [.response(one, WireMetadata())], [reset(.protocolViolation)]),
        Case(
            "caller: END from the callee", .caller, [.message(one, .end, [1])], [reset(.protocolViolation)]),
        Case(
            "caller: TRAILERS within a message", .caller,
            [.message(one, .more, [1]), .trailers(one, Trailers(code: .ok))], [reset(.protocolViolation)]),
        Case(
            "caller: frames after TRAILERS are dropped", .caller,
            [
                .trailers(one, Trailers(code: .ok)), .trailers(one, Trailers(code: .ok)),
                .response(one, WireMetadata()),
                .message(one, [], [1]), .reset(one, .cancelled),
            ], ["trailers 1 0 ", "closed 1 finished"]),
        Case(
            "caller: HEADERS on a stream that it never opened", .caller, [.response(StreamID(3), WireMetadata())],
            protocolFailure),
        Case(
            "caller: TRAILERS on a stream that it never opened", .caller,
            [.trailers(StreamID(3), Trailers(code: .ok))], protocolFailure),
        Case(
            "caller: a status that gRPC does not know", .caller,
            [.trailers(one, Trailers(code: StatusCode(rawValue: 4711)))], ["trailers 1 2 ", "closed 1 finished"]),
        Case(
            "either: GOAWAY with an error", .caller,
            [.goAway(GoAway(lastStream: one, code: .internalFailure, text: "x"))], lost + ["failed INTERNAL"]),
        Case(
            "either: a GOAWAY whose last stream rises", .caller,
            [.goAway(GoAway(lastStream: one, code: .none)), .goAway(GoAway(lastStream: StreamID(3), code: .none))],
            ["goingAway 1 NONE"] + protocolFailure),
    ]

    @Test("One peer's frames and what becomes of them (T-4, T-5)", arguments: cases)
    func table(_ row: Case) throws {
        let raw = try RawPeer.withStream(row.role)
        for frame in row.frames { try raw.send(frame) }
        #expect(raw.events() == row.events)
        let sent = try raw.sent()
        for line in row.events where line.hasPrefix("closed 1 resetLocally") {
            #expect(sent.contains { if case .reset(Self.one, _) = $0 { true } else { false } }, "\(line): \(sent)")
        }
        let isClosed = raw.machine.isClosed
        #expect(isClosed == row.events.contains { $0.hasPrefix("failed") })
    }

    @Test("The callee's first message must come after its HEADERS")
    func messageBeforeHeaders() throws {
        let raw = try RawPeer(.caller)
        _ = try raw.machine.openStream(RequestHeaders(path: "a/B"), now: raw.now)
        try raw.send(.message(Self.one, [], [1]))
        #expect(raw.events() == [Self.reset(.protocolViolation)])
    }

    @Test("A message that goes beyond a window ends the connection (W-2, W-4)")
    func overrun() throws {
        for (stream, connection) in [(64, 1000), (1000, 64)] as [(UInt32, UInt32)] {
            let raw = try RawPeer.withStream(
                .callee, limits: FlowControlTests.small(stream: stream, connection: connection))
            try raw.send(.message(Self.one, [], [UInt8](repeating: 0, count: 54)))
            #expect(raw.events() == ["message 1 54 cost 64"])
            try raw.send(.message(Self.one, [], [UInt8](repeating: 0, count: 54)))
            if stream == 64 {
                #expect(raw.events() == Self.lost + ["failed FLOW_CONTROL"])
            } else {
                // The connection's window came back on receipt.
                #expect(raw.events() == ["message 1 54 cost 64"])
                try raw.send(.message(Self.one, [], [UInt8](repeating: 0, count: 55)))
                #expect(raw.events() == Self.lost + ["failed FLOW_CONTROL"])
            }
        }
    }

    @Test("A message beyond the limit is refused on the header of the fragment that goes beyond (M-5)")
    func tooLarge() throws {
        var limits = Limits()
        limits.maxMessage = 100
        let raw = try RawPeer.withStream(.callee, limits: limits)
        try raw.send(.message(Self.one, .more, [UInt8](repeating: 0, count: 100)))
        #expect(raw.events().isEmpty)
        // Only the header; the payload has not come.
        raw.machine.receive([0, 0, 0, 1, 3, 0, 0, 0, 0, 1], now: raw.now)
        #expect(raw.events() == [Self.reset(.tooLarge)])
        #expect(try raw.sent() == [.reset(Self.one, .tooLarge)])
        raw.machine.receive([7], now: raw.now)
        try raw.send(.request(StreamID(3), RequestHeaders(path: "a/B")))
        #expect(raw.events() == ["opened 3 a/B"])
    }

    @Test("One call too many is refused, and the others go on (T-3)")
    func streamLimit() throws {
        var limits = Limits()
        limits.maxConcurrentStreams = 2
        let raw = try RawPeer(.callee, limits: limits)
        for id in [1, 3, 5] as [UInt32] { try raw.send(.request(StreamID(id), RequestHeaders(path: "a/B"))) }
        #expect(raw.events() == ["opened 1 a/B", "opened 3 a/B"])
        #expect(try raw.sent() == [.reset(StreamID(5), .refused)])
        try raw.send(.reset(StreamID(1), .cancelled), .request(StreamID(7), RequestHeaders(path: "a/B")))
        #expect(raw.events() == ["closed 1 resetByPeer CANCELLED", "opened 7 a/B"])
    }

    @Test("Compressed messages are refused by a side that did not offer to take them")
    func compressionNotOffered() throws {
        var limits = Limits()
        limits.acceptsZlib = false
        let raw = try RawPeer.withStream(.callee, limits: limits)
        try raw.send(.message(Self.one, .compressed, [1]))
        #expect(raw.events() == [Self.reset(.unsupported)])
        #expect(ErrorCode.unsupported.status == .unimplemented)
    }

    @Test("What is held unread on all streams together is bounded (S-4)")
    func heldBytes() throws {
        var limits = Limits()
        limits.maxHeldBytes = 1000
        let raw = try RawPeer(.callee, limits: limits)
        for id in [1, 3, 5] as [UInt32] {
            try raw.send(
                .request(StreamID(id), RequestHeaders(path: "a/B")),
                .message(StreamID(id), [], [UInt8](repeating: 0, count: 390)))
        }
        #expect(raw.events().suffix(2) == ["opened 5 a/B", "closed 5 resetLocally TOO_LARGE"])
        raw.machine.consumed(400, on: Self.one)
        try raw.send(.message(StreamID(3), [], [UInt8](repeating: 0, count: 390)))
        #expect(raw.events() == ["message 3 390 cost 400"])
    }
}
