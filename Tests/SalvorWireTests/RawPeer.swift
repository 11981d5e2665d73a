import SalvorWire

/// A machine against a peer that is played by hand, frame by frame.
final class RawPeer {
    var machine: ConnectionMachine
    var now = Instant(nanoseconds: 0)

    /// The machine has had the peer's opening, with these settings; what it sent and said so far is forgotten.
    init(_ role: Role, limits: Limits = .standard, peer: PeerSettings = PeerSettings()) throws {
        machine = try ConnectionMachine(role: role, limits: limits, now: now)
        machine.receive(Preface.bytes + (try encode(.settings(peer))), now: now)
        while machine.nextEvent() != nil {}
        while machine.nextOutbound(maxBytes: 1 << 16) != nil {}
    }

    /// A callee with one call open, or a caller that has opened one.
    static func withStream(
        _ role: Role, limits: Limits = .standard, peer: PeerSettings = PeerSettings()
    ) throws -> RawPeer {
        let raw = try RawPeer(role, limits: limits, peer: peer)
        if role == .callee {
            try raw.send(.request(StreamID(1), RequestHeaders(path: "a/B")))
        } else {
            _ = try raw.machine.openStream(RequestHeaders(path: "a/B"), now: raw.now)
            try raw.send(.response(StreamID(1), WireMetadata()))
        }
        _ = raw.events()
        _ = try raw.sent()
        return raw
    }

    func send(_ frames: Frame...) throws {
        for frame in frames { machine.receive(try encode(frame), now: now) }
    }

    func events() -> [String] {
        var events: [Event] = []
        while let event = machine.nextEvent() { events.append(event) }
        return lines(events)
    }

    /// The frames that the machine has sent since it was last asked.
    func sent() throws -> [Frame] {
        var output: [UInt8] = []
        while let more = machine.nextOutbound(maxBytes: 1000) { output += more }
        return try decode([output], from: machine.role)
    }
}
