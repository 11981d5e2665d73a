import SalvorWire
import Testing

@Suite("How calls and connections end, wherever they are when they do")
struct EndTests {
    /// A caller's side of a connection, as bytes: two calls, one with its half-close, a message in fragments, a reset.
    private static func conversation() throws -> [UInt8] {
        var bytes = Preface.bytes + (try encode(.settings(PeerSettings())))
        let frames: [Frame] = [
            .request(StreamID(1), RequestHeaders(path: "a/B")),
            .message(StreamID(1), [.more], [1, 2, 3]),
            .request(
                StreamID(3), RequestHeaders(path: "a/C", metadata: WireMetadata([.init(key: "k", value: .text("v"))]))),
            .message(StreamID(1), [.end], [4]),
            .ping(isAnswer: false, opaque: 7),
            .message(StreamID(3), [], []),
            .reset(StreamID(3), .cancelled),
        ]
        for frame in frames { bytes += try encode(frame) }
        return bytes
    }

    @Test("Cut off at any byte, each call that was begun ends once, and the connection ends last (F-1, R-3, E-3)")
    func cutAnywhere() throws {
        let bytes = try Self.conversation()
        for count in 0...bytes.count {
            var machine = try ConnectionMachine(role: .callee, limits: .standard, now: Instant(nanoseconds: 0))
            machine.receive(Array(bytes[..<count]), now: Instant(nanoseconds: 0))
            machine.transportClosed()
            var open: Set<StreamID> = []
            var isOver = false
            while let event = machine.nextEvent() {
                #expect(!isOver, "an event after the end, cut at \(count)")
                switch event {
                case .streamOpened(let stream, _): #expect(open.insert(stream).inserted)
                case .streamClosed(let stream, let closure):
                    #expect(open.remove(stream) != nil, "cut at \(count)")
                    let isExpected = closure == .resetByPeer(.cancelled) || closure.status == .unavailable
                    #expect(isExpected, "cut at \(count): \(closure)")
                case .connectionFailed: isOver = true
                default: ()
                }
            }
            let isClosed = machine.isClosed
            #expect(open.isEmpty && isOver && isClosed, "cut at \(count)")
        }
    }

    /// What a library may not say of itself (gRPC's statuscodes.md): these are the application's.
    private static let application: Set<StatusCode> = [
        .invalidArgument, .notFound, .alreadyExists, .failedPrecondition, .aborted, .outOfRange, .dataLoss,
    ]

    @Test("No code of the wire, and no end of a stream, becomes a status that is the application's to give (E-2, E-3)")
    func inventsNothing() {
        let codes = (UInt32(0)...300).map(ErrorCode.init(rawValue:)) + [ErrorCode(rawValue: .max)]
        for code in codes {
            #expect(!Self.application.contains(code.status), "\(code)")
            let closures: [StreamClosure] = [
                .resetLocally(code), .resetByPeer(code), .deadlineExceeded, .refused, .connectionLost(.peerFault(code)),
            ]
            for closure in closures {
                #expect(closure.status.map { !Self.application.contains($0) } == true, "\(closure)")
            }
            #expect(!Self.application.contains(WireError(.peerFault(code), "").status))
            if code.rawValue > 13 { #expect(code.status == .unknown) }
        }
        let own: [WireError.Code] = [
            .misuse, .streamClosed, .notReady, .goingAway, .streamLimit, .sendQueueFull, .tooLarge, .invalidHeaders,
            .connectionClosed, .corruptMessage,
        ]
        for code in own { #expect(!Self.application.contains(WireError(code, "").status), "\(code)") }
    }

    @Test("The codes of SPEC.md are those of the code, and each has a sender in RESET, in GOAWAY, or in both (E-2)")
    func codesOfTheSpec() throws {
        let rows = try ErrorCodeTable().rows
        #expect(rows.keys.sorted() == Array(0...13))
        for (code, senders) in rows {
            #expect(senders.name == "\(ErrorCode(rawValue: code))")
            #expect(!senders.reset.isEmpty || !senders.goAway.isEmpty)
            #expect(["", "both", "caller", "callee"].contains(senders.reset))
            #expect(["", "both"].contains(senders.goAway))
        }
    }

    /// When a caller cancels, counted in what the callee has done by then.
    enum Moment: String, CaseIterable, Sendable {
        case beforeItIsSent, beforeTheAnswer, betweenMessages, beforeTheStatusIsRead, afterTheEnd
    }

    @Test(
        "A caller that cancels at any moment ends the call once on both sides, and holds nothing (T-6)",
        arguments: Moment.allCases)
    func cancels(moment: Moment) throws {
        let pair = try Pair.connected()
        let stream = try pair.caller.openStream(RequestHeaders(path: "a/B"), now: pair.now)
        _ = try pair.caller.sendMessage(Message([1, 2, 3]), on: stream)
        if moment != .beforeItIsSent { pair.pump() }
        if moment == .betweenMessages {
            try pair.callee.sendHeaders(WireMetadata(), on: stream)
            _ = try pair.callee.sendMessage(Message([4]), on: stream)
            pair.pump()
        }
        if moment == .beforeTheStatusIsRead || moment == .afterTheEnd {
            try pair.callee.sendTrailers(Trailers(code: .ok), on: stream)
            // The status and the RESET cross.
            if moment == .afterTheEnd { pair.pump() }
        }
        pair.caller.reset(stream, .cancelled)
        pair.pump()
        let closed = { (events: [Event]) in lines(events).filter { $0.hasPrefix("closed") } }
        let isOver = moment == .afterTheEnd
        #expect(closed(pair.takeCallerEvents()) == [isOver ? "closed 1 finished" : "closed 1 resetLocally CANCELLED"])
        let atCallee = closed(pair.takeCalleeEvents())
        switch moment {
        // What was never sent, the callee need not hear of; the frames that were queued may go or stay.
        case .beforeItIsSent: #expect(atCallee == [] || atCallee == ["closed 1 resetByPeer CANCELLED"])
        case .beforeTheStatusIsRead, .afterTheEnd: #expect(atCallee == ["closed 1 finished"])
        default: #expect(atCallee == ["closed 1 resetByPeer CANCELLED"])
        }
        #expect(pair.caller.openStreamCount == 0 && pair.callee.openStreamCount == 0)
        #expect(try pair.open() == StreamID(3))
    }
}
