import Fixtures
import SalvorImage
import SystemPackage
import Testing

@Suite struct DiskMakerTests {
    private static let offsets = (efi: 1 << 20, reserved: 35 << 20, system: 51 << 20)
    private let tools = ToolRunner()

    private func make(_ scratch: FilePath, _ change: (inout BrokenWindows) -> Void = { _ in }) async throws -> FilePath
    {
        let disk = scratch.appending("disk.raw")
        let machine = BrokenWindows {
            $0.sizeBytes = 128 << 20
            $0.otherFiles = 20
            change(&$0)
        }
        try await DiskMaker().make(machine.disk, at: disk)
        #expect(try Posix.names(in: scratch) == ["disk.raw"])
        return disk
    }

    /// What libblkid says of the volume at an offset of a disk.
    private func type(_ disk: FilePath, at offset: Int) async throws -> String {
        let result = try await tools.result(
            "blkid", ["-p", "-O", String(offset), "-o", "value", "-s", "TYPE", disk.string])
        return String(result.text.filter { $0 != "\n" })
    }

    private func probe(_ disk: FilePath, _ scratch: FilePath) async throws -> Int32 {
        let table = try #require(try PartitionTable(readFrom: disk))
        let image = scratch.appending("c")
        try await TreeSnapshot.extract(table.entries[2], of: disk, to: image)
        return try await tools.result("ntfs-3g.probe", ["--readwrite", image.string]).status
    }

    @Test func `Other programs find the partition table whole, and each volume of its kind`() async throws {
        try await withScratch { scratch in
            let disk = try await make(scratch)
            let verdict = try await tools.output("sfdisk", ["--verify", disk.string])
            #expect(String(decoding: verdict, as: UTF8.self).contains("No errors detected."))
            let listing = String(decoding: try await tools.output("sfdisk", ["--dump", disk.string]), as: UTF8.self)
            #expect(listing.contains("label-id: 5A1F0291-0719-4409-8527-0000D15C0001"))
            #expect(listing.contains("type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B"))
            #expect(listing.contains("name=\"Basic data partition\""))
            #expect(try await type(disk, at: Self.offsets.efi) == "vfat")
            #expect(try await type(disk, at: Self.offsets.reserved) == "")
            #expect(try await type(disk, at: Self.offsets.system) == "ntfs")
            #expect(
                try PartitionTable(readFrom: disk)?.entries.map(\.startBytes) == [
                    Self.offsets.efi, Self.offsets.reserved, Self.offsets.system,
                ])
            #expect(try await probe(disk, scratch) == 0)
        }
    }

    @Test func `A damaged table is not taken for whole`() async throws {
        try await withScratch { scratch in
            let disk = try await make(scratch)
            let file = try FileDescriptor.open(disk, .writeOnly)
            try file.writeAll(toAbsoluteOffset: 1024 + 56, [0x58])
            try file.close()
            let result = try await tools.result("sfdisk", ["--verify", disk.string])
            #expect(!result.text.contains("No errors detected.") || result.errors.contains("corrupt"))
        }
    }

    @Test func `A log left open, a dirty bit and hibernation are what ntfs-3g says they are`() async throws {
        try await withScratch { scratch in
            let disk = try await make(scratch) { $0.state = .oldLogOpen }
            #expect(try await probe(disk, scratch) == 15)
        }
        try await withScratch { scratch in
            // The log of Windows 8 and later: ntfs-3g takes it for one of a session that would go on.
            let disk = try await make(scratch) { $0.state = .logOpen }
            #expect(try await probe(disk, scratch) == 14)
        }
        try await withScratch { scratch in
            let disk = try await make(scratch) { $0.obstacle = .hibernated }
            #expect(try await probe(disk, scratch) == 14)
        }
        try await withScratch { scratch in
            let disk = try await make(scratch) { $0.state = .dirtyBit }
            _ = try await probe(disk, scratch)
            let information = try await tools.output("ntfsinfo", ["-f", "-m", scratch.appending("c").string])
            #expect(String(decoding: information, as: UTF8.self).contains("DIRTY"))
        }
    }

    @Test func `The disks without a Windows to repair are what they pretend to be`() async throws {
        try await withScratch { scratch in
            let disk = try await make(scratch) { $0.systemVolume = .bitLocker }
            #expect(try await type(disk, at: Self.offsets.system) == "BitLocker")
        }
        try await withScratch { scratch in
            let disk = try await make(scratch) { $0.systemVolume = .fat }
            #expect(try await type(disk, at: Self.offsets.system) == "vfat")
        }
        try await withScratch { scratch in
            let disk = try await make(scratch) { $0.systemVolume = .blankDisk }
            #expect(try PartitionTable(readFrom: disk) == nil)
            #expect(try await type(disk, at: 0) == "")
        }
        try await withScratch { scratch in
            let disk = try await make(scratch) { $0.systemVolume = .dataOnly }
            let snapshot = try await TreeSnapshot.take(of: disk)
            #expect(snapshot.entries["Windows"] == nil)
            #expect(snapshot.entries["Photos/lake.jpg"]?.sizeBytes == 5000)
        }
    }
}
