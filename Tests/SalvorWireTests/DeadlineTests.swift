import SalvorWire
import Testing

@Suite("Deadlines, cancellation, keepalive (D, T-6, K)")
struct DeadlineTests {
    @Test("A deadline ends the call on both sides, whichever clock is first (D-1)")
    func bothSides() throws {
        let pair = try Pair.connected()
        _ = try pair.open(timeout: .seconds(2))
        _ = pair.takeCalleeEvents()
        #expect(pair.caller.nextDeadline == pair.now.advanced(byNanoseconds: 2_000_000_000))
        #expect(pair.callee.nextDeadline == pair.now.advanced(byNanoseconds: 2_000_000_000))
        pair.advance(by: .milliseconds(1999))
        #expect(pair.takeCallerEvents().isEmpty)
        #expect(pair.takeCalleeEvents().isEmpty)
        pair.advance(by: .milliseconds(1))
        pair.pump()
        #expect(lines(pair.takeCallerEvents()) == ["closed 1 deadlineExceeded"])
        #expect(lines(pair.takeCalleeEvents()) == ["closed 1 deadlineExceeded"])
    }

    @Test(
        "The side whose clock is first tells the other, which gives the call the same status (D-3, E-3)",
        arguments: [Role.caller, .callee])
    func oneSide(role: Role) throws {
        let raw = try RawPeer(role)
        let headers = RequestHeaders(path: "a/B", timeoutNanoseconds: 500)
        if role == .caller {
            _ = try raw.machine.openStream(headers, now: raw.now)
        } else {
            try raw.send(.request(StreamID(1), headers))
        }
        _ = raw.events()
        _ = try raw.sent()
        raw.machine.timerFired(now: Instant(nanoseconds: 500))
        #expect(raw.events() == ["closed 1 deadlineExceeded"])
        #expect(try raw.sent() == [.reset(StreamID(1), .deadlineExceeded)])
        #expect(ErrorCode.deadlineExceeded.status == .deadlineExceeded)
    }

    @Test("A deadline beyond the end of time never passes, and none at all is none (D-2)")
    func farDeadlines() throws {
        let pair = try Pair.connected()
        let headers = RequestHeaders(path: "a/B", timeoutNanoseconds: .max)
        _ = try pair.caller.openStream(headers, now: pair.now)
        _ = try pair.open()
        pair.advance(by: .seconds(10))
        #expect(pair.caller.openStreamCount == 2)
    }

    @Test("A call with no time left ends at once")
    func noTime() throws {
        let pair = try Pair.connected()
        _ = try pair.caller.openStream(RequestHeaders(path: "a/B", timeoutNanoseconds: 0), now: pair.now)
        pair.advance(by: .milliseconds(1))
        #expect(lines(pair.takeCallerEvents()) == ["closed 1 deadlineExceeded"])
    }

    @Test("Ten thousand calls with long deadlines leave nothing behind, and deadlines fire in order")
    func manyDeadlines() throws {
        let pair = try Pair.connected()
        for _ in 0..<10_000 {
            let stream = try pair.caller.openStream(
                RequestHeaders(path: "a/B", timeoutNanoseconds: 3_600_000_000_000), now: pair.now)
            pair.pump()
            try pair.callee.sendTrailers(Trailers(code: .ok), on: stream)
            pair.pump()
        }
        _ = pair.takeCallerEvents()
        _ = pair.takeCalleeEvents()
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<50 {
            let timeout = UInt64.random(in: 1...1000, using: &generator)
            _ = try pair.caller.openStream(RequestHeaders(path: "a/B", timeoutNanoseconds: timeout), now: pair.now)
        }
        var last = pair.now
        for _ in 0..<1000 where pair.caller.openStreamCount > 0 {
            guard let next = pair.caller.nextDeadline else { break }
            #expect(next >= last)
            last = next
            pair.caller.timerFired(now: next)
        }
        #expect(pair.caller.openStreamCount == 0)
        #expect(last <= pair.now.advanced(byNanoseconds: 1000))
    }

    @Test(
        "Cancelling ends the call on both sides and drops what was queued, but finishes the frame that was begun (T-6, F-4)"
    )
    func cancel() throws {
        let pair = try Pair.connected()
        let stream = try pair.open()
        let other = try pair.open()
        _ = pair.takeCalleeEvents()
        _ = try pair.caller.sendMessage(Message([UInt8](repeating: 9, count: 50_000)), on: stream)
        _ = try pair.caller.sendMessage(Message([UInt8](repeating: 9, count: 50_000)), on: stream)
        let begun = pair.caller.nextOutbound(maxBytes: 100) ?? []
        #expect(begun.count == 100)
        pair.callee.receive(begun, now: pair.now)
        pair.caller.reset(stream, .cancelled)
        _ = try pair.caller.sendMessage(Message([1]), on: other)
        pair.pump()
        #expect(lines(pair.takeCallerEvents()) == ["closed 1 resetLocally CANCELLED"])
        #expect(
            lines(pair.takeCalleeEvents()) == [
                "message 1 50000 cost 50010", "closed 1 resetByPeer CANCELLED", "message 3 1 cost 11",
            ])
        #expect(throws: WireError(.streamClosed, "")) { _ = try pair.caller.sendMessage(Message([1]), on: stream) }
    }

    @Test("Silence is asked about, and then ends the connection with every call on it (K-1)")
    func silence() throws {
        let pair = try Pair.connected()
        _ = try pair.open()
        _ = pair.takeCalleeEvents()
        pair.advance(by: .seconds(15))
        pair.pump()
        #expect(lines(pair.takeCallerEvents()) == ["pingAnswered 0"])
        pair.advance(by: .seconds(15))
        pair.discardOutbound()
        pair.advance(by: .seconds(9))
        #expect(pair.takeCallerEvents().allSatisfy { _ in false })
        pair.advance(by: .seconds(1))
        #expect(lines(pair.takeCallerEvents()) == ["closed 1 connectionLost", "failed TIMEOUT"])
        #expect(pair.caller.nextDeadline == nil)
    }

    @Test("A peer that never says who it is gets ten seconds (P-4, S-10)")
    func noPreface() throws {
        var machine = try ConnectionMachine(role: .callee, now: Instant(nanoseconds: 5))
        machine.receive([UInt8]("SALVO".utf8), now: Instant(nanoseconds: 6))
        let deadline = machine.nextDeadline
        #expect(deadline == Instant(nanoseconds: 10_000_000_005))
        machine.timerFired(now: Instant(nanoseconds: 10_000_000_004))
        let early = machine.isClosed
        #expect(!early)
        machine.timerFired(now: Instant(nanoseconds: 10_000_000_005))
        let late = machine.isClosed
        #expect(late)
    }
}
