import SalvorWire
import Testing

@Suite("Flow control (W)")
struct FlowControlTests {
    static func small(stream: UInt32 = 32, connection: UInt32 = 1 << 20) -> Limits {
        var limits = Limits()
        limits.initialStreamWindow = stream
        limits.initialConnectionWindow = connection
        return limits
    }

    @Test("A message far larger than the window gets through (W-5)", arguments: [32, 33, 64, 1000] as [UInt32])
    func largerThanWindow(window: UInt32) throws {
        let limits = Self.small(stream: window, connection: window)
        let pair = try Pair.connected(caller: limits, callee: limits, pieceSize: 7)
        let stream = try pair.open()
        let message = Message((0..<5000).map { UInt8(truncatingIfNeeded: $0) })
        _ = try pair.caller.sendMessage(message, on: stream, halfClose: true)
        #expect(pair.pump())
        let events = pair.takeCalleeEvents()
        guard case .messageReceived(_, let received, _)? = events.dropFirst().first else {
            Issue.record("no message in \(lines(events))")
            return
        }
        #expect(received == message)
        #expect(lines(events).last == "halfClosed 1")
    }

    @Test("What the application has not consumed holds the window back; consuming lets the rest come")
    func consumption() throws {
        let pair = try Pair.connected(callee: Self.small(stream: 100))
        let stream = try pair.open()
        _ = pair.takeCalleeEvents()
        // Each costs 30 of the 100.
        for _ in 0..<10 { _ = try pair.caller.sendMessage(Message([UInt8](repeating: 1, count: 20)), on: stream) }
        pair.pump()
        #expect(lines(pair.takeCalleeEvents()) == Array(repeating: "message 1 20 cost 30", count: 3))
        pair.pump()
        #expect(pair.takeCalleeEvents().isEmpty)
        pair.callee.consumed(60, on: stream)
        pair.pump()
        // 10 left and 60 given back: two whole ones; the 10 that remain are the header of nothing.
        #expect(lines(pair.takeCalleeEvents()) == Array(repeating: "message 1 20 cost 30", count: 2))
        var arrived = 5
        while arrived < 10 {
            pair.callee.consumed(30, on: stream)
            pair.pump()
            let events = pair.takeCalleeEvents()
            arrived += events.count
            if events.isEmpty { pair.callee.consumed(1000, on: stream) }
        }
        #expect(arrived == 10)
    }

    @Test("A stream that nobody reads does not stall another")
    func slowReader() throws {
        let limits = Self.small(stream: 1000, connection: 2000)
        let pair = try Pair.connected(caller: limits, callee: limits)
        let slow = try pair.open()
        let quick = try pair.open()
        _ = pair.takeCalleeEvents()
        for _ in 0..<100 { _ = try pair.caller.sendMessage(Message([UInt8](repeating: 1, count: 490)), on: slow) }
        var read = 0
        for _ in 0..<100 {
            _ = try pair.caller.sendMessage(Message([UInt8](repeating: 2, count: 490)), on: quick)
            pair.pump()
            for case .messageReceived(let stream, _, let cost) in pair.takeCalleeEvents() where stream == quick {
                read += 1
                pair.callee.consumed(cost, on: stream)
            }
        }
        pair.pump()
        for case .messageReceived(quick, _, _) in pair.takeCalleeEvents() { read += 1 }
        #expect(read == 100)
    }

    @Test(
        "Two sides that both write all they can come through, whatever the windows and pieces (W-9)",
        arguments: [1, 13, 0])
    func mutualWrite(pieceSize: Int) throws {
        let limits = Self.small(stream: 300, connection: 500)
        let pair = try Pair.connected(caller: limits, callee: limits, pieceSize: pieceSize)
        let streams = [try pair.open(), try pair.open(), try pair.open()]
        _ = pair.takeCalleeEvents()
        for stream in streams {
            try pair.callee.sendHeaders(WireMetadata(), on: stream)
            for size in [0, 1, 10, 299, 2000, 5] {
                _ = try pair.caller.sendMessage(Message([UInt8](repeating: 3, count: size)), on: stream)
                _ = try pair.callee.sendMessage(Message([UInt8](repeating: 4, count: size)), on: stream)
            }
            try pair.caller.halfClose(stream)
        }
        var atCallee = 0
        var atCaller = 0
        for _ in 0..<50 {
            #expect(pair.pump())
            for case .messageReceived(let stream, _, let cost) in pair.takeCalleeEvents() {
                atCallee += 1
                pair.callee.consumed(cost, on: stream)
            }
            for case .messageReceived(let stream, _, let cost) in pair.takeCallerEvents() {
                atCaller += 1
                pair.caller.consumed(cost, on: stream)
            }
        }
        #expect(atCallee == 18)
        #expect(atCaller == 18)
    }

    @Test("Streams take turns, a frame each, and a ping passes them all (W-8)")
    func fairness() throws {
        var limits = Limits()
        limits.maxFramePayload = 100
        let pair = try Pair.connected(callee: limits)
        let streams = [try pair.open(), try pair.open(), try pair.open()]
        for stream in streams {
            _ = try pair.caller.sendMessage(Message([UInt8](repeating: 0, count: 250)), on: stream)
        }
        // The first frame has begun when the ping is asked for.
        var sent = pair.caller.nextOutbound(maxBytes: 50) ?? []
        pair.caller.ping(now: pair.now)
        while let more = pair.caller.nextOutbound(maxBytes: 33) { sent += more }
        let order = try decode([sent], from: .caller).map { frame in
            switch frame {
            case .message(let stream, _, _): stream.rawValue
            default: UInt32(0)
            }
        }
        #expect(order == [1, 0, 3, 5, 1, 3, 5, 1, 3, 5])
    }

    @Test("A full send queue says so, refuses more, and says when it has room (S-9)")
    func backPressure() throws {
        var limits = Limits()
        limits.sendQueueHighWater = 1000
        limits.sendQueueLowWater = 100
        let pair = try Pair.connected(caller: limits)
        let stream = try pair.open()
        #expect(try pair.caller.sendMessage(Message([UInt8](repeating: 0, count: 1000)), on: stream))
        #expect(try !pair.caller.sendMessage(Message([0]), on: stream))
        #expect(throws: WireError(.sendQueueFull, "")) { _ = try pair.caller.sendMessage(Message([0]), on: stream) }
        pair.pump()
        #expect(lines(pair.takeCallerEvents()) == ["writable 1"])
        #expect(try pair.caller.sendMessage(Message([0]), on: stream))
    }
}
