internal import SystemPackage

/// An NTFS volume's own records, edited where no driver offers to: to leave a volume as a crash leaves it.
struct RawNTFS {
    private let image: FilePath
    private let clusterBytes: Int
    private let recordBytes: Int
    private let tableStart: Int
    /// Where the first records are kept a second time; drivers refuse a volume on which the two differ.
    private let mirrorStart: Int

    private static let logFileRecord = 2
    private static let volumeRecord = 3
    private static let bitmapRecord = 6
    private static let dataAttribute: UInt32 = 0x80
    private static let volumeInformationAttribute: UInt32 = 0x70
    private static let pageBytes = 4096

    init(_ image: FilePath) throws {
        self.image = image
        let boot = try Self.read(image, at: 0, count: 512)
        clusterBytes = Int(boot.get(11, as: UInt16.self)) * Int(boot[13])
        let exponent = Int8(bitPattern: boot[64])
        recordBytes = exponent < 0 ? 1 << -Int(exponent) : Int(exponent) * clusterBytes
        tableStart = Int(boot.get(48, as: UInt64.self)) * clusterBytes
        mirrorStart = Int(boot.get(56, as: UInt64.self)) * clusterBytes
    }

    /// Sets the volume's dirty bit.
    func setDirtyBit() throws {
        let record = try record(Self.volumeRecord)
        let attribute = try find(Self.volumeInformationAttribute, in: record)
        let flags = attribute + Int(record.get(attribute + 20, as: UInt16.self)) + 10
        var bytes = Array(record[flags..<flags + 2])
        bytes[0] |= 1
        for table in [tableStart, mirrorStart] {
            try Self.write(image, bytes, at: table + Self.volumeRecord * recordBytes + flags)
        }
    }

    /// Byte ranges whose clusters are in use.
    func usedRanges() throws -> [Range<Int>] {
        let (offset, size) = try firstRun(of: Self.bitmapRecord)
        let bits = try Self.read(image, at: offset, count: size)
        var ranges: [Range<Int>] = []
        for cluster in 0..<size * 8 where bits[cluster / 8] >> (cluster % 8) & 1 == 1 {
            let start = cluster * clusterBytes
            if let last = ranges.last, last.upperBound == start {
                ranges[ranges.count - 1] = last.lowerBound..<(start + clusterBytes)
            } else {
                ranges.append(start..<(start + clusterBytes))
            }
        }
        return ranges
    }

    /// Where the data of a system file begins, and its size.
    private func firstRun(of number: Int) throws -> (offset: Int, size: Int) {
        let record = try record(number)
        let attribute = try find(Self.dataAttribute, in: record)
        let runs = attribute + Int(record.get(attribute + 32, as: UInt16.self))
        let lengthBytes = Int(record[runs] & 0xF)
        let offsetBytes = Int(record[runs] >> 4)
        let cluster = (0..<offsetBytes).reduce(0) { $0 | Int(record[runs + 1 + lengthBytes + $1]) << (8 * $1) }
        return (cluster * clusterBytes, Int(record.get(attribute + 48, as: UInt64.self)))
    }

    /// Writes restart pages that say the log has a client and was not closed.
    /// - Parameter version: 1 as Windows 7 keeps its log, 2 as Windows 8 and later do while the volume is in use.
    func openLog(version: UInt16) throws {
        let (offset, size) = try firstRun(of: Self.logFileRecord)
        let page = Self.restartPage(logBytes: UInt64(size), version: version)
        try Self.write(image, page + page, at: offset)
    }

    /// A restart page with one client, `NTFS`, in use and the clean flag not set, as ntfs-3g's logfile.h describes it.
    private static func restartPage(logBytes: UInt64, version: UInt16) -> [UInt8] {
        let area = 48
        let client = area + 48
        var page = [UInt8](repeating: 0, count: pageBytes)
        page.put("RSTR".utf8, at: 0)
        page.put(UInt16(30), at: 4)
        page.put(UInt16(pageBytes / 512 + 1), at: 6)
        page.put(UInt32(pageBytes), at: 16)
        page.put(UInt32(pageBytes), at: 20)
        page.put(UInt16(area), at: 24)
        page.put(UInt16(version == 1 ? 1 : 0), at: 26)
        page.put(version, at: 28)

        page.put(UInt64(0x10_0000), at: area)
        page.put(UInt16(1), at: area + 8)
        page.put(UInt16(0xFFFF), at: area + 10)
        page.put(UInt16(0), at: area + 12)
        page.put(UInt32(67 - (64 - logBytes.leadingZeroBitCount)), at: area + 16)
        page.put(UInt16(48 + 160), at: area + 20)
        page.put(UInt16(48), at: area + 22)
        page.put(logBytes, at: area + 24)
        page.put(UInt16(48), at: area + 36)
        page.put(UInt16(64), at: area + 38)

        page.put(UInt16(0xFFFF), at: client + 16)
        page.put(UInt16(0xFFFF), at: client + 18)
        page.put(UInt32(8), at: client + 28)
        page.put("NTFS".utf16.flatMap { [UInt8(truncatingIfNeeded: $0), 0] }, at: client + 32)

        // The update sequence stands in the last two bytes of every sector, and what it displaced in the array.
        page.put(UInt16(1), at: 30)
        for sector in 1...pageBytes / 512 {
            page.put(page.get(sector * 512 - 2, as: UInt16.self), at: 30 + 2 * sector)
            page.put(UInt16(1), at: sector * 512 - 2)
        }
        return page
    }

    private func record(_ number: Int) throws -> [UInt8] {
        try Self.read(image, at: tableStart + number * recordBytes, count: recordBytes)
    }

    /// Where the first attribute of that type begins in a record.
    private func find(_ type: UInt32, in record: [UInt8]) throws -> Int {
        var offset = Int(record.get(20, as: UInt16.self))
        while offset + 8 < record.count {
            let here: UInt32 = record.get(offset)
            if here == type { return offset }
            if here == 0xFFFF_FFFF { break }
            offset += max(8, Int(record.get(offset + 4, as: UInt32.self)))
        }
        throw FixtureError("an NTFS record of \(image) has no attribute \(type)")
    }

    private static func read(_ image: FilePath, at offset: Int, count: Int) throws -> [UInt8] {
        let file = try FileDescriptor.open(image, .readOnly)
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try bytes.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: Int64(offset), into: $0) }
        guard got == count else { throw FixtureError("\(image) ends before byte \(offset + count)") }
        return bytes
    }

    private static func write(_ image: FilePath, _ bytes: [UInt8], at offset: Int) throws {
        let file = try FileDescriptor.open(image, .writeOnly)
        defer { try? file.close() }
        try file.writeAll(toAbsoluteOffset: Int64(offset), bytes)
    }
}
