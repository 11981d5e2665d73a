extension ConnectionMachine {
    /// Whether there is something to send now.
    package var hasOutbound: Bool {
        currentFrame != nil || !control.isEmpty || (!isClosed && sendWindow.fitsFrame && !ready.isEmpty)
    }

    /// Room for what is to be sent next, as near as can be said soon: of several streams it looks at the first.
    package var expectedOutbound: Int {
        let message = ready.first.flatMap { streams[$0]?.send.queuedByteCount } ?? 0
        return control.count + (currentFrame?.remaining ?? 0) + message + 4 * FrameHeader.byteCount + 256
    }

    /// Writes bytes to send into `buffer` and says how many. Bytes that were written count as sent. 0: nothing to send.
    ///
    /// The frame that is begun comes first, then frames that need no window, then one MESSAGE frame of each stream that has
    /// window, in turn (W-8).
    package mutating func writeOutbound(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var written = 0
        while written < buffer.count {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[written...])
            if var frame = currentFrame.take() {
                written += frame.write(into: room)
                if !frame.isSent { currentFrame = frame }
            } else if !control.isEmpty {
                written += control.move(into: room)
            } else if !beginFrame() {
                break
            }
        }
        sayStreamsAvailable()
        return written
    }

    /// The next bytes to send, at most `maxBytes`; nil when there is nothing to send.
    package mutating func nextOutbound(maxBytes: Int) -> [UInt8]? {
        guard hasOutbound, maxBytes > 0 else { return nil }
        let bytes = [UInt8](unsafeUninitializedCapacity: maxBytes) { buffer, count in
            count = writeOutbound(into: UnsafeMutableRawBufferPointer(buffer))
        }
        return bytes.isEmpty ? nil : bytes
    }

    /// Puts a stream in line when it has something to send and window for it.
    mutating func schedule(_ index: Dictionary<StreamID, Stream>.Index) {
        guard !streams.values[index].send.isScheduled, streams.values[index].send.canSendFrame else { return }
        streams.values[index].send.isScheduled = true
        ready.append(streams.keys[index])
    }

    /// Makes the next MESSAGE frame the current one; false when no stream has one to send.
    private mutating func beginFrame() -> Bool {
        guard !isClosed, sendWindow.fitsFrame, let stream = ready.popFirst(), let index = streams.index(forKey: stream)
        else { return false }
        streams.values[index].send.isScheduled = false
        guard
            let frame = streams.values[index].send.nextFrame(
                stream, connectionWindow: sendWindow.available, maxPayload: peerSettings.maxFramePayload)
        else { return false }
        currentFrame = frame
        sendWindow.use(frame.cost)
        schedule(index)
        if streams.values[index].send.isFull,
            streams.values[index].send.queuedByteCount <= limits.sendQueueLowWater
        {
            streams.values[index].send.isFull = false
            events.append(.writable(stream))
        }
        if streams.values[index].send.isIdle, case .ending(.trailers(let trailers)) = streams.values[index].send.state {
            control.bytes.append(contentsOf: trailers)
            close(stream, .finished)
        }
        return true
    }
}
