/// Everything that a peer can make this side hold or do, and for how long. A value beyond a limit is refused before
/// memory is spent on it. What the peer has to know is announced in SETTINGS; defaults are those of SPEC.md, section 4.
package struct Limits: Hashable, Sendable {
    // MARK: Announced to the peer

    /// Calls that the caller may have open at once.
    package var maxConcurrentStreams: UInt32 = 64
    /// Bytes of MESSAGE frames that the peer may send on a stream before it gets more window.
    package var initialStreamWindow: UInt32 = 1 << 20
    /// Bytes of MESSAGE frames that the peer may send on all streams together before it gets more window.
    package var initialConnectionWindow: UInt32 = 4 << 20
    /// Payload of one MESSAGE frame, or of a frame of unknown type. Below 128 KiB, where malloc turns to mmap.
    package var maxFramePayload: UInt32 = 96 << 10
    /// One message, both as it travels and as it inflates.
    package var maxMessage: UInt32 = 4 << 20
    /// Payload of one HEADERS or TRAILERS frame.
    package var maxHeaderBlock: UInt32 = 16 << 10
    /// Metadata entries in one HEADERS or TRAILERS frame.
    package var maxMetadataEntries: UInt32 = 128
    /// Whether the peer may send messages as zlib data.
    package var acceptsZlib = true

    // MARK: Kept to ourselves

    /// Bytes received and not yet consumed, on all streams together. The stream that goes beyond is reset.
    package var maxHeldBytes = 64 << 20
    /// Messages received and not yet consumed, on all streams together: each takes some 100 bytes beside its own. The
    /// stream that goes beyond is reset.
    package var maxHeldMessages = 256 << 10
    /// Bytes queued for sending on one stream from which `sendMessage` says to wait. One message may go beyond.
    package var sendQueueHighWater = 1 << 20
    /// `Event.writable` comes when a full queue has shrunk to this.
    package var sendQueueLowWater = 256 << 10
    /// Bytes of frames other than MESSAGE and TRAILERS that wait to be sent; a peer that makes us queue more without
    /// reading is cut off.
    package var maxControlBacklog = 256 << 10
    /// From the start of a machine to the peer's SETTINGS.
    package var prefaceTimeout = Duration.seconds(10)
    /// Silence after which a PING asks whether the peer is there.
    package var keepAliveInterval = Duration.seconds(15)
    /// Silence after that PING that ends the connection.
    package var keepAliveTimeout = Duration.seconds(10)
    /// How long the first GOAWAY of a drain waits for the peer to have seen it before the second one follows.
    package var drainNotice = Duration.seconds(5)
    /// The period that the three rates below count in.
    package var ratePeriod = Duration.seconds(10)
    /// RESET frames taken in one period.
    package var maxResetsPerPeriod = 1000
    /// PING frames that are not answers, taken in one period.
    package var maxPingsPerPeriod = 100
    /// GOAWAY frames, and frames of unknown type, taken in one period.
    package var maxOtherFramesPerPeriod = 200

    package init() {}

    /// What a connection gets unless someone chose otherwise.
    package static let standard = Limits()

    /// For a peer that has not proved who it is (ALPN `salvor-enrol/1`): two calls of small messages.
    package static let enrolment: Limits = {
        var limits = Limits()
        limits.maxConcurrentStreams = 2
        limits.initialStreamWindow = 64 << 10
        limits.initialConnectionWindow = 128 << 10
        limits.maxFramePayload = 32 << 10
        limits.maxMessage = 32 << 10
        limits.maxHeaderBlock = 4 << 10
        limits.maxMetadataEntries = 16
        limits.acceptsZlib = false
        limits.maxHeldBytes = 256 << 10
        limits.maxHeldMessages = 1 << 10
        limits.sendQueueHighWater = 64 << 10
        limits.sendQueueLowWater = 16 << 10
        limits.maxControlBacklog = 16 << 10
        limits.maxResetsPerPeriod = 10
        limits.maxPingsPerPeriod = 10
        limits.maxOtherFramesPerPeriod = 10
        return limits
    }()
}
