extension ConnectionMachine {
    /// Caller: opens a call. Throws notReady, goingAway, streamLimit, sendQueueFull, tooLarge, invalidHeaders,
    /// connectionClosed, misuse.
    package mutating func openStream(_ headers: RequestHeaders, now: Instant) throws(WireError) -> StreamID {
        try checkMayOpen()
        let stream = highestStream == .connection ? StreamID(1) : StreamID(highestStream.rawValue + 2)
        guard stream <= .highest else {
            throw WireError(.goingAway, "This connection has used up its stream ids. Open the call on a new one.")
        }
        var headers = headers
        // 0 on the wire is no deadline; what has no time left has one, and it passes at once.
        if headers.timeoutNanoseconds == 0 { headers.timeoutNanoseconds = 1 }
        try FrameEncoder.append(.request(stream, headers), to: &control.bytes, peer: peerSettings)
        highestStream = stream
        streams[stream] = Stream(role: role, peer: peerSettings, limits: limits)
        setDeadline(headers.timeoutNanoseconds, of: stream, now: now)
        return stream
    }

    /// Callee: sends initial metadata; needed before the first message. Throws streamClosed, tooLarge, invalidHeaders, misuse.
    package mutating func sendHeaders(_ metadata: WireMetadata, on stream: StreamID) throws(WireError) {
        let index = try find(stream)
        guard case .awaitingHeaders = streams.values[index].send.state else {
            throw misuse("HEADERS", stream, "sent once by the callee, before messages and TRAILERS")
        }
        try FrameEncoder.append(.response(stream, metadata), to: &control.bytes, peer: peerSettings)
        streams.values[index].send.state = .open
    }

    /// Queues a message. Returns whether there is room for more; if not, wait for `Event.writable`.
    /// `halfClose` (caller only) says that it is the last. Throws streamClosed, tooLarge, sendQueueFull, misuse.
    package mutating func sendMessage(
        _ message: Message, on stream: StreamID, halfClose: Bool = false
    ) throws(WireError) -> Bool {
        let index = try find(stream)
        guard case .open = streams.values[index].send.state, role == .caller || !halfClose else {
            throw misuse("A message", stream, "sent after HEADERS and before the end; only a caller half-closes")
        }
        guard message.encoding == .identity || peerSettings.acceptsZlib else {
            throw misuse("A compressed message", stream, "only for a peer that accepts zlib")
        }
        let size = max(message.bytes.count, message.uncompressedByteCount ?? 0)
        guard size <= Int(peerSettings.maxMessage) else {
            throw WireError(
                .tooLarge,
                "A message of \(size) bytes is beyond the \(peerSettings.maxMessage) that the peer accepts; it was not sent "
                    + "on \(stream), which goes on. Split it.")
        }
        guard !streams.values[index].send.isFull else {
            throw WireError(
                .sendQueueFull, "The send queue of \(stream) is full; the message was not queued. Wait for writable.")
        }
        streams.values[index].send.enqueue(message)
        if halfClose { streams.values[index].send.state = .ending(.halfClose) }
        streams.values[index].send.isFull = streams.values[index].send.queuedByteCount > limits.sendQueueHighWater
        schedule(index)
        return !streams.values[index].send.isFull
    }

    /// Caller: sends no more messages on this stream. Throws streamClosed, misuse (twice).
    package mutating func halfClose(_ stream: StreamID) throws(WireError) {
        let index = try find(stream)
        guard role == .caller, case .open = streams.values[index].send.state else {
            throw misuse("Half-close", stream, "done once, by the caller")
        }
        guard streams.values[index].send.isIdle else {
            streams.values[index].send.state = .ending(.halfClose)
            return
        }
        streams.values[index].send.state = .ended
        queue(.message(stream, [.noData, .end], []))
    }

    /// Callee: ends the call, after what is queued. Throws streamClosed, tooLarge (send smaller ones), invalidHeaders, misuse.
    package mutating func sendTrailers(_ trailers: Trailers, on stream: StreamID) throws(WireError) {
        let index = try find(stream)
        switch streams.values[index].send.state {
        case .awaitingHeaders where role == .callee, .open where role == .callee:
            break
        default:
            throw misuse("TRAILERS", stream, "sent once, by the callee")
        }
        guard !streams.values[index].send.isIdle else {
            try FrameEncoder.append(.trailers(stream, trailers), to: &control.bytes, peer: peerSettings)
            close(stream, .finished)
            return
        }
        var encoded: [UInt8] = []
        try FrameEncoder.append(.trailers(stream, trailers), to: &encoded, peer: peerSettings)
        streams.values[index].send.state = .ending(.trailers(encoded))
    }

    /// Ends a stream at once, dropping what is queued. A stream that is gone already stays gone.
    package mutating func reset(_ stream: StreamID, _ code: ErrorCode) {
        guard streams[stream] != nil else { return }
        queue(.reset(stream, code))
        close(stream, .resetLocally(code))
    }

    /// Gives window back for messages that the application has taken: the `cost` of `messageReceived`, of so many of them.
    /// What was not outstanding, or belongs to a stream that is gone, is nothing to give back.
    package mutating func consumed(_ cost: Int, messages: Int = 1, on stream: StreamID) {
        guard let index = streams.index(forKey: stream) else { return }
        let taken = streams.values[index].receive.window.consume(cost, messages: messages)
        heldByteCount -= taken.cost
        heldMessageCount -= taken.messages
        grantWindow(index)
    }

    private mutating func checkMayOpen() throws(WireError) {
        guard role == .caller else {
            throw WireError(.misuse, "Only the caller opens streams; this side is the callee. No call was opened.")
        }
        switch phase {
        case .awaitingSettings:
            throw WireError(.notReady, "The peer's SETTINGS are not here yet; no call was opened. Wait for ready.")
        case .closed:
            throw WireError(.connectionClosed, "The connection has ended; no call was opened. Open it on a new one.")
        case .open:
            break
        }
        guard !isDraining else {
            throw WireError(.goingAway, "The connection is draining; no call was opened. Open it on a new one.")
        }
        guard streams.count < Int(peerSettings.maxConcurrentStreams) else {
            owesStreamsAvailable = true
            throw WireError(
                .streamLimit,
                "The peer serves \(peerSettings.maxConcurrentStreams) calls at once, and so many are open; no call was "
                    + "opened. Wait for streamsAvailable.")
        }
        guard control.count < limits.maxControlBacklog else {
            owesStreamsAvailable = true
            throw WireError(
                .sendQueueFull,
                "\(control.count) bytes wait to be sent to a peer that does not read; no call was opened. Wait for "
                    + "streamsAvailable.")
        }
    }

    /// The place of a stream that is open. Throws `streamClosed` for one that is gone, `misuse` for one that never was.
    private func find(_ stream: StreamID) throws(WireError) -> Dictionary<StreamID, Stream>.Index {
        if let index = streams.index(forKey: stream) { return index }
        guard stream.isCallers, stream <= highestStream else {
            throw WireError(.misuse, "\(stream) was never opened on this connection; nothing was sent.")
        }
        throw WireError(.streamClosed, "\(stream) has ended; nothing was sent. Its streamClosed event says how.")
    }

    private func misuse(_ what: String, _ stream: StreamID, _ rule: String) -> WireError {
        WireError(.misuse, "\(what) on \(stream): \(rule). Nothing was sent; the stream is as it was.")
    }

    /// Takes a stream out of the connection, says how it ended, and does what was waiting for that.
    mutating func close(_ stream: StreamID, _ closure: StreamClosure) {
        guard let removed = streams.removeValue(forKey: stream) else { return }
        heldByteCount -= removed.receive.window.held
        heldMessageCount -= removed.receive.window.heldMessages
        if removed.send.isScheduled { ready.removeAll { $0 == stream } }
        events.append(.streamClosed(stream, closure))
        sayStreamsAvailable()
        sayDrained()
    }

    /// Tells a caller that was refused for want of room that there is room again.
    mutating func sayStreamsAvailable() {
        guard owesStreamsAvailable, case .open = phase, control.count < limits.maxControlBacklog,
            streams.count < Int(peerSettings.maxConcurrentStreams)
        else { return }
        owesStreamsAvailable = false
        events.append(.streamsAvailable)
    }
}
