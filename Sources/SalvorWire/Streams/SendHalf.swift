/// One stream's way out: what waits to be sent, and how far along the call is (SPEC.md, section 6).
struct SendHalf: Sendable {
    enum State: Sendable {
        /// Callee: HEADERS come before the first message.
        case awaitingHeaders
        case open
        /// What is queued goes out first, then this.
        case ending(Ending)
        case ended
    }

    enum Ending: Sendable {
        /// Caller: END on the last message.
        case halfClose
        /// Callee: the encoded TRAILERS frame.
        case trailers([UInt8])
    }

    var state: State
    var window: SendWindow
    /// Bytes of messages that are queued and in no frame yet.
    private(set) var queuedByteCount = 0
    /// `sendMessage` said to wait; `Event.writable` is owed.
    var isFull = false
    /// The stream is in the ready queue.
    var isScheduled = false
    private var queue = FIFO<Message>()
    /// Bytes of the first queued message that are in frames already.
    private var offset = 0

    init(state: State, window: UInt32) {
        self.state = state
        self.window = SendWindow(window)
    }

    var isIdle: Bool { queue.isEmpty }
    var canSendFrame: Bool { !queue.isEmpty && window.fitsFrame }

    mutating func enqueue(_ message: Message) {
        queue.append(message)
        queuedByteCount += message.bytes.count
    }

    /// The next MESSAGE frame: as much of the first message as the windows, `connectionWindow` too, and the peer's
    /// frame limit allow. Only when `canSendFrame`, and with a connection window that fits a frame.
    mutating func nextFrame(_ stream: StreamID, connectionWindow: Int, maxPayload: UInt32) -> OutboundFrame? {
        guard let message = queue.first else { return nil }
        let room = min(window.available, connectionWindow) - FrameHeader.byteCount
        let remaining = message.bytes.count - offset
        let count = min(remaining, min(room, Int(maxPayload)))
        var flags: FrameFlags = []
        if offset == 0, message.encoding == .zlib { flags.insert(.compressed) }
        let range = offset..<offset + count
        offset += count
        queuedByteCount -= count
        if count < remaining {
            flags.insert(.more)
        } else {
            _ = queue.popFirst()
            offset = 0
            if queue.isEmpty, case .ending(.halfClose) = state {
                flags.insert(.end)
                state = .ended
            }
        }
        window.use(FrameHeader.byteCount + count)
        let header = FrameHeader(length: UInt32(count), type: .message, flags: flags, stream: stream)
        return OutboundFrame(header: header, bytes: message.bytes, range: range)
    }
}

/// A MESSAGE frame on its way out. Shares its bytes with the message, and is finished even if its stream is reset meanwhile:
/// a frame once begun belongs to the connection.
struct OutboundFrame: Sendable {
    private let header: FrameHeader
    private var headerSent = 0
    private let bytes: [UInt8]
    private var rest: Range<Int>

    init(header: FrameHeader, bytes: [UInt8], range: Range<Int>) {
        self.header = header
        self.bytes = bytes
        self.rest = range
    }

    /// What the frame takes from the windows (W-2).
    var cost: Int { FrameHeader.byteCount + Int(header.length) }
    var remaining: Int { FrameHeader.byteCount - headerSent + rest.count }
    var isSent: Bool { headerSent == FrameHeader.byteCount && rest.isEmpty }

    /// Writes as much as fits; says how much that was.
    mutating func write(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let headerCount = writeHeader(into: buffer)
        let count = min(rest.count, buffer.count - headerCount)
        guard count > 0 else { return headerCount }
        let source = rest.lowerBound..<rest.lowerBound + count
        bytes.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(rebasing: buffer[headerCount...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[source]))
        }
        rest = source.upperBound..<rest.upperBound
        return headerCount + count
    }

    private mutating func writeHeader(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(FrameHeader.byteCount - headerSent, buffer.count)
        guard count > 0 else { return 0 }
        if count == FrameHeader.byteCount {
            FrameEncoder.write(header, into: buffer)
        } else {
            withUnsafeTemporaryAllocation(byteCount: FrameHeader.byteCount, alignment: 8) { whole in
                FrameEncoder.write(header, into: whole)
                buffer.copyMemory(
                    from: UnsafeRawBufferPointer(
                        rebasing: UnsafeRawBufferPointer(whole)[headerSent..<headerSent + count]))
            }
        }
        headerSent += count
        return count
    }
}
