import SalvorWire

/// Two machines, caller and callee, with an imaginary network between them.
final class Pair {
    var caller: ConnectionMachine
    var callee: ConnectionMachine
    var now = Instant(nanoseconds: 1_000_000_000)
    /// What each side said since it was last asked.
    private var callerEvents: [Event] = []
    private var calleeEvents: [Event] = []
    /// Most bytes that travel in one piece; 0 for as they come.
    var pieceSize = 0

    init(caller callerLimits: Limits = .standard, callee calleeLimits: Limits = .standard) throws {
        caller = try ConnectionMachine(role: .caller, limits: callerLimits, now: now)
        callee = try ConnectionMachine(role: .callee, limits: calleeLimits, now: now)
    }

    /// A pair whose SETTINGS are exchanged and whose events so far are forgotten.
    static func connected(
        caller: Limits = .standard, callee: Limits = .standard, pieceSize: Int = 0
    ) throws -> Pair {
        let pair = try Pair(caller: caller, callee: callee)
        pair.pieceSize = pieceSize
        pair.pump()
        _ = pair.takeCallerEvents()
        _ = pair.takeCalleeEvents()
        return pair
    }

    /// Lets bytes flow both ways until neither side has any to send. Gives up, and says false, after `rounds`.
    @discardableResult
    func pump(rounds: Int = 100_000) -> Bool {
        for _ in 0..<rounds {
            let toCallee = caller.nextOutbound(maxBytes: 48 << 10)
            let toCaller = callee.nextOutbound(maxBytes: 48 << 10)
            guard toCallee != nil || toCaller != nil else {
                collect()
                return true
            }
            for piece in pieces(toCallee) { callee.receive(piece, now: now) }
            for piece in pieces(toCaller) { caller.receive(piece, now: now) }
        }
        collect()
        return false
    }

    /// Moves what one side has to say to nowhere, as a network that lost its other end.
    func discardOutbound() {
        while caller.nextOutbound(maxBytes: 1 << 16) != nil {}
        while callee.nextOutbound(maxBytes: 1 << 16) != nil {}
        collect()
    }

    /// Lets time pass on both sides.
    func advance(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        now = now.advanced(byNanoseconds: UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds) / 1_000_000_000)
        caller.timerFired(now: now)
        callee.timerFired(now: now)
        collect()
    }

    func takeCallerEvents() -> [Event] {
        collect()
        defer { callerEvents = [] }
        return callerEvents
    }

    func takeCalleeEvents() -> [Event] {
        collect()
        defer { calleeEvents = [] }
        return calleeEvents
    }

    /// Opens a call and lets it arrive.
    func open(_ path: String = "salvor.v1.Health/Check", timeout: Duration? = nil) throws -> StreamID {
        let nanoseconds = timeout.map { UInt64($0.components.seconds) * 1_000_000_000 }
        let stream = try caller.openStream(RequestHeaders(path: path, timeoutNanoseconds: nanoseconds), now: now)
        pump()
        return stream
    }

    private func collect() {
        while let event = caller.nextEvent() { callerEvents.append(event) }
        while let event = callee.nextEvent() { calleeEvents.append(event) }
    }

    private func pieces(_ bytes: [UInt8]?) -> [[UInt8]] {
        guard let bytes else { return [] }
        guard pieceSize > 0 else { return [bytes] }
        return stride(from: 0, to: bytes.count, by: pieceSize).map {
            [UInt8](bytes[$0..<min($0 + pieceSize, bytes.count)])
        }
    }
}

/// Events in a form that tests compare: one line each, message bytes by their count.
func lines(_ events: [Event]) -> [String] {
    events.map { event in
        switch event {
        case .ready: "ready"
        case .streamOpened(let stream, let headers): "opened \(stream.rawValue) \(headers.path)"
        case .headersReceived(let stream, let metadata): "headers \(stream.rawValue) \(metadata.entries.count)"
        case .messageReceived(let stream, let message, let cost):
            "message \(stream.rawValue) \(message.bytes.count) cost \(cost)"
        case .halfClosed(let stream): "halfClosed \(stream.rawValue)"
        case .trailersReceived(let stream, let trailers):
            "trailers \(stream.rawValue) \(trailers.code.rawValue) \(trailers.message)"
        case .streamClosed(let stream, let closure): "closed \(stream.rawValue) \(describe(closure))"
        case .writable(let stream): "writable \(stream.rawValue)"
        case .streamsAvailable: "streamsAvailable"
        case .goingAway(let goAway): "goingAway \(goAway.lastStream.rawValue) \(goAway.code)"
        case .pingAnswered(let nanoseconds): "pingAnswered \(nanoseconds)"
        case .drained: "drained"
        case .connectionFailed(let error): "failed \(error.code.errorCode.map(String.init(describing:)) ?? "ended")"
        }
    }
}

private func describe(_ closure: StreamClosure) -> String {
    switch closure {
    case .finished: "finished"
    case .resetLocally(let code): "resetLocally \(code)"
    case .resetByPeer(let code): "resetByPeer \(code)"
    case .deadlineExceeded: "deadlineExceeded"
    case .refused: "refused"
    case .connectionLost: "connectionLost"
    }
}

/// Numbers from a seed (SplitMix64), so that a failure can be run again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
