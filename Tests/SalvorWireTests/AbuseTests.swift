import SalvorWire
import Testing

@Suite("What a peer may not make us do (S), and what we may not do ourselves (E-1)")
struct AbuseTests {
    /// The first repetition after which the machine gave up, and how.
    private func flood(_ raw: RawPeer, with frames: (UInt32) throws -> [Frame]) throws -> (count: Int, events: [String])
    {
        for count in 1...100_000 {
            for frame in try frames(UInt32(count)) { try raw.send(frame) }
            if raw.machine.isClosed { return (count, raw.events()) }
        }
        return (0, raw.events())
    }

    @Test("Calls opened and reset at once are cut off (S-6)")
    func rapidReset() throws {
        let raw = try RawPeer(.callee)
        let (count, events) = try flood(raw) { count in
            let stream = StreamID(2 * count - 1)
            return [.request(stream, RequestHeaders(path: "a/B")), .reset(stream, .cancelled)]
        }
        #expect(count == 1001)
        #expect(events.last == "failed EXCESSIVE")
    }

    @Test("Floods of PING, of answers to no PING, and of GOAWAY are cut off (S-7, S-8, K-3)")
    func floods() throws {
        #expect(try flood(try RawPeer(.callee)) { _ in [.ping(isAnswer: false, opaque: 0)] }.count == 101)
        #expect(try flood(try RawPeer(.callee)) { _ in [.ping(isAnswer: true, opaque: 0)] }.count == 201)
        let goAway = Frame.goAway(GoAway(lastStream: .connection, code: .none))
        #expect(try flood(try RawPeer(.callee)) { _ in [goAway] }.count == 201)
    }

    @Test("The same at a moderate rate is fine")
    func moderate() throws {
        let raw = try RawPeer(.callee)
        for second in 0..<1000 as Range<UInt64> {
            raw.now = Instant(nanoseconds: second * 1_000_000_000)
            for _ in 0..<9 { try raw.send(.ping(isAnswer: false, opaque: second)) }
            _ = try raw.sent()
        }
        let isClosed = raw.machine.isClosed
        #expect(!isClosed)
    }

    @Test("A peer that makes us answer and does not read is cut off (S-5)")
    func backlog() throws {
        var limits = Limits()
        limits.maxConcurrentStreams = 1
        let raw = try RawPeer(.callee, limits: limits)
        let (count, events) = try flood(raw) { [.request(StreamID(2 * $0 - 1), RequestHeaders(path: "a/B"))] }
        // 512 KiB of RESETs of 14 bytes.
        #expect((37_000...38_000).contains(count))
        #expect(events.last == "failed EXCESSIVE")
    }

    @Test("Of messages that nobody consumes there are so many, on all streams; what is consumed makes room (S-11)")
    func heldMessages() throws {
        var limits = Limits()
        limits.maxHeldMessages = 10
        let raw = try RawPeer(.callee, limits: limits)
        let streams = [StreamID(1), StreamID(3)]
        for stream in streams { try raw.send(.request(stream, RequestHeaders(path: "a/B"))) }
        for number in 0..<10 { try raw.send(.message(streams[number % 2], [], [1])) }
        _ = raw.events()
        raw.machine.consumed(22, messages: 2, on: streams[0])
        for _ in 0..<2 { try raw.send(.message(streams[1], [], [])) }
        #expect(raw.events() == ["message 3 0 cost 10", "message 3 0 cost 10"])
        _ = try raw.sent()
        try raw.send(.message(streams[1], [], []))
        #expect(raw.events() == ["closed 3 resetLocally TOO_LARGE"])
        // Those of the stream that went have gone with it.
        for _ in 0..<7 { try raw.send(.message(streams[0], [], [])) }
        #expect(raw.events().count == 7)
        let isClosed = raw.machine.isClosed
        #expect(!isClosed)
    }

    @Test("A call for which there is no room is refused here, and its turn is announced (T-3)")
    func streamLimit() throws {
        var limits = Limits()
        limits.maxConcurrentStreams = 1
        let pair = try Pair.connected(callee: limits)
        let stream = try pair.open()
        #expect(throws: WireError(.streamLimit, "")) { _ = try pair.open() }
        try pair.callee.sendTrailers(Trailers(code: .ok), on: stream)
        pair.pump()
        #expect(lines(pair.takeCallerEvents()) == ["trailers 1 0 ", "closed 1 finished", "streamsAvailable"])
        _ = try pair.open()
    }

    @Test("What the peer does not accept is refused here, and the call goes on (H-6, M-5)")
    func tooLargeForPeer() throws {
        var limits = Limits()
        limits.maxMessage = 10
        limits.maxMetadataEntries = 1
        limits.maxHeaderBlock = 512
        let pair = try Pair.connected(callee: limits)
        let large = WireMetadata([.init(key: "k", value: .text(String(repeating: "x", count: 600)))])
        let many = WireMetadata([.init(key: "a", value: .text("")), .init(key: "b", value: .text(""))])
        for metadata in [large, many] {
            #expect(throws: WireError(.tooLarge, "")) {
                _ = try pair.caller.openStream(RequestHeaders(path: "a/B", metadata: metadata), now: pair.now)
            }
        }
        let stream = try pair.open()
        #expect(stream == StreamID(1))
        #expect(throws: WireError(.tooLarge, "")) {
            _ = try pair.caller.sendMessage(Message([UInt8](repeating: 0, count: 11)), on: stream)
        }
        _ = try pair.caller.sendMessage(Message([UInt8](repeating: 0, count: 10)), on: stream)
        pair.pump()
        #expect(lines(pair.takeCalleeEvents()).last == "message 1 10 cost 20")
        #expect(pair.takeCallerEvents().isEmpty)
    }

    @Test(
        "Characters that the wire does not carry are refused here",
        arguments: [
            ("Key", WireMetadata.Value.text("v")), ("", .text("v")), ("k", .text("a\nb")), ("k", .text("ü")),
            ("k", .binary([1])), ("k-bin", .text("v")), ("k y", .text("v")),
        ])
    func invalidHeaders(key: String, value: WireMetadata.Value) throws {
        let pair = try Pair.connected()
        let metadata = WireMetadata([.init(key: key, value: value)])
        #expect(throws: WireError(.invalidHeaders, "")) {
            _ = try pair.caller.openStream(RequestHeaders(path: "a/B", metadata: metadata), now: pair.now)
        }
        let hasOutbound = pair.caller.hasOutbound
        #expect(!hasOutbound)
        #expect(try pair.open() == StreamID(1))
    }

    @Test("Our own bugs are misuse, and change nothing")
    func misuse() throws {
        let misuse = WireError(.misuse, "")
        let pair = try Pair.connected()
        #expect(throws: misuse) { _ = try pair.callee.openStream(RequestHeaders(path: "a/B"), now: pair.now) }
        #expect(throws: misuse) { _ = try pair.caller.sendMessage(Message([]), on: StreamID(7)) }
        let stream = try pair.open()
        #expect(throws: misuse) { try pair.caller.sendHeaders(WireMetadata(), on: stream) }
        #expect(throws: misuse) { try pair.caller.sendTrailers(Trailers(code: .ok), on: stream) }
        #expect(throws: misuse) { _ = try pair.callee.sendMessage(Message([]), on: stream) }
        #expect(throws: misuse) { try pair.callee.halfClose(stream) }
        try pair.callee.sendHeaders(WireMetadata(), on: stream)
        #expect(throws: misuse) { try pair.callee.sendHeaders(WireMetadata(), on: stream) }
        try pair.caller.halfClose(stream)
        #expect(throws: misuse) { try pair.caller.halfClose(stream) }
        #expect(throws: misuse) { _ = try pair.caller.sendMessage(Message([]), on: stream) }
        var limits = Limits()
        limits.initialStreamWindow = 31
        #expect(throws: misuse) { _ = try Pair(caller: limits) }
        let early = try Pair()
        #expect(throws: WireError(.notReady, "")) {
            _ = try early.caller.openStream(RequestHeaders(path: "a/B"), now: early.now)
        }
    }
}
