extension ConnectionMachine {
    /// When `timerFired` is due; nil for never. Ask again after every call of any method.
    package var nextDeadline: Instant? {
        var next: Instant
        switch phase {
        case .awaitingSettings(let deadline): next = deadline
        case .open: next = liveness.deadline
        case .closed: return nil
        }
        if let entry = deadlines.first { next = min(next, entry.deadline) }
        if case .announced(let until) = drainState { next = min(next, until) }
        return next
    }

    /// The time that `nextDeadline` named has come (or may have: calling it early is harmless).
    package mutating func timerFired(now: Instant) {
        expireStreams(now: now)
        if case .announced(let until) = drainState, now >= until { finishDrain() }
        switch phase {
        case .awaitingSettings(let deadline):
            guard now >= deadline else { return }
            fail(
                WireError(
                    .peerFault(.timeout),
                    "The peer did not send its preface and SETTINGS within \(limits.prefaceTimeout); the connection is given "
                        + "up. Is it a Salvor peer?"))
        case .open:
            checkLiveness(now: now)
        case .closed:
            break
        }
    }

    /// Asks for a sign of life; `Event.pingAnswered` follows.
    package mutating func ping(now: Instant) {
        guard !isClosed, let opaque = liveness.beginPing(now: now) else { return }
        queue(.ping(isAnswer: false, opaque: opaque))
    }

    private mutating func checkLiveness(now: Instant) {
        switch liveness.look(now: now) {
        case .well:
            break
        case .probe:
            ping(now: now)
        case .dead:
            fail(
                WireError(
                    .peerFault(.timeout),
                    "The peer was silent for \(limits.keepAliveInterval) and did not answer a PING within "
                        + "\(limits.keepAliveTimeout); the connection is given up, and so are its calls."))
        }
    }

    /// Ends every stream whose deadline has passed (D-3).
    mutating func expireStreams(now: Instant) {
        while let entry = deadlines.first, entry.deadline <= now {
            deadlines.removeFirst()
            guard streams[entry.stream] != nil else { continue }
            queue(.reset(entry.stream, .deadlineExceeded))
            close(entry.stream, .deadlineExceeded)
        }
    }

    /// Sets a stream's deadline from the relative timeout in its HEADERS (D-1).
    mutating func setDeadline(_ timeoutNanoseconds: UInt64?, of stream: StreamID, now: Instant) {
        guard let timeoutNanoseconds else { return }
        deadlines.insert(now.advanced(byNanoseconds: timeoutNanoseconds), stream)
        deadlines.compact(live: streams.count) { streams[$0] != nil }
    }
}
