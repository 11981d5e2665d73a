/// One stream's way in: how far along the peer is, and the message that is being put together (SPEC.md, section 6).
struct ReceiveHalf: Sendable {
    enum State: Sendable {
        /// Caller: the callee's HEADERS come before its first message.
        case awaitingHeaders
        case betweenMessages
        case inMessage(Assembly)
        /// Callee: the caller has half-closed.
        case ended
    }

    /// A message of which a part is here.
    struct Assembly: Sendable {
        var bytes: [UInt8]
        var isCompressed: Bool
    }

    var state: State
    var window: ReceiveWindow

    init(state: State, window: UInt32) {
        self.state = state
        self.window = ReceiveWindow(window)
    }

    /// Why a MESSAGE frame with this header breaks the call, from its header alone; nil when it does not.
    func refusal(of header: FrameHeader, from peer: Role, limits: Limits) -> ErrorCode? {
        if peer == .callee, header.flags.contains(.end) { return .protocolViolation }
        var size = Int(header.length)
        switch state {
        case .awaitingHeaders, .ended:
            return .protocolViolation
        case .betweenMessages:
            if header.flags.contains(.compressed), !limits.acceptsZlib { return .unsupported }
        case .inMessage(let assembly):
            if header.flags.contains(.compressed) || header.flags.contains(.noData) { return .protocolViolation }
            size += assembly.bytes.count
        }
        return size > Int(limits.maxMessage) ? .tooLarge : nil
    }

    /// Adds a piece of a frame that was not refused.
    mutating func add(_ chunk: MessageChunk, _ input: RawSpan) {
        guard !chunk.header.flags.contains(.noData) else { return }
        var assembly = takeAssembly(isCompressed: chunk.header.flags.contains(.compressed))
        if assembly.bytes.isEmpty {
            // Only once: asking for exact room again and again would copy the message for every frame.
            assembly.bytes.reserveCapacity(Int(chunk.header.length))
        }
        input.extracting(chunk.bytes).withUnsafeBytes { assembly.bytes.append(contentsOf: $0) }
        state = .inMessage(assembly)
    }

    /// The message begun, or a new one. It leaves the state, so that its bytes have one owner and are appended to in place.
    private mutating func takeAssembly(isCompressed: Bool) -> Assembly {
        defer { state = .betweenMessages }
        if case .inMessage(let assembly) = state { return assembly }
        return Assembly(bytes: [], isCompressed: isCompressed)
    }

    /// Takes the message, which is whole, and its cost.
    mutating func completeMessage() -> (Message, cost: Int)? {
        guard case .inMessage(let assembly) = state else { return nil }
        state = .betweenMessages
        let cost = window.completeMessage()
        return (assembly.isCompressed ? Message(zlib: assembly.bytes) : Message(assembly.bytes), cost)
    }
}
