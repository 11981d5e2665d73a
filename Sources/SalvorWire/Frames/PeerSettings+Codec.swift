extension PeerSettings {
    /// Entries in one SETTINGS frame, known or not (S-3).
    static let maxEntries = 64
    /// Bytes of one entry: a 16-bit id and a 32-bit value.
    static let entryByteCount = 6

    /// The registry of settings (SPEC.md, section 4).
    private enum ID: UInt16, CaseIterable {
        case maxConcurrentStreams = 1
        case initialStreamWindow = 2
        case initialConnectionWindow = 3
        case maxFramePayload = 4
        case maxMessage = 5
        case maxHeaderBlock = 6
        case maxMetadataEntries = 7
        case compression = 8

        /// The values that the setting may have.
        var range: ClosedRange<UInt32> {
            switch self {
            case .maxConcurrentStreams: 1...0x3fff_ffff
            case .initialStreamWindow, .initialConnectionWindow: 32...0x7fff_ffff
            case .maxFramePayload: 1...0x00ff_ffff
            case .maxMessage: 1...0x7fff_ffff
            case .maxHeaderBlock: 512...0x00ff_ffff
            case .maxMetadataEntries: 0...0xffff
            case .compression: 0...UInt32.max
            }
        }
    }

    /// The only bit of the compression setting that version 1 defines.
    private static let zlibBit: UInt32 = 1

    private subscript(id: ID) -> UInt32 {
        get {
            switch id {
            case .maxConcurrentStreams: maxConcurrentStreams
            case .initialStreamWindow: initialStreamWindow
            case .initialConnectionWindow: initialConnectionWindow
            case .maxFramePayload: maxFramePayload
            case .maxMessage: maxMessage
            case .maxHeaderBlock: maxHeaderBlock
            case .maxMetadataEntries: maxMetadataEntries
            case .compression: acceptsZlib ? Self.zlibBit : 0
            }
        }
        set {
            switch id {
            case .maxConcurrentStreams: maxConcurrentStreams = newValue
            case .initialStreamWindow: initialStreamWindow = newValue
            case .initialConnectionWindow: initialConnectionWindow = newValue
            case .maxFramePayload: maxFramePayload = newValue
            case .maxMessage: maxMessage = newValue
            case .maxHeaderBlock: maxHeaderBlock = newValue
            case .maxMetadataEntries: maxMetadataEntries = newValue
            case .compression: acceptsZlib = newValue & Self.zlibBit != 0
            }
        }
    }

    /// The first setting whose value SPEC.md does not allow, nil when all are well.
    var firstInvalid: (name: String, value: UInt32, allowed: ClosedRange<UInt32>)? {
        for id in ID.allCases where !id.range.contains(self[id]) {
            return (String(describing: id), self[id], id.range)
        }
        return nil
    }

    /// Appends the payload: every setting, in the order of their ids.
    func encode(to output: inout [UInt8]) {
        for id in ID.allCases {
            output.append(bigEndian: id.rawValue)
            output.append(bigEndian: self[id])
        }
    }

    /// Takes a payload apart. Throws `peerFault` for a setting given twice or out of its range; ids that this version does not
    /// know are skipped.
    static func decode(_ payload: RawSpan) throws(WireError) -> PeerSettings {
        var settings = PeerSettings()
        var seen: Set<UInt16> = []
        var cursor = PayloadCursor()
        while let number = cursor.integer(UInt16.self, in: payload),
            let value = cursor.integer(UInt32.self, in: payload)
        {
            guard seen.insert(number).inserted else {
                throw WireError(.peerFault(.protocolViolation), "The peer's SETTINGS have setting \(number) twice.")
            }
            guard let id = ID(rawValue: number) else { continue }
            guard id.range.contains(value) else {
                throw WireError(
                    .peerFault(.protocolViolation),
                    "The peer's SETTINGS have \(value) for \(id), which is not in \(id.range.lowerBound) to "
                        + "\(id.range.upperBound).")
            }
            settings[id] = value
        }
        return settings
    }
}
