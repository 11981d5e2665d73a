/// The outside of a BitLocker volume of Windows 7 and later: what libblkid and cryptsetup recognise it by. There is
/// nothing inside to unlock.
enum BitLockerLookalike {
    /// Where the three copies of the metadata lie, in bytes.
    private static let metadataOffsets = [0x200_0000, 0x280_0000, 0x300_0000]

    /// By offset in the partition.
    static var pieces: [Int: [UInt8]] {
        var boot = [UInt8](repeating: 0, count: 512)
        boot.put([0xEB, 0x58, 0x90], at: 0)
        boot.put("-FVE-FS-".utf8, at: 3)
        boot.put(UInt16(512), at: 11)
        boot.put(UInt8(8), at: 13)
        boot.put(
            [0x3B, 0xD6, 0x67, 0x49, 0x29, 0x2E, 0xD8, 0x4A, 0x83, 0x99, 0xF6, 0xA3, 0x39, 0xE3, 0xD0, 0x01], at: 160)
        for (index, offset) in metadataOffsets.enumerated() { boot.put(UInt64(offset), at: 176 + 8 * index) }
        boot.put([0x55, 0xAA], at: 510)

        var metadata = [UInt8](repeating: 0, count: 512)
        metadata.put("-FVE-FS-".utf8, at: 0)
        metadata.put(UInt16(64), at: 8)
        metadata.put(UInt16(2), at: 10)
        metadata.put(UInt16(4), at: 12)
        metadata.put(UInt16(4), at: 14)
        metadata.put(UInt64(0x800_0000), at: 16)
        for (index, offset) in metadataOffsets.enumerated() { metadata.put(UInt64(offset), at: 32 + 8 * index) }

        var pieces = [0: boot]
        for offset in metadataOffsets { pieces[offset] = metadata }
        return pieces
    }
}
