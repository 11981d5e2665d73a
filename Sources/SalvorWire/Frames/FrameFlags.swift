/// The flags of a frame. Which bits a type defines is in SPEC.md, F-6; the same bit means different things on
/// different types.
package struct FrameFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// MESSAGE: the message goes on in the next MESSAGE frame of this stream.
    package static let more = FrameFlags(rawValue: 0x01)
    /// MESSAGE, first frame of a message: the message, once whole, is zlib data.
    package static let compressed = FrameFlags(rawValue: 0x02)
    /// MESSAGE, last frame of a message: the caller sends no more on this stream.
    package static let end = FrameFlags(rawValue: 0x04)
    /// MESSAGE, only with `end` and no payload: the frame carries no message, not even an empty one.
    package static let noData = FrameFlags(rawValue: 0x08)
    /// PING: the answer to a PING.
    package static let ack = FrameFlags(rawValue: 0x01)
}
