/// What a header alone tells to be wrong, so that nothing is spent on the payload (SPEC.md, F-2 to F-7).
enum FrameRules {
    static func check(_ header: FrameHeader, limits: Limits) throws(WireError) {
        guard header.stream.rawValue <= StreamID.highest.rawValue else {
            throw violation(header, "has a stream id of 2³¹ or more")
        }
        guard header.type.rawValue != 0 else {
            throw violation(header, "is of type 0, which is reserved for noticing zeroed data")
        }
        guard let rule = rule(for: header.type, limits: limits) else {
            // Unknown: skipped, whatever its flags and stream.
            try checkLength(header, 0...limits.maxFramePayload)
            return
        }
        try checkLength(header, rule.length)
        guard header.flags.isSubset(of: rule.flags) else {
            throw violation(header, "has flags 0x\(String(header.flags.rawValue, radix: 16)), some of them undefined")
        }
        try check(header, rule.place)
        if header.type == .message { try checkMessage(header) }
        if header.type == .settings, header.length % UInt32(PeerSettings.entryByteCount) != 0 {
            throw WireError(.peerFault(.frameSize), "The peer's SETTINGS end in the middle of an entry.")
        }
    }

    private enum Place {
        case connection, stream, either
    }

    private struct Rule {
        var length: ClosedRange<UInt32>
        var flags: FrameFlags
        var place: Place
    }

    private static func rule(for type: FrameType, limits: Limits) -> Rule? {
        switch type {
        case .settings:
            Rule(
                length: 0...UInt32(PeerSettings.maxEntries * PeerSettings.entryByteCount), flags: [], place: .connection
            )
        case .headers: Rule(length: 2...limits.maxHeaderBlock, flags: [], place: .stream)
        case .message:
            Rule(
                length: 0...limits.maxFramePayload, flags: [.more, .compressed, .end, .noData], place: .stream)
        case .trailers: Rule(length: 8...limits.maxHeaderBlock, flags: [], place: .stream)
        case .reset: Rule(length: 4...4, flags: [], place: .stream)
        case .window: Rule(length: 4...4, flags: [], place: .either)
        case .ping: Rule(length: 8...8, flags: .ack, place: .connection)
        case .goAway:
            Rule(length: 8...UInt32(8 + FrameEncoder.maxGoAwayTextByteCount), flags: [], place: .connection)
        default: nil
        }
    }

    private static func checkLength(_ header: FrameHeader, _ range: ClosedRange<UInt32>) throws(WireError) {
        guard range.contains(header.length) else {
            throw WireError(
                .peerFault(.frameSize),
                "A \(header.type) of the peer announces \(header.length) bytes; \(range.lowerBound) to \(range.upperBound) "
                    + "are allowed.")
        }
    }

    private static func check(_ header: FrameHeader, _ place: Place) throws(WireError) {
        switch place {
        case .connection where header.stream != .connection:
            throw violation(header, "belongs to the connection, not to a stream")
        case .stream where !header.stream.isCallers,
            .either where header.stream != .connection && !header.stream.isCallers:
            throw violation(header, "is not for a stream that a caller can open (odd ids)")
        default:
            break
        }
    }

    private static func checkMessage(_ header: FrameHeader) throws(WireError) {
        let flags = header.flags
        if flags.contains(.noData), flags != [.noData, .end] || header.length != 0 {
            throw violation(header, "has NO_DATA with something other than END, or with data")
        }
        if flags.contains(.more), flags.contains(.end) || header.length == 0 {
            throw violation(header, "has MORE together with END, or without data")
        }
    }

    private static func violation(_ header: FrameHeader, _ what: String) -> WireError {
        WireError(.peerFault(.protocolViolation), "A \(header.type) of the peer on \(header.stream) \(what).")
    }
}
