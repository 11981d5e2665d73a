/// The ten bytes before every payload (SPEC.md, F-1).
package struct FrameHeader: Hashable, Sendable {
    /// Size of the encoded header in bytes. A MESSAGE frame costs this much on top of its payload (W-2).
    package static let byteCount = 10

    /// Bytes of payload.
    package var length: UInt32
    package var type: FrameType
    package var flags: FrameFlags
    package var stream: StreamID

    package init(length: UInt32, type: FrameType, flags: FrameFlags = [], stream: StreamID) {
        self.length = length
        self.type = type
        self.flags = flags
        self.stream = stream
    }
}
