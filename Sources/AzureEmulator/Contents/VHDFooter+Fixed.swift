/// Azure hands out a disk as a fixed VHD: its bytes, and this behind them.
extension VHDFooter {
    /// The footer of a fixed disk.
    /// - Parameters:
    ///   - size: of the disk, in bytes.
    ///   - id: whatever tells the disk from others.
    static func fixed(size: Int64, id: String) -> [UInt8] {
        var footer: [UInt8] = Array("conectix".utf8)
        func append(_ number: UInt64, bytes: Int) {
            for index in (0..<bytes).reversed() { footer.append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
        }
        append(2, bytes: 4)  // Features: the bit that is always set.
        append(0x1_0000, bytes: 4)
        append(.max, bytes: 8)  // Nothing follows: the disk is fixed.
        append(0, bytes: 4)
        footer += Array("win ".utf8)
        append(0xA_0000, bytes: 4)
        footer += Array("Wi2k".utf8)
        append(UInt64(size), bytes: 8)
        append(UInt64(size), bytes: 8)
        let geometry = geometry(of: size)
        append(UInt64(geometry.cylinders), bytes: 2)
        append(UInt64(geometry.heads), bytes: 1)
        append(UInt64(geometry.sectors), bytes: 1)
        append(2, bytes: 4)
        append(0, bytes: 4)
        let identity = Array(id.utf8.filter { $0 != UInt8(ascii: "-") }.suffix(16))
        footer += identity + [UInt8](repeating: 0, count: 16 - identity.count)
        footer += [UInt8](repeating: 0, count: Int(bytes) - footer.count)
        let sum = ~footer.reduce(UInt32(0)) { $0 &+ UInt32($1) }
        for index in 0..<4 { footer[64 + index] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * UInt32(index))) }
        return footer
    }

    /// Cylinders, heads and sectors per track, as the specification's appendix counts them.
    private static func geometry(of size: Int64) -> (cylinders: Int64, heads: Int64, sectors: Int64) {
        let total = min(size / 512, 65_535 * 16 * 255)
        if total >= 65_535 * 16 * 63 { return (total / 255 / 16, 16, 255) }
        let heads = max(4, (total / 17 + 1023) / 1024)
        if heads <= 16, total / 17 < heads * 1024 { return (total / 17 / heads, heads, 17) }
        if total / 31 < 16 * 1024 { return (total / 31 / 16, 16, 31) }
        return (total / 63 / 16, 16, 63)
    }
}
