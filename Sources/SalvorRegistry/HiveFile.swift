/// A hive as it lies on a disk: its bytes, made whole from its logs where it was not closed, and how it was found. Nothing
/// is written back.
package struct HiveFile: Sendable {
    package enum Health: Hashable, Sendable {
        case clean
        /// Not closed; so many entries of its logs were applied in memory.
        case recovered(entries: Int)
        /// Not closed, and no log has what is missing: what is read may be from before or half of a change.
        case unrecovered
    }

    package let health: Health
    /// The whole hive.
    package let bytes: [UInt8]
    package let primarySequence: UInt32
    package let secondarySequence: UInt32

    /// - Throws: ``HiveError`` for what is no hive at all.
    package init(_ bytes: [UInt8], logs: [[UInt8]]) throws(HiveError) {
        var bytes = bytes
        var read = HiveBaseBlock(bytes)
        if read == nil || read?.isChecksumRight == false, let kept = Self.baseBlock(in: logs), bytes.count > kept.count
        {
            bytes.replaceSubrange(..<kept.count, with: kept)
            read = HiveBaseBlock(bytes)
        }
        guard let base = read else { throw HiveError("It does not begin as a registry hive.") }
        guard base.fileType == 0 else { throw HiveError("It is a log of a hive, not a hive.") }
        primarySequence = base.primarySequence
        secondarySequence = base.secondarySequence
        guard base.isDirty else {
            health = .clean
            self.bytes = bytes
            return
        }
        var whole = bytes
        let applied = Self.apply(logs.compactMap { HiveLog($0) }, to: &whole, base)
        health = applied > 0 ? .recovered(entries: applied) : .unrecovered
        self.bytes = whole
    }

    /// Each log begins with the hive's base block as it was when the log was begun, so that a base block that a crash tore
    /// is not the hive's end. The newest that is whole, as a hive's that was not closed.
    private static func baseBlock(in logs: [[UInt8]]) -> [UInt8]? {
        let whole = logs.compactMap { log in HiveBaseBlock(log).flatMap { $0.isChecksumRight ? (log, $0) : nil } }
        guard let (log, base) = whole.max(by: { $0.1.primarySequence < $1.1.primarySequence }) else { return nil }
        var block = Array(log[..<512])
        block.put(0, at: 28)
        block.put(base.secondarySequence &+ 1, at: 4)
        block.put(HiveBaseBlock.checksum(block), at: HiveBaseBlock.checkedBytes)
        return block
    }

    /// The logs take turns: what one begins the other goes on with, by the numbers of their entries.
    private static func apply(_ logs: [HiveLog], to bytes: inout [UInt8], _ base: HiveBaseBlock) -> Int {
        var pending = logs.flatMap { log in log.entries.map { (log: log, entry: $0) } }
        // What is older than the hive's last whole write is in it already. Without a good base block nothing says which.
        if base.isChecksumRight { pending.removeAll { $0.entry.sequence < base.secondarySequence } }
        pending.sort { $0.entry.sequence < $1.entry.sequence }
        var applied = 0
        var last: UInt32?
        for (log, entry) in pending {
            if let last, entry.sequence != last &+ 1 { break }
            let end = HiveBaseBlock.byteCount + Int(entry.binsBytes)
            guard Int(entry.binsBytes) <= 1 << 30,
                entry.pages.allSatisfy({ $0.offset + $0.source.count <= entry.binsBytes })
            else { break }
            if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
            for page in entry.pages {
                let start = HiveBaseBlock.byteCount + page.offset
                bytes.replaceSubrange(start..<(start + page.source.count), with: log.bytes[page.source])
            }
            bytes.put(entry.binsBytes, at: 40)
            last = entry.sequence
            applied += 1
        }
        guard let last else { return 0 }
        bytes.put(last &+ 1, at: 4)
        bytes.put(last &+ 1, at: 8)
        bytes.put(HiveBaseBlock.checksum(bytes), at: HiveBaseBlock.checkedBytes)
        return applied
    }
}
