package import SalvorDigest
package import SalvorImage
package import SystemPackage

/// Everything on a raw disk that a repair must leave alone: each file of C: with its content and times, and the bytes
/// outside C:.
package struct TreeSnapshot: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        /// `f`, `d` or `l`, as find's `%y` says it.
        package var kind: Character
        package var sizeBytes: Int
        /// Of a file's bytes.
        package var sha256: Digest?
        /// `system.ntfs_times_be` in hexadecimal: created, modified, accessed, record changed.
        package var times: String?
    }

    /// By path below the volume's root.
    package var entries: [String: Entry]
    /// SHA-256 of the disk in front of C: and behind it: partition tables, boot code, EFI and reserved partitions.
    package var outside: Digest

    /// Looks at a raw disk image without changing a byte of it.
    /// - Parameter disk: an image whose partition ``BrokenWindows/systemPartition`` holds NTFS.
    package static func take(of disk: FilePath, tools: ToolRunner = ToolRunner()) async throws -> TreeSnapshot {
        guard let table = try PartitionTable(readFrom: disk),
            let entry = table.entries.first(where: { $0.guid == BrokenWindows.systemPartition })
        else { throw FixtureError("\(disk) has no partition \(BrokenWindows.systemPartition)") }
        let scratch = try Posix.makeTemporaryDirectory(in: disk.removingLastComponent(), prefix: ".snapshot-")
        defer { Posix.removeTree(scratch) }
        let image = scratch.appending("partition")
        try await extract(entry, of: disk, to: image, tools: tools)
        let output = try await NTFSVolume.withMounted(
            image, options: "ro,norecover", scratch: scratch, tools: tools,
            script: """
                cd "$2"
                find . -mindepth 1 -printf 'E %y %s %P\\0'
                find . -type f -printf '%P\\0' | xargs -0 -r sha256sum -z | sed -z 's/^/S /'
                find . -mindepth 1 ! -type l -printf '%P\\0' |
                    xargs -0 -r getfattr -h -n system.ntfs_times_be -e hex 2>/dev/null | tr '\\n' '\\0'
                """)
        return TreeSnapshot(entries: try parse(output), outside: try outside(entry, of: disk))
    }

    /// What is not the same in `other`, one line each; empty when nothing differs.
    package func differences(to other: TreeSnapshot) -> [String] {
        var lines: [String] = []
        for path in Set(entries.keys).union(other.entries.keys).sorted() {
            switch (entries[path], other.entries[path]) {
            case (let mine?, let theirs?) where mine != theirs: lines.append("changed: \(path)")
            case (.some, nil): lines.append("gone: \(path)")
            case (nil, .some): lines.append("new: \(path)")
            default: continue
            }
        }
        if outside != other.outside { lines.append("changed: the disk outside C:") }
        return lines
    }

    /// Copies the bytes of one partition out of a raw disk image, holes kept.
    package static func extract(
        _ entry: PartitionTable.Entry, of disk: FilePath, to image: FilePath, tools: ToolRunner = ToolRunner()
    ) async throws {
        try await tools.output(
            "dd",
            [
                "if=\(disk)", "of=\(image)", "bs=1M", "iflag=skip_bytes,count_bytes", "skip=\(entry.startBytes)",
                "count=\(entry.sizeBytes)", "conv=sparse", "status=none",
            ])
    }

    private static func parse(_ output: [UInt8]) throws -> [String: Entry] {
        var entries: [String: Entry] = [:]
        var current: String?
        for record in output.split(separator: 0) {
            let text = String(decoding: record, as: UTF8.self)
            if text.hasPrefix("E ") {
                let words = text.split(separator: " ", maxSplits: 3)
                guard words.count == 4, let kind = words[1].first, let size = Int(words[2]) else {
                    throw FixtureError("find said \(text)")
                }
                // A folder's size is the driver's business.
                entries[String(words[3])] = Entry(kind: kind, sizeBytes: kind == "d" ? 0 : size)
            } else if text.hasPrefix("S ") {
                guard let sha256 = Digest(hex: String(text.dropFirst(2).prefix(64))) else {
                    throw FixtureError("sha256sum said \(text)")
                }
                entries[String(text.dropFirst(2 + 64 + 2))]?.sha256 = sha256
            } else if text.hasPrefix("# file: ") {
                current = String(text.dropFirst(8))
            } else if text.hasPrefix("system.ntfs_times_be="), let path = current {
                entries[path]?.times = String(text.dropFirst(21))
            }
        }
        return entries
    }

    private static func outside(_ entry: PartitionTable.Entry, of disk: FilePath) throws -> Digest {
        let file = try FileDescriptor.open(disk, .readOnly)
        defer { try? file.close() }
        let end = Int(try file.seek(offset: 0, from: .end))
        var hash = SHA256()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        for range in [0..<entry.startBytes, entry.startBytes + entry.sizeBytes..<end] {
            var offset = range.lowerBound
            while offset < range.upperBound {
                let wanted = min(buffer.count, range.upperBound - offset)
                let count = try buffer.withUnsafeMutableBytes {
                    try file.read(
                        fromAbsoluteOffset: Int64(offset), into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted]))
                }
                if count == 0 { break }
                hash.update(buffer[..<count])
                offset += count
            }
        }
        return hash.finalize()
    }
}
