/// What a side announces in its SETTINGS; a setting that is left out has its default (SPEC.md, section 4).
package struct PeerSettings: Hashable, Sendable {
    package var maxConcurrentStreams: UInt32 = 64
    package var initialStreamWindow: UInt32 = 1 << 20
    package var initialConnectionWindow: UInt32 = 4 << 20
    package var maxFramePayload: UInt32 = 96 << 10
    package var maxMessage: UInt32 = 4 << 20
    package var maxHeaderBlock: UInt32 = 16 << 10
    package var maxMetadataEntries: UInt32 = 128
    package var acceptsZlib = false

    package init() {}

    /// What a side with these limits announces.
    package init(_ limits: Limits) {
        maxConcurrentStreams = limits.maxConcurrentStreams
        initialStreamWindow = limits.initialStreamWindow
        initialConnectionWindow = limits.initialConnectionWindow
        maxFramePayload = limits.maxFramePayload
        maxMessage = limits.maxMessage
        maxHeaderBlock = limits.maxHeaderBlock
        maxMetadataEntries = limits.maxMetadataEntries
        acceptsZlib = limits.acceptsZlib
    }
}
