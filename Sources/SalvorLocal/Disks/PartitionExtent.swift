/// How long a disk must be, by its own partition table. Reads the first sectors alone and trusts nothing in them.
enum PartitionExtent {
    /// Enough for GPTs of 512-byte and of 4096-byte sectors.
    static let headBytes = 8192

    /// - Returns: the size in bytes that the table speaks of; nil where there is no table.
    static func bytes(head: [UInt8]) -> UInt64? {
        for sector in [512, 4096] where head.count >= sector + 92 {
            guard Array(head[sector..<(sector + 8)]) == Array("EFI PART".utf8) else { continue }
            // The copy of the header is the last sector of the disk.
            let alternate = integer(head, at: sector + 32, bytes: 8)
            let (end, overflow) = alternate.addingReportingOverflow(1)
            let (total, tooLarge) = end.multipliedReportingOverflow(by: UInt64(sector))
            return overflow || tooLarge ? .max : total
        }
        guard head.count >= 512, head[510] == 0x55, head[511] == 0xAA else { return nil }
        let ends = (0..<4).compactMap { index -> UInt64? in
            let entry = 446 + index * 16
            // An entry of type 0 is empty; the flag is 0 or 0x80 in a table, anything in a boot sector's code.
            guard head[entry + 4] != 0, head[entry] & 0x7F == 0 else { return nil }
            return (integer(head, at: entry + 8, bytes: 4) + integer(head, at: entry + 12, bytes: 4)) * 512
        }
        return ends.max()
    }

    private static func integer(_ bytes: [UInt8], at offset: Int, bytes count: Int) -> UInt64 {
        bytes[offset..<(offset + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
