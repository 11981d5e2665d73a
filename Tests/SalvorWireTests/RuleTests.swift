import SalvorWire
import Testing

/// Rules that no other suite is about.
@Suite("Single rules of SPEC.md")
struct RuleTests {
    private static let one = StreamID(1)

    @Test("Each side says its preface and settings at once, and waits for nobody's (P-1, P-2)")
    func openings() throws {
        for role in [Role.caller, .callee] {
            var machine = try ConnectionMachine(role: role, now: Instant(nanoseconds: 0))
            let first = machine.nextOutbound(maxBytes: 1000)
            #expect(first?.starts(with: Preface.bytes) == true)
            let frames = try decode([first ?? []], from: role, afterPreface: false)
            guard case .settings? = frames.first, frames.count == 1 else {
                Issue.record("\(role): \(frames)")
                continue
            }
        }
    }

    @Test("No stream is opened before the callee's settings are there (P-3)")
    func noStreamBeforeSettings() throws {
        var machine = try ConnectionMachine(role: .caller, now: Instant(nanoseconds: 0))
        #expect(throws: WireError.self) {
            _ = try machine.openStream(RequestHeaders(path: "a/B"), now: Instant(nanoseconds: 0))
        }
        machine.receive(Preface.bytes + (try encode(.settings(PeerSettings()))), now: Instant(nanoseconds: 0))
        _ = try machine.openStream(RequestHeaders(path: "a/B"), now: Instant(nanoseconds: 0))
    }

    @Test("Only MESSAGE is under flow control: at a window of nothing, calls open, end and are reset (W-1)")
    func onlyMessages() throws {
        let raw = try RawPeer.withStream(.callee, limits: FlowControlTests.small(stream: 32, connection: 32))
        try raw.send(.message(Self.one, [], [UInt8](repeating: 0, count: 22)))
        #expect(raw.events() == ["message 1 22 cost 32"])
        try raw.send(
            .request(StreamID(3), RequestHeaders(path: "a/B")), .reset(StreamID(3), .cancelled),
            .window(StreamID(1), increment: 1), .ping(isAnswer: false, opaque: 1))
        #expect(raw.events() == ["opened 3 a/B", "closed 3 resetByPeer CANCELLED"])
    }

    @Test("A half-close without data costs nothing, and comes through a window of nothing (W-3)")
    func halfCloseIsFree() throws {
        let raw = try RawPeer.withStream(.callee, limits: FlowControlTests.small(stream: 32, connection: 1000))
        try raw.send(.message(Self.one, [], [UInt8](repeating: 0, count: 22)))
        try raw.send(.message(Self.one, [.end, .noData], []))
        #expect(raw.events() == ["message 1 22 cost 32", "halfClosed 1"])
    }

    @Test("An empty message costs its header, so that a queue of them is bounded (W-2)")
    func emptyMessagesCost() throws {
        let raw = try RawPeer.withStream(.callee, limits: FlowControlTests.small(stream: 32, connection: 1000))
        try raw.send(.message(Self.one, [], []), .message(Self.one, [], []), .message(Self.one, [], []))
        #expect(raw.events() == ["message 1 0 cost 10", "message 1 0 cost 10", "message 1 0 cost 10"])
        try raw.send(.message(Self.one, [], []))
        #expect(raw.events().last == "failed FLOW_CONTROL")
    }

    @Test("A PING is answered at once by its own eight bytes (K-2), and at most 16 of ours are unanswered (K-4)")
    func pings() throws {
        let raw = try RawPeer(.callee)
        try raw.send(.ping(isAnswer: false, opaque: 0x0102_0304_0506_0708))
        #expect(try raw.sent() == [.ping(isAnswer: true, opaque: 0x0102_0304_0506_0708)])
        for _ in 0..<20 { raw.machine.ping(now: raw.now) }
        let pings = try raw.sent()
        #expect(pings.count == 16)
        guard case .ping(false, let opaque)? = pings.first else {
            Issue.record("\(pings)")
            return
        }
        try raw.send(.ping(isAnswer: true, opaque: opaque))
        raw.machine.ping(now: raw.now)
        #expect(try raw.sent().count == 1)
    }

    @Test("GOAWAY names the highest stream that has been begun, and 0 from a caller, which serves none (G-1)")
    func lastStream() throws {
        let callee = try RawPeer(.callee)
        for id in [5, 9] as [UInt32] { try callee.send(.request(StreamID(id), RequestHeaders(path: "a/B"))) }
        callee.machine.abort(.internalFailure, "why")
        guard case .goAway(let said)? = try callee.sent().last else {
            Issue.record("no GOAWAY")
            return
        }
        #expect(said.lastStream == StreamID(9) && said.code == .internalFailure)
        let caller = try RawPeer.withStream(.caller)
        caller.machine.abort(.internalFailure, "why")
        guard case .goAway(let its)? = try caller.sent().last else {
            Issue.record("no GOAWAY")
            return
        }
        #expect(its.lastStream == .connection)
    }

    @Test("What enrolls gets little: the limits that SPEC.md names (N-2)")
    func enrolmentLimits() {
        let limits = Limits.enrolment
        #expect(limits.maxConcurrentStreams == 2)
        #expect(limits.initialStreamWindow == 64 << 10 && limits.initialConnectionWindow == 128 << 10)
        #expect(limits.maxFramePayload == 32 << 10 && limits.maxMessage == 32 << 10)
        #expect(limits.maxHeaderBlock == 4096 && limits.maxMetadataEntries == 16 && !limits.acceptsZlib)
    }
}
