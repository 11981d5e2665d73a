extension ConnectionMachine {
    /// Takes bytes as they came, split anywhere.
    package mutating func receive(_ bytes: RawSpan, now: Instant) {
        guard !isClosed, bytes.byteCount > 0 else { return }
        liveness.heard(now: now)
        expireStreams(now: now)
        var offset = 0
        do throws(WireError) {
            while !isClosed, let part = try decoder.next(bytes, &offset) {
                switch part {
                case .message(let chunk): try receive(chunk, bytes)
                case .frame(let frame): try receive(frame, now: now)
                case .ignored(let header):
                    guard otherRate.allows(now: now) else { throw excessive("\(header.type)") }
                }
                try checkBacklog()
            }
        } catch {
            fail(error)
        }
    }

    /// Takes bytes as they came, split anywhere.
    package mutating func receive(_ bytes: [UInt8], now: Instant) {
        receive(bytes.span.bytes, now: now)
    }

    private mutating func receive(_ frame: Frame, now: Instant) throws(WireError) {
        switch frame {
        case .settings(let settings):
            peerSettings = settings
            sendWindow = SendWindow(settings.initialConnectionWindow)
            phase = .open
            events.append(.ready(settings))
            sayDrained()
        case .request(let stream, let headers):
            try receiveRequest(stream, headers, now: now)
        case .response(let stream, let metadata):
            try receiveResponse(stream, metadata)
        case .message:
            break  // A decoder gives these in chunks.
        case .trailers(let stream, let trailers):
            try receiveTrailers(stream, trailers)
        case .reset(let stream, let code):
            guard resetRate.allows(now: now) else { throw excessive("RESET") }
            guard try isOpen(stream, "RESET") else { return }
            close(stream, .resetByPeer(code))
        case .window(let stream, let increment):
            try receiveWindow(stream, increment)
        case .ping(let isAnswer, let opaque):
            try receivePing(isAnswer: isAnswer, opaque, now: now)
        case .goAway(let goAway):
            guard otherRate.allows(now: now) else { throw excessive("GOAWAY") }
            receiveGoAway(goAway)
        }
    }

    private mutating func receiveRequest(
        _ stream: StreamID, _ headers: RequestHeaders, now: Instant
    ) throws(WireError) {
        guard stream > highestStream else {
            throw violation("opened \(stream) after \(highestStream): ids rise and are used once")
        }
        highestStream = stream
        if case .final = drainState { return }
        guard streams.count < Int(limits.maxConcurrentStreams) else {
            queue(.reset(stream, .refused))
            return
        }
        streams[stream] = Stream(role: role, peer: peerSettings, limits: limits)
        setDeadline(headers.timeoutNanoseconds, of: stream, now: now)
        events.append(.streamOpened(stream, headers))
    }

    private mutating func receiveResponse(_ stream: StreamID, _ metadata: WireMetadata) throws(WireError) {
        guard try isOpen(stream, "HEADERS"), let index = streams.index(forKey: stream) else { return }
        guard case .awaitingHeaders = streams.values[index].receive.state else {
            reset(stream, .protocolViolation)
            return
        }
        streams.values[index].receive.state = .betweenMessages
        events.append(.headersReceived(stream, metadata))
    }

    private mutating func receiveTrailers(_ stream: StreamID, _ trailers: Trailers) throws(WireError) {
        guard try isOpen(stream, "TRAILERS"), let index = streams.index(forKey: stream) else { return }
        if case .inMessage = streams.values[index].receive.state {
            reset(stream, .protocolViolation)
            return
        }
        events.append(.trailersReceived(stream, trailers))
        close(stream, .finished)
    }

    private mutating func receiveWindow(_ stream: StreamID, _ increment: UInt32) throws(WireError) {
        guard stream != .connection else {
            guard increment > 0 else { throw violation("sent a WINDOW of zero for the connection") }
            guard sendWindow.grow(by: increment) else {
                throw WireError(.peerFault(.flowControl), "The peer's WINDOW takes the connection beyond 2³¹−1.")
            }
            return
        }
        guard try isOpen(stream, "WINDOW"), let index = streams.index(forKey: stream) else { return }
        guard increment > 0 else {
            reset(stream, .protocolViolation)
            return
        }
        guard streams.values[index].send.window.grow(by: increment) else {
            reset(stream, .flowControl)
            return
        }
        schedule(index)
    }

    private mutating func receivePing(isAnswer: Bool, _ opaque: UInt64, now: Instant) throws(WireError) {
        guard isAnswer else {
            guard pingRate.allows(now: now) else { throw excessive("PING") }
            queue(.ping(isAnswer: true, opaque: opaque))
            return
        }
        if opaque == Self.drainPing, case .announced = drainState {
            finishDrain()
        } else if let roundTrip = liveness.endPing(opaque, now: now) {
            events.append(.pingAnswered(roundTripNanoseconds: roundTrip))
        } else if !otherRate.allows(now: now) {
            throw excessive("PING answer")
        }
    }

    /// Whether a stream that a frame names is open. False: it has ended, and the frame is dropped (E-5). Throws when it was
    /// never opened.
    func isOpen(_ stream: StreamID, _ what: String) throws(WireError) -> Bool {
        guard stream <= highestStream else {
            throw violation("sent a \(what) on \(stream), which was never opened")
        }
        return streams[stream] != nil
    }

    /// A peer that makes us answer and does not read the answers is cut off. Twice the limit, because our own HEADERS may
    /// fill the first half (S-5).
    private func checkBacklog() throws(WireError) {
        guard control.count > 2 * limits.maxControlBacklog else { return }
        throw WireError(
            .peerFault(.excessive), "The peer does not read: \(control.count) bytes of answers to it wait to be sent.")
    }

    func violation(_ what: String) -> WireError {
        WireError(.peerFault(.protocolViolation), "The peer \(what).")
    }

    private func excessive(_ what: String) -> WireError {
        WireError(
            .peerFault(.excessive),
            "The peer sent more frames of the kind \(what) than are taken in \(limits.ratePeriod).")
    }
}
