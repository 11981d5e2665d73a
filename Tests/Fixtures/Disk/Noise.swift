/// Bytes that look random and follow from a seed, the same on every machine (SplitMix64).
package struct Noise: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    package static func bytes(seed: UInt64, count: Int) -> [UInt8] {
        var noise = Noise(seed: seed)
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let word = noise.next()
                for shift in 0..<min(8, count - filled) {
                    buffer[filled + shift] = UInt8(truncatingIfNeeded: word >> (8 * shift))
                }
                filled += min(8, count - filled)
            }
        }
    }
}
