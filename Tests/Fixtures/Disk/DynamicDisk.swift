/// A dynamic disk's own tables: the database of the logical disk manager, with a simple volume for each partition. Source:
/// the notes on LDM of the Linux-NTFS project, and what ldmtool reads.
struct DynamicDisk {
    private static let sector = PartitionTable.sectorBytes
    private static let mebibyte = 1 << 20
    private static let diskGUID = "5a1f0291-0000-4000-8000-00000000d1d1"
    private static let groupGUID = "5a1f0291-0000-4000-8000-00000000d6d6"
    private static let group = "SalvorDg0"

    private let spec: DiskSpec
    private let table: PartitionTable

    init(_ spec: DiskSpec, _ table: PartitionTable) {
        self.spec = spec
        self.table = table
    }

    private var isGPT: Bool { spec.table == .dynamicGPT }

    // In sectors.
    private var total: Int { spec.sizeBytes / Self.sector }
    private var dataStart: Int { isGPT ? 2 * Self.mebibyte / Self.sector : 63 }
    private var dataEnd: Int { total - Self.mebibyte / Self.sector }
    private var configStart: Int { isGPT ? Self.mebibyte / Self.sector : dataEnd }
    /// On GPT its last sector is the private header's.
    private var configSize: Int { Self.mebibyte / Self.sector - (isGPT ? 1 : 0) }

    /// One partition from the first track to the disk's end.
    var masterBootRecord: [UInt8] {
        var sector = [UInt8](repeating: 0, count: Self.sector)
        sector.put(UInt32(0x51A7_0291), at: 440)
        sector.put([0x80, 0xFE, 0xFF, 0xFF, 0x42, 0xFE, 0xFF, 0xFF], at: 446)
        sector.put(UInt32(dataStart), at: 454)
        sector.put(UInt32(total - dataStart), at: 458)
        sector.put([0x55, 0xAA], at: 510)
        return sector
    }

    /// The metadata's partition, and one for all volumes.
    var partitionTable: PartitionTable {
        func entry(_ type: GUID, _ guid: String, _ name: String, _ sectors: Range<Int>) -> PartitionTable.Entry {
            PartitionTable.Entry(
                type: type, guid: GUID(guid), firstSector: UInt64(sectors.lowerBound),
                lastSector: UInt64(sectors.upperBound - 1), name: name)
        }
        return PartitionTable(
            diskGUID: table.diskGUID,
            entries: [
                entry(
                    .logicalDiskManagerMetadata, "5a1f0291-0000-4000-8000-00000000d001", "LDM metadata partition",
                    configStart..<dataStart),
                entry(
                    .logicalDiskManagerData, "5a1f0291-0000-4000-8000-00000000d002", "LDM data partition",
                    dataStart..<dataEnd),
            ])
    }

    /// By offset in bytes.
    var database: [Int: [UInt8]] {
        let header = isGPT ? dataStart - 1 : 6
        return [header * Self.sector: privateHeader, configStart * Self.sector: config]
    }

    private var privateHeader: [UInt8] {
        var bytes = Array("PRIVHEAD".utf8) + Self.big(0, 4) + Self.big(2, 2) + Self.big(12, 2) + Self.big(0, 32)
        bytes += Self.text(Self.diskGUID, 64) + Self.text("host", 64) + Self.text(Self.groupGUID, 64)
        bytes += Self.text(Self.group, 32) + Self.big(0, 11)
        for number in [dataStart, dataEnd - dataStart, configStart, configSize, 1, 1] { bytes += Self.big(number, 8) }
        return bytes + Self.big(1, 4) + Self.big(1, 4) + Self.big(configSize - 200, 8) + Self.big(80, 8)
    }

    private var config: [UInt8] {
        let databaseStart = 17
        var bytes = [UInt8](repeating: 0, count: configSize * Self.sector)
        var contents = Array("TOCBLOCK".utf8) + Self.big(1, 4) + Self.big(0, 4) + Self.big(1, 4) + Self.big(0, 16)
        contents += Self.text("config", 8) + Self.big(0, 2) + Self.big(databaseStart, 8)
        contents += Self.big(configSize - databaseStart - 100, 8) + Self.big(0, 8)
        contents +=
            Self.text("log", 8) + Self.big(0, 2) + Self.big(configSize - 83, 8) + Self.big(80, 8) + Self.big(0, 8)
        bytes.put(contents, at: 2 * Self.sector)

        let records = records
        let count = table.entries.count
        var head = Array("VMDB".utf8) + Self.big(4 + records.count, 4) + Self.big(128, 4) + Self.big(512, 4)
        head += Self.big(1, 2) + Self.big(4, 2) + Self.big(10, 2)
        head += Self.text(Self.group, 31) + Self.text(Self.groupGUID, 64) + Self.big(10, 8) + Self.big(10, 8)
        for _ in 0..<2 {
            for number in [count, count, count, 1] { head += Self.big(number, 4) }
            head += Self.big(0, 12)
        }
        bytes.put(head, at: databaseStart * Self.sector)
        for (index, record) in records.enumerated() {
            let front =
                Array("VBLK".utf8) + Self.big(4 + index, 4) + Self.big(index + 1, 4) + Self.big(0, 2) + Self.big(1, 2)
            bytes.put(front + record, at: databaseStart * Self.sector + 512 + 128 * index)
        }
        return bytes
    }

    /// The group, the disk, and of each volume itself, its component and its piece of the disk.
    private var records: [[UInt8]] {
        var records = [
            Self.record(
                0x35, 0, Self.number(1) + Self.string(Self.group) + Self.string(Self.groupGUID) + Self.big(0, 20)),
            Self.record(
                0x34, 0,
                Self.number(2) + Self.string("Disk1") + Self.string(Self.diskGUID) + Self.string("") + Self.big(0, 12)),
        ]
        for (index, entry) in table.entries.enumerated() {
            let (volume, component, piece) = (3 + 3 * index, 4 + 3 * index, 5 + 3 * index)
            let size = Int(entry.lastSector - entry.firstSector) + 1
            let name = "Volume\(index + 1)"
            // State, type gen, the volume's number, one component; its type is that of an NTFS partition.
            var body = Self.number(volume) + Self.string(name) + Self.string("gen") + Self.string("")
            body += Self.text("ACTIVE", 14) + [3, 0, UInt8(index + 1), 0, 0, 0, 0]
            body += Self.number(1) + Self.big(0, 16) + Self.number(size) + Self.big(0, 4) + [7]
            body += entry.guid.plainBytes + Self.string("C:")
            records.append(Self.record(0x51, 0x02, body))
            // In one piece.
            body = Self.number(component) + Self.string("\(name)-01") + Self.string("ACTIVE") + [2] + Self.big(0, 4)
            body += Self.number(1) + Self.big(0, 16) + Self.number(volume) + [0]
            records.append(Self.record(0x32, 0, body))
            body = Self.number(piece) + Self.string("Disk1-0\(index + 1)") + Self.big(0, 12)
            body += Self.big(Int(entry.firstSector) - dataStart, 8) + Self.big(0, 8)
            body += Self.number(size) + Self.number(component) + Self.number(2)
            records.append(Self.record(0x33, 0, body))
        }
        return records
    }

    // MARK: Big-endian, as nothing else of Windows is

    private static func record(_ type: UInt8, _ flags: UInt8, _ body: [UInt8]) -> [UInt8] {
        big(0, 2) + [flags, type] + big(body.count, 4) + body
    }

    private static func big(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 }
    }

    /// As many bytes as it takes, in front of them their count.
    private static func number(_ value: Int) -> [UInt8] {
        let count = max(1, (Int.bitWidth - value.leadingZeroBitCount + 7) / 8)
        return [UInt8(count)] + big(value, count)
    }

    private static func string(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }

    private static func text(_ text: String, _ count: Int) -> [UInt8] {
        Array(text.utf8) + [UInt8](repeating: 0, count: count - text.utf8.count)
    }
}
