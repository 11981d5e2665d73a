/// The partition tables of a disk with one partition, which UEFI finds by its type and a BIOS by the boot code in the
/// first sector (UEFI specification, chapter 5).
struct GUIDPartitionTable {
    static let sectorBytes = 512
    /// 1 MiB: where everybody begins a first partition.
    static let firstSector = 2048
    /// At the end of the disk, whole MiB: the second table needs 33 sectors of it.
    static let tailSectors = 2048

    /// EFI system partition.
    private static let systemPartition = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
    /// "Legacy BIOS bootable": syslinux's boot code looks for it. Bit 0, "required", tells others to leave it alone.
    private static let attributes: UInt64 = 0b101
    private static let entryCount = 128
    private static let entryBytes = 128
    private static let tableSectors = entryCount * entryBytes / sectorBytes

    let disk: DiskGUID
    let partition: DiskGUID
    /// At most 36 characters.
    let name: String
    let diskSectors: Int
    /// For the first 440 bytes of the disk.
    let bootCode: [UInt8]

    var partitionSectors: Int { diskSectors - Self.firstSector - Self.tailSectors }

    /// What the disk begins with: protective MBR, header, entries.
    var head: [UInt8] {
        protectiveMBR + header(at: 1, other: diskSectors - 1, entriesAt: 2) + entries
    }

    /// What the disk ends with: entries and header again.
    var tail: [UInt8] {
        let last = diskSectors - 1
        return entries + header(at: last, other: 1, entriesAt: last - Self.tableSectors)
    }

    private var protectiveMBR: [UInt8] {
        var sector = [UInt8](repeating: 0, count: Self.sectorBytes)
        sector.put(bootCode.prefix(440), at: 0)
        // One partition of type 0xEE over the whole disk, beyond the reach of cylinders, heads and sectors.
        sector.put([0x00, 0x00, 0x02, 0x00, 0xEE, 0xFF, 0xFF, 0xFF], at: 446)
        sector.putLittleEndian(UInt32(1), at: 454)
        sector.putLittleEndian(UInt32(clamping: diskSectors - 1), at: 458)
        sector.put([0x55, 0xAA], at: 510)
        return sector
    }

    private var entries: [UInt8] {
        var table = [UInt8](repeating: 0, count: Self.entryCount * Self.entryBytes)
        table.put(Self.systemPartitionType.mixedEndian, at: 0)
        table.put(partition.mixedEndian, at: 16)
        table.putLittleEndian(UInt64(Self.firstSector), at: 32)
        table.putLittleEndian(UInt64(Self.firstSector + partitionSectors - 1), at: 40)
        table.putLittleEndian(Self.attributes, at: 48)
        for (index, unit) in name.utf16.prefix(36).enumerated() { table.putLittleEndian(unit, at: 56 + 2 * index) }
        return table
    }

    private static var systemPartitionType: DiskGUID {
        guard let type = DiskGUID(systemPartition) else { preconditionFailure("\(systemPartition) is no GUID") }
        return type
    }

    private func header(at sector: Int, other: Int, entriesAt: Int) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: Self.sectorBytes)
        header.put("EFI PART".utf8, at: 0)
        header.putLittleEndian(UInt32(0x0001_0000), at: 8)
        header.putLittleEndian(UInt32(92), at: 12)
        header.putLittleEndian(UInt64(sector), at: 24)
        header.putLittleEndian(UInt64(other), at: 32)
        // The first and the last sector that a partition may have.
        header.putLittleEndian(UInt64(2 + Self.tableSectors), at: 40)
        header.putLittleEndian(UInt64(diskSectors - 2 - Self.tableSectors), at: 48)
        header.put(disk.mixedEndian, at: 56)
        header.putLittleEndian(UInt64(entriesAt), at: 72)
        header.putLittleEndian(UInt32(Self.entryCount), at: 80)
        header.putLittleEndian(UInt32(Self.entryBytes), at: 84)
        header.putLittleEndian(Self.checksum(entries), at: 88)
        header.putLittleEndian(Self.checksum(header.prefix(92)), at: 16)
        return header
    }

    /// CRC-32 of ISO 3309, as zlib has it: 16 KiB of it are not worth a library.
    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var value = UInt32.max
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        return ~value
    }
}
