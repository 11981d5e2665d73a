import SalvorWire
import Testing

@Suite("Draining and losing a connection (G)")
struct ShutdownTests {
    @Test("A callee that drains lets calls finish, takes those on their way, refuses later ones, then says drained")
    func calleeDrains() throws {
        let pair = try Pair.connected()
        let running = try pair.open()
        // On its way when the drain begins.
        let late = try pair.caller.openStream(RequestHeaders(path: "a/Late"), now: pair.now)
        pair.callee.drain(now: pair.now)
        pair.callee.drain(now: pair.now)
        pair.pump()
        #expect(lines(pair.takeCalleeEvents()) == ["opened 1 salvor.v1.Health/Check", "opened 3 a/Late"])
        #expect(lines(pair.takeCallerEvents()) == ["goingAway 2147483647 NONE", "goingAway 3 NONE"])
        do {
            _ = try pair.caller.openStream(RequestHeaders(path: "a/B"), now: pair.now)
            Issue.record("a call was opened on a connection that drains")
        } catch {
            #expect(error.code == .goingAway)
            #expect(error.status == .unavailable)
        }
        for stream in [running, late] {
            try pair.callee.sendTrailers(Trailers(code: .ok), on: stream)
        }
        pair.pump()
        #expect(lines(pair.takeCalleeEvents()) == ["closed 1 finished", "closed 3 finished", "drained"])
        #expect(lines(pair.takeCallerEvents()).last == "drained")
        pair.caller.transportClosed()
        pair.callee.transportClosed()
        #expect(pair.takeCallerEvents().isEmpty)
        #expect(pair.takeCalleeEvents().isEmpty)
    }

    @Test("A caller that does not answer the drain's PING gets the last GOAWAY after a while; later calls are dropped")
    func silentCaller() throws {
        let raw = try RawPeer.withStream(.callee)
        raw.machine.drain(now: raw.now)
        #expect(try raw.sent().count == 2)
        raw.machine.timerFired(now: Instant(nanoseconds: 5_000_000_000))
        #expect(try raw.sent() == [.goAway(GoAway(lastStream: StreamID(1), code: .none))])
        try raw.send(.request(StreamID(3), RequestHeaders(path: "a/B")), .message(StreamID(3), .end, [1]))
        #expect(raw.events().isEmpty)
    }

    @Test("Streams above the last one of a GOAWAY end as refused (G-4)")
    func refused() throws {
        let raw = try RawPeer(.caller)
        for _ in 0..<3 { _ = try raw.machine.openStream(RequestHeaders(path: "a/B"), now: raw.now) }
        try raw.send(.goAway(GoAway(lastStream: StreamID(1), code: .none)))
        #expect(raw.events() == ["goingAway 1 NONE", "closed 3 refused", "closed 5 refused"])
        try raw.send(.trailers(StreamID(1), Trailers(code: .ok)))
        #expect(raw.events() == ["trailers 1 0 ", "closed 1 finished", "drained"])
    }

    @Test("A caller that drains says so once and is done when its calls are (G-2, G-5)")
    func callerDrains() throws {
        let pair = try Pair.connected()
        let stream = try pair.open()
        _ = pair.takeCalleeEvents()
        pair.caller.drain(now: pair.now)
        pair.pump()
        #expect(lines(pair.takeCalleeEvents()) == ["goingAway 0 NONE"])
        try pair.callee.sendTrailers(Trailers(code: .ok), on: stream)
        pair.pump()
        #expect(lines(pair.takeCallerEvents()) == ["trailers 1 0 ", "closed 1 finished", "drained"])
        #expect(lines(pair.takeCalleeEvents()) == ["closed 1 finished", "drained"])
    }

    @Test("When the byte stream ends, every open call ends, once (R-3, E-3)")
    func lost() throws {
        let pair = try Pair.connected()
        _ = try pair.open()
        _ = try pair.open()
        pair.caller.transportClosed()
        pair.caller.transportClosed()
        #expect(
            lines(pair.takeCallerEvents()) == ["closed 1 connectionLost", "closed 3 connectionLost", "failed ended"])
        #expect(pair.caller.nextOutbound(maxBytes: 100) == nil)
        #expect(throws: WireError(.connectionClosed, "")) {
            _ = try pair.caller.openStream(RequestHeaders(path: "a/B"), now: pair.now)
        }
    }

    @Test("Giving up tells the peer why, in words that cannot forge a log line")
    func abort() throws {
        let pair = try Pair.connected()
        _ = try pair.open()
        _ = pair.takeCalleeEvents()
        pair.callee.abort(.internalFailure, "disk\non fire")
        pair.pump()
        #expect(lines(pair.takeCalleeEvents()) == ["closed 1 connectionLost", "failed INTERNAL"])
        let events = pair.takeCallerEvents()
        #expect(lines(events) == ["closed 1 connectionLost", "failed INTERNAL"])
        guard case .connectionFailed(let error)? = events.last else { return }
        #expect(error.message.contains("disk\u{fffd}on fire"))
    }
}
