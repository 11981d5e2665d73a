import SalvorWire
import Testing

@Suite("Random runs, each from its seed")
struct FuzzTests {
    @Test(
        "Whatever is sent arrives once, in order, whole; no call is left over", arguments: 1...40 as ClosedRange<UInt64>
    )
    func conversation(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var limits = Limits()
        limits.initialStreamWindow = UInt32.random(in: 32...3000, using: &generator)
        limits.initialConnectionWindow = UInt32.random(in: 32...5000, using: &generator)
        limits.maxFramePayload = UInt32.random(in: 1...2000, using: &generator)
        limits.maxConcurrentStreams = UInt32.random(in: 1...9, using: &generator)
        let pair = try Pair.connected(
            caller: limits, callee: limits, pieceSize: Int.random(in: 1...500, using: &generator))
        var sent: [StreamID: [[UInt8]]] = [:]
        var echoed: [StreamID: [[UInt8]]] = [:]
        var open: Set<StreamID> = []
        var cancelled: Set<StreamID> = []
        var finished: Set<StreamID> = []
        var owed: [(StreamID, Int)] = []

        for _ in 0..<300 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0, 1:
                if let stream = try? pair.caller.openStream(RequestHeaders(path: "a/Echo"), now: pair.now) {
                    sent[stream] = []
                    echoed[stream] = []
                    open.insert(stream)
                }
            case 2, 3, 4, 5:
                guard let stream = open.sorted().randomElement(using: &generator) else { break }
                let size = Int.random(in: 0...4000, using: &generator)
                let message = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* Int(seed)) }
                if (try? pair.caller.sendMessage(Message(message), on: stream)) != nil { sent[stream]?.append(message) }
            case 6:
                guard let stream = open.sorted().randomElement(using: &generator) else { break }
                try pair.caller.halfClose(stream)
                open.remove(stream)
            case 7 where Int.random(in: 0..<4, using: &generator) == 0:
                guard let stream = open.sorted().randomElement(using: &generator) else { break }
                pair.caller.reset(stream, .cancelled)
                open.remove(stream)
                cancelled.insert(stream)
            case 8:
                for (stream, cost) in owed { pair.callee.consumed(cost, on: stream) }
                owed = []
            default:
                pair.pump(rounds: 3)
            }
            try serve(pair, &owed)
            collect(pair, &echoed, &finished)
        }
        for stream in open { try pair.caller.halfClose(stream) }
        for _ in 0..<2000 where pair.caller.openStreamCount > 0 || pair.callee.openStreamCount > 0 {
            #expect(pair.pump())
            for (stream, cost) in owed { pair.callee.consumed(cost, on: stream) }
            owed = []
            try serve(pair, &owed)
            collect(pair, &echoed, &finished)
        }
        #expect(pair.caller.openStreamCount == 0)
        #expect(pair.callee.openStreamCount == 0)
        for (stream, messages) in sent {
            let back = echoed[stream] ?? []
            if cancelled.contains(stream) {
                #expect(back == Array(messages.prefix(back.count)))
            } else {
                #expect(back == messages, "\(stream)")
                #expect(finished.contains(stream))
            }
        }
    }

    /// Echoes every message, and ends a call when its caller has.
    private func serve(_ pair: Pair, _ owed: inout [(StreamID, Int)]) throws {
        for event in pair.takeCalleeEvents() {
            switch event {
            case .streamOpened(let stream, _): try? pair.callee.sendHeaders(WireMetadata(), on: stream)
            case .messageReceived(let stream, let message, let cost):
                owed.append((stream, cost))
                try unlessClosed { _ = try pair.callee.sendMessage(message, on: stream) }
            case .halfClosed(let stream):
                try unlessClosed { try pair.callee.sendTrailers(Trailers(code: .ok), on: stream) }
            case .connectionFailed(let error): throw error
            default: break
            }
        }
    }

    /// Sends on a stream that the caller may have cancelled meanwhile.
    private func unlessClosed(_ send: () throws -> Void) throws {
        do {
            try send()
        } catch let error as WireError where error.code == .streamClosed {
            return
        }
    }

    private func collect(_ pair: Pair, _ echoed: inout [StreamID: [[UInt8]]], _ finished: inout Set<StreamID>) {
        for event in pair.takeCallerEvents() {
            switch event {
            case .messageReceived(let stream, let message, let cost):
                echoed[stream, default: []].append(message.bytes)
                pair.caller.consumed(cost, on: stream)
            case .streamClosed(let stream, .finished): finished.insert(stream)
            case .connectionFailed(let error): Issue.record("\(error)")
            default: break
            }
        }
    }

    @Test(
        "Damaged bytes never trap, never make a stream close twice, and are answered by codes that are ours to send (E-2)",
        arguments: 1...300 as ClosedRange<UInt64>)
    func damage(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let role: Role = seed.isMultiple(of: 2) ? .caller : .callee
        let raw = try RawPeer(role)
        if role == .caller {
            for _ in 0..<5 {
                let timeout = UInt64.random(in: 1...2000, using: &generator)
                _ = try raw.machine.openStream(
                    RequestHeaders(path: "a/B", timeoutNanoseconds: timeout), now: raw.now)
            }
        }
        let sender = role == .caller ? "callee" : "caller"
        let seeds = Vectors.valid.filter { $0.sender == sender }.map { bytes(hex: $0.hex) }
        var opened: [String] = []
        var closed: [String] = []
        var sent: [UInt8] = []
        for step in 0..<400 as Range<UInt64> {
            var frame = seeds.randomElement(using: &generator) ?? []
            // A low stream id, so that frames meet on streams; then now and then a damaged byte, or a cut.
            frame[9] = UInt8.random(in: 0...11, using: &generator)
            if Bool.random(using: &generator), frame[4] != 7, frame[4] != 8 { frame[9] |= 1 }
            if Int.random(in: 0..<30, using: &generator) == 0 {
                frame[Int.random(in: 0..<frame.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if frame[4] == 7 || frame[4] == 8 { frame[9] = 0 }
            raw.now = Instant(nanoseconds: step * 10)
            raw.machine.receive(frame, now: raw.now)
            raw.machine.timerFired(now: raw.now)
            for line in raw.events() {
                let words = line.split(separator: " ")
                if line.hasPrefix("opened") { opened.append(String(words[1])) }
                if line.hasPrefix("closed") { closed.append(String(words[1])) }
            }
            sent += raw.machine.nextOutbound(maxBytes: Int.random(in: 1...300, using: &generator)) ?? []
        }
        while let more = raw.machine.nextOutbound(maxBytes: 1000) { sent += more }
        let answers = try decode([sent], from: role)
        #expect(try ErrorCodeTable().breaches(answers, from: role) == [])
        raw.machine.transportClosed()
        for line in raw.events() where line.hasPrefix("closed") {
            closed.append(String(line.split(separator: " ")[1]))
        }
        let once = Set(closed)
        #expect(once.count == closed.count)
        #expect(once == (role == .callee ? Set(opened) : ["1", "3", "5", "7", "9"]))
    }

    @Test(
        "Random bytes after a good opening are refused or wait, and never trap",
        arguments: 1...200 as ClosedRange<UInt64>)
    func noise(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let raw = try RawPeer(.callee)
        for _ in 0..<50 {
            let count = Int.random(in: 0...40, using: &generator)
            let noise = (0..<count).map { _ in UInt8.random(in: 0...8, using: &generator) }
            raw.machine.receive(noise, now: raw.now)
        }
        _ = raw.events()
        #expect(try raw.sent().allSatisfy { if case .response = $0 { false } else { true } })
    }
}
