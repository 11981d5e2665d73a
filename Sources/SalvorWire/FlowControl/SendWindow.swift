/// What the peer still lets us send, on a stream or on the connection (SPEC.md, section 7).
struct SendWindow: Sendable {
    /// A MESSAGE frame is begun only with window for its header and at least one byte (W-4).
    static let leastForFrame = FrameHeader.byteCount + 1
    static let maximum = 0x7fff_ffff

    private(set) var available: Int

    init(_ initial: UInt32) {
        available = Int(initial)
    }

    var fitsFrame: Bool { available >= Self.leastForFrame }

    mutating func use(_ cost: Int) {
        available -= cost
    }

    /// Takes a WINDOW frame's increment; false when the sum is beyond 2³¹−1 (W-6).
    mutating func grow(by increment: UInt32) -> Bool {
        guard available + Int(increment) <= Self.maximum else { return false }
        available += Int(increment)
        return true
    }
}
