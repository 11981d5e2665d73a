/// A piece of a MESSAGE frame, as it came. Its bytes are not copied: they are a range of the decoder's input.
package struct MessageChunk: Hashable, Sendable {
    package var header: FrameHeader
    /// Where in the input the bytes are.
    package var bytes: Range<Int>
    /// Whether this is the first piece of its frame.
    package var isFirst: Bool
    /// Whether this is the last piece of its frame.
    package var isLast: Bool
}

/// Takes a peer's bytes apart into frames, however they were split.
///
/// A frame that breaks a rule is refused on its header alone. What is kept between two calls is at most one header block, or a few
/// bytes of anything else; the payload of a MESSAGE is never kept here.
package struct FrameDecoder: Sendable {
    /// What `next` found.
    package enum Part: Hashable, Sendable {
        /// A whole frame, never a MESSAGE.
        case frame(Frame)
        case message(MessageChunk)
        /// A frame of a type that this version does not know; its payload is skipped.
        case ignored(FrameHeader)
    }

    private enum State {
        case preface
        case header
        /// Collecting the payload of a frame that is not a MESSAGE.
        case payload(FrameHeader)
        case message(FrameHeader, remaining: Int, isFirst: Bool)
        case skipping(remaining: Int)
        case failed(WireError)
    }

    private let peer: Role
    private let limits: Limits
    private var state: State
    /// Whether the first frame, SETTINGS, is still to come (P-2).
    private var awaitsSettings: Bool
    /// The beginning of a preface, header or payload whose end has not come.
    private var pending: [UInt8] = []

    /// `peer` is the role of who sends the bytes. `afterPreface`: the preface and SETTINGS have already been read.
    package init(peer: Role, limits: Limits, afterPreface: Bool = false) {
        self.peer = peer
        self.limits = limits
        self.state = afterPreface ? .header : .preface
        self.awaitsSettings = !afterPreface
    }

    /// The next part in `input` from `offset` on, moving `offset` past it; nil when the input is used up. Throws `peerFault`
    /// for what SPEC.md forbids, and the same error again ever after.
    package mutating func next(_ input: RawSpan, _ offset: inout Int) throws(WireError) -> Part? {
        do {
            return try take(input, &offset)
        } catch {
            state = .failed(error)
            pending = []
            throw error
        }
    }

    private mutating func take(_ input: RawSpan, _ offset: inout Int) throws(WireError) -> Part? {
        while true {
            switch state {
            case .preface:
                guard try takePreface(input, &offset) else { return nil }
                state = .header
            case .header:
                guard let header = takeHeader(input, &offset) else { return nil }
                try check(header)
                if let part = begin(header) { return part }
            case .payload(let header):
                guard let frame = try takePayload(of: header, input, &offset) else { return nil }
                state = .header
                awaitsSettings = false
                return .frame(frame)
            case .message(let header, let remaining, let isFirst):
                return takeMessage(header, remaining: remaining, isFirst: isFirst, input, &offset)
            case .skipping(let remaining):
                let count = min(remaining, input.byteCount - offset)
                offset += count
                guard count == remaining else {
                    state = .skipping(remaining: remaining - count)
                    return nil
                }
                state = .header
            case .failed(let error):
                throw error
            }
        }
    }

    private func check(_ header: FrameHeader) throws(WireError) {
        if awaitsSettings, header.type != .settings {
            throw WireError(
                .peerFault(.protocolViolation), "The peer's first frame is a \(header.type); it must be SETTINGS.")
        }
        if !awaitsSettings, header.type == .settings {
            throw WireError(.peerFault(.protocolViolation), "The peer sent SETTINGS twice; they are sent once, first.")
        }
        try FrameRules.check(header, limits: limits)
    }

    /// Enters the payload of a frame. Gives the part of a frame that is not kept.
    private mutating func begin(_ header: FrameHeader) -> Part? {
        switch header.type {
        case .message:
            state = .message(header, remaining: Int(header.length), isFirst: true)
            return nil
        case .settings, .headers, .trailers, .reset, .window, .ping, .goAway:
            state = .payload(header)
            return nil
        default:
            state = .skipping(remaining: Int(header.length))
            return .ignored(header)
        }
    }

    private mutating func takePreface(_ input: RawSpan, _ offset: inout Int) throws(WireError) -> Bool {
        let isWhole = collect(Preface.byteCount, input, &offset)
        try Preface.checkStart(pending.span.bytes)
        guard isWhole else { return false }
        try Preface.check(pending.span.bytes)
        pending.removeAll(keepingCapacity: true)
        return true
    }

    private mutating func takeHeader(_ input: RawSpan, _ offset: inout Int) -> FrameHeader? {
        if pending.isEmpty, input.byteCount - offset >= FrameHeader.byteCount {
            defer { offset += FrameHeader.byteCount }
            return FrameHeader(input, at: offset)
        }
        guard collect(FrameHeader.byteCount, input, &offset) else { return nil }
        defer { pending.removeAll(keepingCapacity: true) }
        return FrameHeader(pending.span.bytes, at: 0)
    }

    private mutating func takePayload(
        of header: FrameHeader, _ input: RawSpan, _ offset: inout Int
    ) throws(WireError) -> Frame? {
        let length = Int(header.length)
        if pending.isEmpty, input.byteCount - offset >= length {
            defer { offset += length }
            return try Frame(header, payload: input.extracting(offset..<offset + length), from: peer, limits: limits)
        }
        guard collect(length, input, &offset) else { return nil }
        defer { pending.removeAll(keepingCapacity: true) }
        return try Frame(header, payload: pending.span.bytes, from: peer, limits: limits)
    }

    /// The next piece of a MESSAGE. The first comes with the header, even when none of the payload is there yet.
    private mutating func takeMessage(
        _ header: FrameHeader, remaining: Int, isFirst: Bool, _ input: RawSpan, _ offset: inout Int
    ) -> Part? {
        let count = min(remaining, input.byteCount - offset)
        guard count > 0 || isFirst else { return nil }
        let bytes = offset..<offset + count
        offset += count
        let isLast = count == remaining
        state = isLast ? .header : .message(header, remaining: remaining - count, isFirst: false)
        return .message(MessageChunk(header: header, bytes: bytes, isFirst: isFirst, isLast: isLast))
    }

    /// Moves bytes to `pending` until it holds `count`; says whether it does.
    private mutating func collect(_ count: Int, _ input: RawSpan, _ offset: inout Int) -> Bool {
        let taken = min(count - pending.count, input.byteCount - offset)
        input.extracting(offset..<offset + taken).withUnsafeBytes { pending.append(contentsOf: $0) }
        offset += taken
        return pending.count == count
    }
}

extension FrameHeader {
    /// Ten bytes of `bytes` from `offset` on; they must be there.
    init(_ bytes: RawSpan, at offset: Int) {
        length = UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
        type = FrameType(rawValue: bytes.unsafeLoadUnaligned(fromByteOffset: offset + 4, as: UInt8.self))
        flags = FrameFlags(rawValue: bytes.unsafeLoadUnaligned(fromByteOffset: offset + 5, as: UInt8.self))
        stream = StreamID(UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset + 6, as: UInt32.self)))
    }
}
