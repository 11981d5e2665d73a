package import SalvorImage
package import SystemPackage

/// Makes disks from what a ``DiskSpec`` says.
package struct DiskMaker: Sendable {
    private let tools: ToolRunner
    private static let mebibyte = 1 << 20

    package init(tools: ToolRunner = ToolRunner()) { self.tools = tools }

    /// Writes a raw, sparse disk image at `path`, which must not be there yet. Its folder holds what is needed on the
    /// way, too, and is clean of it afterwards.
    package func make(_ spec: DiskSpec, at path: FilePath) async throws {
        let scratch = try Posix.makeTemporaryDirectory(in: path.removingLastComponent(), prefix: ".disk-")
        defer { Posix.removeTree(scratch) }
        let table = try layOut(spec)
        let disk = scratch.appending("disk")
        try Posix.makePrivateFile(disk, bytes: spec.sizeBytes)
        for (partition, entry) in zip(spec.partitions, table.entries) {
            let image = scratch.appending("partition")
            try Posix.makePrivateFile(image, bytes: entry.sizeBytes)
            try await fill(
                image, with: partition.content, entry: entry, sectorBytes: spec.sectorBytes, scratch: scratch)
            try await tools.output(
                "dd",
                [
                    "if=\(image)", "of=\(disk)", "bs=1M", "seek=\(entry.startBytes / Self.mebibyte)",
                    "conv=sparse,notrunc",
                    "status=none",
                ])
            Posix.removeTree(image)
        }
        if !spec.partitions.isEmpty {
            let file = try FileDescriptor.open(disk, .writeOnly)
            defer { try? file.close() }
            for (offset, bytes) in Self.tables(of: spec, table) {
                try file.writeAll(toAbsoluteOffset: Int64(offset), bytes)
            }
        }
        try Posix.rename(disk, to: path)
    }

    /// Converts an image to another format.
    /// - Parameters:
    ///   - format: as qemu-img calls it: `raw`, `qcow2`, `vpc`, …
    ///   - options: `subformat=fixed` and the like.
    package func convert(
        _ source: FilePath, from sourceFormat: String? = nil, to target: FilePath, format: String,
        options: String? = nil
    ) async throws {
        try await tools.output(
            "qemu-img",
            ["convert"] + (sourceFormat.map { ["-f", $0] } ?? []) + ["-O", format]
                + (options.map { ["-o", $0] } ?? []) + [source.string, target.string])
    }

    /// What lies around the partitions, by its offset.
    private static func tables(of spec: DiskSpec, _ table: PartitionTable) -> [Int: [UInt8]] {
        func gpt(_ table: PartitionTable) -> [Int: [UInt8]] {
            let (front, back) = table.serialized(diskBytes: spec.sizeBytes, sectorBytes: spec.sectorBytes)
            return [0: front, spec.sizeBytes - back.count: back]
        }
        let dynamic = DynamicDisk(spec, table)
        return switch spec.table {
        case .none: [:]
        case .mbr: [0: table.masterBootRecord()]
        case .gpt: gpt(table)
        case .dynamicMBR: [0: dynamic.masterBootRecord].merging(dynamic.database) { first, _ in first }
        case .dynamicGPT: gpt(dynamic.partitionTable).merging(dynamic.database) { first, _ in first }
        }
    }

    private func layOut(_ spec: DiskSpec) throws -> PartitionTable {
        // A mebibyte at either end for the tables, and one for the logical disk manager's.
        var next = spec.table == .none ? 0 : Self.mebibyte
        let end = spec.sizeBytes - next
        if spec.table == .dynamicGPT { next += Self.mebibyte }
        var table = PartitionTable(diskGUID: spec.diskGUID, entries: [])
        for partition in spec.partitions {
            let size = partition.sizeBytes ?? end - next
            guard size > 0, size % Self.mebibyte == 0, next + size <= end else {
                throw FixtureError("the partition \(partition.name) does not fit the disk, or is no multiple of 1 MiB")
            }
            table.entries.append(
                PartitionTable.Entry(
                    type: partition.type, guid: partition.guid,
                    firstSector: UInt64(next / PartitionTable.sectorBytes),
                    lastSector: UInt64((next + size) / PartitionTable.sectorBytes - 1),
                    attributes: partition.attributes, name: partition.name))
            next += size
        }
        return table
    }

    private func fill(
        _ image: FilePath, with content: PartitionSpec.Content, entry: PartitionTable.Entry,
        sectorBytes: Int, scratch: FilePath
    ) async throws {
        switch content {
        case .none: break
        case .raw(let pieces):
            let file = try FileDescriptor.open(image, .writeOnly)
            defer { try? file.close() }
            for (offset, bytes) in pieces { try file.writeAll(toAbsoluteOffset: Int64(offset), bytes) }
        case .fat(let label, let files):
            try await makeFAT(
                image, label: label, startSector: entry.firstSector, sectors: entry.sizeBytes / 512, files: files,
                scratch: scratch)
        case .ntfs(let spec):
            try await NTFSVolume.make(
                spec, at: image, startSector: entry.firstSector * 512 / UInt64(sectorBytes), sectorBytes: sectorBytes,
                scratch: scratch, tools: tools)
        case .encrypted(let spec, let encryption):
            try await NTFSVolume.make(
                spec, at: image, startSector: entry.firstSector * 512 / UInt64(sectorBytes), sectorBytes: sectorBytes,
                scratch: scratch, tools: tools)
            try encryption.seal(image)
        }
    }

    private func makeFAT(
        _ image: FilePath, label: String, startSector: UInt64, sectors: Int, files: [FileSpec], scratch: FilePath
    ) async throws {
        // A fixed serial number, and mtools' own clock: the same bytes every time.
        var tools = tools
        tools.environment["SOURCE_DATE_EPOCH"] = "1699090215"
        try await tools.output(
            "mformat",
            [
                "-i", image.string, "-T", String(sectors), "-h", "64", "-s", "32", "-H", String(startSector), "-N",
                "51A70291", "-v", label, "::",
            ])
        var made: Set<String> = []
        for file in files {
            let components = file.path.split(separator: "/")
            for count in 1..<max(components.count, 1) {
                let folder = components.prefix(count).joined(separator: "/")
                if made.insert(folder).inserted { try await tools.output("mmd", ["-i", image.string, "::/\(folder)"]) }
            }
            try await tools.output("mcopy", ["-i", image.string, "-", "::/\(file.path)"], input: file.bytes ?? [])
        }
    }
}
