/// The checksum of a log entry, as Windows computes it.
func marvin32(_ bytes: some Sequence<UInt8>, seed: UInt64 = 0x82EF_4D88_7A4E_55C5) -> UInt64 {
    var low = UInt32(truncatingIfNeeded: seed)
    var high = UInt32(truncatingIfNeeded: seed >> 32)
    func rotate(_ value: UInt32, _ by: UInt32) -> UInt32 { value << by | value >> (32 - by) }
    func mix(_ word: UInt32) {
        low = low &+ word
        high ^= low
        low = rotate(low, 20) &+ high
        high = rotate(high, 9) ^ low
        low = rotate(low, 27) &+ high
        high = rotate(high, 19)
    }
    var word: UInt32 = 0
    var count: UInt32 = 0
    for byte in bytes {
        word |= UInt32(byte) << (8 * count)
        count += 1
        if count == 4 {
            mix(word)
            word = 0
            count = 0
        }
    }
    mix(word | 0x80 << (8 * count))
    mix(0)
    return UInt64(high) << 32 | UInt64(low)
}
