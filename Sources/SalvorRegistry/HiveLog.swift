/// One transaction log of a hive, LOG1 or LOG2: what was to be written to the hive and perhaps was not.
struct HiveLog: Sendable {
    /// Pages that belong together.
    struct Entry: Sendable {
        var sequence: UInt32
        /// Of the hive's bins, once the entry is applied.
        var binsBytes: UInt32
        /// Where in the bins each page goes, and where in the log it is.
        var pages: [(offset: Int, source: Range<Int>)]
    }

    let bytes: [UInt8]
    let entries: [Entry]

    private static let logHeader = 512
    private static let entryHeader = 40

    /// - Returns: nil for what is no log, or an empty one.
    init?(_ bytes: [UInt8]) {
        guard let base = HiveBaseBlock(bytes), base.isChecksumRight else { return nil }
        self.bytes = bytes
        switch base.fileType {
        case 1, 2: entries = Self.bitmap(bytes, base).map { [$0] } ?? []
        default: entries = Self.entries(bytes)
        }
        guard !entries.isEmpty else { return nil }
    }

    /// Since Windows 8.1: entries one after the other, each with a number and two checksums. The first that is not whole,
    /// or does not follow the one before, ends the log: what lies behind it is from an earlier round.
    private static func entries(_ bytes: [UInt8]) -> [Entry] {
        var entries: [Entry] = []
        var start = logHeader
        while start + entryHeader <= bytes.count, bytes[start..<(start + 4)].elementsEqual("HvLE".utf8) {
            let size = Int(bytes.double(start + 4))
            guard size >= entryHeader, size % 512 == 0, start + size <= bytes.count else { break }
            let end = start + size
            guard bytes.quad(start + 32) == marvin32(bytes[start..<(start + 32)]),
                bytes.quad(start + 24) == marvin32(bytes[(start + entryHeader)..<end]),
                let pages = pages(bytes, start, end)
            else { break }
            let entry = Entry(sequence: bytes.double(start + 12), binsBytes: bytes.double(start + 16), pages: pages)
            if let last = entries.last, entry.sequence != last.sequence &+ 1 { break }
            entries.append(entry)
            start = end
        }
        return entries
    }

    private static func pages(_ bytes: [UInt8], _ start: Int, _ end: Int) -> [(offset: Int, source: Range<Int>)]? {
        let count = Int(bytes.double(start + 20))
        guard count <= (end - start) / 8 else { return nil }
        var pages: [(Int, Range<Int>)] = []
        var source = start + entryHeader + 8 * count
        for index in 0..<count {
            let reference = start + entryHeader + 8 * index
            let size = Int(bytes.double(reference + 4))
            guard size > 0, source + size <= end else { return nil }
            pages.append((Int(bytes.double(reference)), source..<(source + size)))
            source += size
        }
        return pages
    }

    /// Windows 8 and before: one entry, whose pages of 512 bytes a bitmap names.
    private static func bitmap(_ bytes: [UInt8], _ base: HiveBaseBlock) -> Entry? {
        let sectors = Int(base.binsBytes) / 512
        let bits = logHeader + 4
        let first = (bits + (sectors + 7) / 8 + 511) / 512 * 512
        guard base.primarySequence == base.secondarySequence, first <= bytes.count,
            bytes[logHeader..<bits].elementsEqual("DIRT".utf8)
        else { return nil }
        var source = first
        var pages: [(Int, Range<Int>)] = []
        for sector in 0..<sectors where bytes[bits + sector / 8] >> (sector % 8) & 1 == 1 {
            guard source + 512 <= bytes.count else { return nil }
            pages.append((512 * sector, source..<(source + 512)))
            source += 512
        }
        return Entry(sequence: base.primarySequence, binsBytes: base.binsBytes, pages: pages)
    }
}
