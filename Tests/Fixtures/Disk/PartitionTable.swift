package import SystemPackage

/// A GUID partition table (UEFI specification, chapter 5). Sectors count 512 bytes here, whatever the disk's are.
package struct PartitionTable: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package var type: GUID
        package var guid: GUID
        package var firstSector: UInt64
        /// Inclusive, as in the table.
        package var lastSector: UInt64
        package var attributes: UInt64 = 0
        package var name: String

        package var startBytes: Int { Int(firstSector) * PartitionTable.sectorBytes }
        package var sizeBytes: Int { Int(lastSector - firstSector + 1) * PartitionTable.sectorBytes }
    }

    package var diskGUID: GUID
    package var entries: [Entry]

    package static let sectorBytes = 512
    private static let entryCount = 128
    private static let entryBytes = 128

    package init(diskGUID: GUID, entries: [Entry]) {
        self.diskGUID = diskGUID
        self.entries = entries
    }

    /// What lies in front of and behind the partitions.
    /// - Parameter sectorBytes: of the disk's own sectors.
    /// - Returns: the bytes from the disk's first sector, and those up to its last.
    package func serialized(diskBytes: Int, sectorBytes: Int = sectorBytes) -> (front: [UInt8], back: [UInt8]) {
        let diskSectors = UInt64(diskBytes / sectorBytes)
        let scale = UInt64(sectorBytes / Self.sectorBytes)
        var array = [UInt8](repeating: 0, count: Self.entryCount * Self.entryBytes)
        for (index, entry) in entries.enumerated() {
            let base = index * Self.entryBytes
            array.put(entry.type.bytes, at: base)
            array.put(entry.guid.bytes, at: base + 16)
            array.put(entry.firstSector / scale, at: base + 32)
            array.put((entry.lastSector + 1) / scale - 1, at: base + 40)
            array.put(entry.attributes, at: base + 48)
            for (position, unit) in entry.name.utf16.prefix(36).enumerated() {
                array.put(unit, at: base + 56 + 2 * position)
            }
        }
        let last = diskSectors - 1
        let arraySectors = UInt64(array.count / sectorBytes)
        let backArray = last - arraySectors
        func header(own: UInt64, other: UInt64, arrayAt: UInt64) -> [UInt8] {
            let header = self.header(
                own: own, other: other, arrayAt: arrayAt, usable: (2 + arraySectors)...(backArray - 1), array: array)
            return header + [UInt8](repeating: 0, count: sectorBytes - header.count)
        }
        let front = header(own: 1, other: last, arrayAt: 2)
        let back = header(own: last, other: 1, arrayAt: backArray)
        let first = Self.protectiveMBR(diskSectors)
        return (first + [UInt8](repeating: 0, count: sectorBytes - first.count) + front + array, array + back)
    }

    private func header(
        own: UInt64, other: UInt64, arrayAt: UInt64, usable: ClosedRange<UInt64>, array: [UInt8]
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: Self.sectorBytes)
        header.put("EFI PART".utf8, at: 0)
        header.put(UInt32(0x0001_0000), at: 8)
        header.put(UInt32(92), at: 12)
        header.put(own, at: 24)
        header.put(other, at: 32)
        header.put(usable.lowerBound, at: 40)
        header.put(usable.upperBound, at: 48)
        header.put(diskGUID.bytes, at: 56)
        header.put(arrayAt, at: 72)
        header.put(UInt32(Self.entryCount), at: 80)
        header.put(UInt32(Self.entryBytes), at: 84)
        header.put(crc32(array), at: 88)
        header.put(crc32(header[..<92]), at: 16)
        return header
    }

    /// The first sector of a disk with an MBR, for the first four entries.
    package func masterBootRecord() -> [UInt8] {
        var sector = [UInt8](repeating: 0, count: Self.sectorBytes)
        sector.put(UInt32(0x51A7_0291), at: 440)
        for (index, entry) in entries.prefix(4).enumerated() {
            let base = 446 + 16 * index
            sector.put(UInt8(index == 0 ? 0x80 : 0), at: base)
            sector.put([0xFE, 0xFF, 0xFF], at: base + 1)
            sector.put(UInt8(entry.type == .logicalDiskManagerData ? 0x42 : 0x07), at: base + 4)
            sector.put([0xFE, 0xFF, 0xFF], at: base + 5)
            sector.put(UInt32(entry.firstSector), at: base + 8)
            sector.put(UInt32(entry.lastSector - entry.firstSector + 1), at: base + 12)
        }
        sector.put([0x55, 0xAA], at: 510)
        return sector
    }

    private static func protectiveMBR(_ diskSectors: UInt64) -> [UInt8] {
        var sector = [UInt8](repeating: 0, count: sectorBytes)
        // Windows leaves a signature here too; it must survive a repair.
        sector.put(UInt32(0x51A7_0291), at: 440)
        sector.put([0, 0, 2, 0, 0xEE, 0xFF, 0xFF, 0xFF], at: 446)
        sector.put(UInt32(1), at: 454)
        sector.put(UInt32(min(diskSectors - 1, 0xFFFF_FFFF)), at: 458)
        sector.put([0x55, 0xAA], at: 510)
        return sector
    }

    /// Reads the primary table of a raw disk image.
    /// - Returns: nil when there is none.
    package init?(readFrom disk: FilePath) throws {
        let file = try FileDescriptor.open(disk, .readOnly)
        defer { try? file.close() }
        var header = [UInt8](repeating: 0, count: Self.sectorBytes)
        var array = [UInt8](repeating: 0, count: Self.entryCount * Self.entryBytes)
        let headerCount = try header.withUnsafeMutableBytes {
            try file.read(fromAbsoluteOffset: Int64(Self.sectorBytes), into: $0)
        }
        let arrayCount = try array.withUnsafeMutableBytes {
            try file.read(fromAbsoluteOffset: Int64(2 * Self.sectorBytes), into: $0)
        }
        guard headerCount == header.count, arrayCount == array.count, header.starts(with: "EFI PART".utf8) else {
            return nil
        }
        diskGUID = GUID(onDisk: header[56..<72])
        entries = []
        for base in stride(from: 0, to: array.count, by: Self.entryBytes) {
            let type = GUID(onDisk: array[base..<base + 16])
            if type == .zero { continue }
            let units = (0..<36).map { array.get(base + 56 + 2 * $0, as: UInt16.self) }.prefix { $0 != 0 }
            entries.append(
                Entry(
                    type: type, guid: GUID(onDisk: array[base + 16..<base + 32]), firstSector: array.get(base + 32),
                    lastSector: array.get(base + 40), attributes: array.get(base + 48),
                    name: String(decoding: units, as: UTF16.self)))
        }
    }
}
