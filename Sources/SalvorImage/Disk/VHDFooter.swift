/// The last 512 bytes of a fixed VHD: all that tells it from a raw disk (Virtual Hard Disk Image Format Specification,
/// Microsoft, 2006).
struct VHDFooter {
    static let bytes = 512

    let diskBytes: Int
    let id: DiskGUID

    var serialized: [UInt8] {
        var footer = [UInt8](repeating: 0, count: Self.bytes)
        footer.put("conectix".utf8, at: 0)
        // No features but the one that is always set; version 1.0; no header elsewhere, as the disk is fixed.
        footer.putBigEndian(UInt32(2), at: 8)
        footer.putBigEndian(UInt32(0x0001_0000), at: 12)
        footer.putBigEndian(UInt64.max, at: 16)
        // Seconds since 2000 at 24: none, so that the same inputs give the same bytes.
        // Of other makers QEMU takes the disk to be as large as its cylinders, heads and sectors say.
        footer.put("win ".utf8, at: 28)
        footer.putBigEndian(UInt32(0x000A_0000), at: 32)
        footer.put("Wi2k".utf8, at: 36)
        footer.putBigEndian(UInt64(diskBytes), at: 40)
        footer.putBigEndian(UInt64(diskBytes), at: 48)
        let geometry = Self.geometry(sectors: diskBytes / GUIDPartitionTable.sectorBytes)
        footer.putBigEndian(geometry.cylinders, at: 56)
        footer.put([geometry.heads, geometry.sectors], at: 58)
        footer.putBigEndian(UInt32(2), at: 60)
        footer.put(id.bytes, at: 68)
        footer.putBigEndian(~footer.reduce(UInt32(0)) { $0 + UInt32($1) }, at: 64)
        return footer
    }

    /// The appendix of the specification.
    static func geometry(sectors count: Int) -> (cylinders: UInt16, heads: UInt8, sectors: UInt8) {
        let total = min(count, 65_535 * 16 * 255)
        var (sectors, heads) = (17, 0)
        var tracks = 0
        if total >= 65_535 * 16 * 63 {
            (sectors, heads) = (255, 16)
            tracks = total / sectors
        } else {
            tracks = total / sectors
            heads = max((tracks + 1023) / 1024, 4)
            if tracks >= heads * 1024 || heads > 16 {
                (sectors, heads) = (31, 16)
                tracks = total / sectors
            }
            if tracks >= heads * 1024 {
                (sectors, heads) = (63, 16)
                tracks = total / sectors
            }
        }
        return (UInt16(tracks / heads), UInt8(heads), UInt8(sectors))
    }
}
