extension ConnectionMachine {
    /// Takes no new calls, lets those that run finish, then says `Event.drained` (SPEC.md, section 8).
    package mutating func drain(now: Instant) {
        guard !isClosed, case .none = drainState else { return }
        guard role == .callee else {
            // The callee opens no streams: one GOAWAY says it all.
            drainState = .final(lastStream: .connection)
            queue(.goAway(GoAway(lastStream: .connection, code: .none)))
            sayDrained()
            return
        }
        drainState = .announced(until: now.advanced(byNanoseconds: limits.drainNotice.wireNanoseconds))
        queue(.goAway(GoAway(lastStream: .highest, code: .none)))
        // Once this is answered, the caller has seen the GOAWAY before it.
        queue(.ping(isAnswer: false, opaque: Self.drainPing))
    }

    /// Gives the connection up at once with a GOAWAY of this code.
    package mutating func abort(_ code: ErrorCode, _ text: String) {
        fail(WireError(.peerFault(code), text))
    }

    /// The byte stream has ended: open streams end with `connectionLost`. `connectionFailed` follows unless it was said
    /// before or the connection was drained.
    package mutating func transportClosed() {
        guard !isClosed else { return }
        let isExpected = streams.isEmpty && isDraining
        let error = WireError(
            .connectionClosed, "The peer's byte stream ended without a GOAWAY; the calls that ran on it have failed.")
        end(error)
        control.removeAll()
        currentFrame = nil
        if !isExpected { events.append(.connectionFailed(error)) }
    }

    /// Whether either side has said that it takes, or opens, no more calls.
    var isDraining: Bool {
        if case .none = drainState { peerGoAway != nil } else { true }
    }

    /// Whether no call can come any more. Between the two GOAWAYs of a callee's drain, one still can.
    private var takesNoMoreCalls: Bool {
        if case .final = drainState { true } else { peerGoAway != nil }
    }

    /// The PING that marks a drain's first GOAWAY; `Liveness` counts its own from 1.
    static var drainPing: UInt64 { .max }

    /// Sends the GOAWAY that names the last stream taken.
    mutating func finishDrain() {
        guard case .announced = drainState, !isClosed else { return }
        drainState = .final(lastStream: highestStream)
        queue(.goAway(GoAway(lastStream: highestStream, code: .none)))
        sayDrained()
    }

    /// Gives the connection up because of the peer, and tells it why.
    mutating func fail(_ error: WireError) {
        guard !isClosed else { return }
        let code = error.code.errorCode ?? .internalFailure
        // A caller serves no streams (G-1).
        let last = role == .callee ? highestStream : .connection
        queue(.goAway(GoAway(lastStream: last, code: code, text: error.message)))
        end(error)
        events.append(.connectionFailed(error))
    }

    mutating func receiveGoAway(_ goAway: GoAway) {
        if goAway.code != .none {
            let error = WireError(
                .peerFault(goAway.code),
                "The peer gave the connection up with \(goAway.code): \(WireError.printable(goAway.text))")
            end(error)
            events.append(.connectionFailed(error))
            return
        }
        if let earlier = peerGoAway, goAway.lastStream > earlier.lastStream {
            fail(
                WireError(
                    .peerFault(.protocolViolation), "The peer's second GOAWAY names a later last stream than its first."
                ))
            return
        }
        peerGoAway = goAway
        events.append(.goingAway(goAway))
        if role == .caller {
            for stream in streams.keys.filter({ $0 > goAway.lastStream }).sorted() { close(stream, .refused) }
        }
        sayDrained()
    }

    /// Says `drained`, once, when one side drains, no stream is left, and none can come.
    mutating func sayDrained() {
        guard case .open = phase, !saidDrained, streams.isEmpty, takesNoMoreCalls else { return }
        saidDrained = true
        events.append(.drained)
    }

    /// Ends every stream and the connection.
    private mutating func end(_ error: WireError) {
        phase = .closed
        ready.removeAll()
        deadlines.removeAll()
        for stream in streams.keys.sorted() { close(stream, .connectionLost(error.code)) }
    }
}

extension WireError {
    /// A peer's text, fit for a log: control characters become U+FFFD.
    static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "\u{fffd}" : $0 }))
    }
}
