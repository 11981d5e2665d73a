extension ConnectionMachine {
    /// Takes a piece of a MESSAGE frame. The first piece brings the header, on which all that can be refused is refused.
    mutating func receive(_ chunk: MessageChunk, _ input: RawSpan) throws(WireError) {
        let stream = chunk.header.stream
        if chunk.isFirst {
            guard try admit(chunk.header) else { return }
        }
        // Gone: it was refused, or ended while the frame was still coming.
        guard let index = streams.index(forKey: stream) else { return }
        streams.values[index].receive.add(chunk, input)
        guard chunk.isLast, !chunk.header.flags.contains(.more) else { return }
        if let (message, cost) = streams.values[index].receive.completeMessage() {
            heldMessageCount += 1
            events.append(.messageReceived(stream, message, cost: cost))
        }
        if chunk.header.flags.contains(.end) {
            streams.values[index].receive.state = .ended
            events.append(.halfClosed(stream))
        }
    }

    /// Counts a MESSAGE frame against the windows and checks it against its stream; false when its payload is to be dropped.
    /// Throws for what ends the connection.
    private mutating func admit(_ header: FrameHeader) throws(WireError) -> Bool {
        // A frame without a message costs nothing, so that a half-close never waits for window (W-3).
        let cost = header.flags.contains(.noData) ? 0 : FrameHeader.byteCount + Int(header.length)
        guard receiveWindow.receive(cost) else { throw overrun(.connection, cost) }
        if let increment = receiveWindow.grant() { queue(.window(.connection, increment: increment)) }
        guard try isOpen(header.stream, "MESSAGE"), let index = streams.index(forKey: header.stream) else {
            return false
        }

        guard streams.values[index].receive.window.receive(cost) else { throw overrun(header.stream, cost) }
        heldByteCount += cost
        if let code = streams.values[index].receive.refusal(of: header, from: role.peer, limits: limits) {
            reset(header.stream, code)
            return false
        }
        guard heldByteCount <= limits.maxHeldBytes, heldMessageCount < limits.maxHeldMessages else {
            reset(header.stream, .tooLarge)
            return false
        }
        // A message that this frame makes whole is the application's to give back.
        if header.flags.contains(.more) { grantWindow(index) }
        return true
    }

    /// Sends a stream's WINDOW when enough would come back, while the peer can still use it.
    mutating func grantWindow(_ index: Dictionary<StreamID, Stream>.Index) {
        if case .ended = streams.values[index].receive.state { return }
        if let increment = streams.values[index].receive.window.grant() {
            queue(.window(streams.keys[index], increment: increment))
        }
    }

    private func overrun(_ stream: StreamID, _ cost: Int) -> WireError {
        WireError(.peerFault(.flowControl), "The peer sent a MESSAGE of \(cost) bytes beyond the window of \(stream).")
    }
}
