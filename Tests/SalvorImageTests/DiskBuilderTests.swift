import Fixtures
import SalvorDigest
import Synchronization
import SystemPackage
import Testing

@testable import SalvorImage

/// Disks of the stand-in guest, which is small, looked at by programs that know nothing of how they were made.
@Suite(.serialized) struct DiskBuilderTests {
    private static let footerBytes = 512

    private func builder(_ cache: FilePath, tools: ToolRunner = ToolRunner()) throws -> ImageBuilder {
        ImageBuilder(
            recipe: try ImageRecipe(directory: StandInGuest.recipeDirectory), cacheDirectory: cache, tools: tools)
    }

    private func text(_ tool: String, _ arguments: [String]) async throws -> String {
        String(decoding: try await ToolRunner().output(tool, arguments), as: UTF8.self)
    }

    /// The raw disk without the footer, for programs that look for a table at its end.
    private func raw(_ disk: RescueDisk, in scratch: FilePath) throws -> FilePath {
        let path = scratch.appending("disk.raw")
        try Posix.write(try Posix.read(disk.vhd).dropLast(Self.footerBytes), to: path)
        return path
    }

    @Test func `The same inputs give the same bytes, and a second build makes nothing`() async throws {
        try await withScratch { scratch in
            let one = try await builder(try freshCache(in: scratch, "one")).buildDisk(agent: nil)
            // Minutes later, in another zone, by another folder.
            let elsewhere = ToolRunner(environment: ["TZ": "Pacific/Auckland", "SOURCE_DATE_EPOCH": "1700000000"])
            let two = try await builder(try freshCache(in: scratch, "two"), tools: elsewhere).buildDisk(agent: nil)
            #expect(one.vhd != two.vhd)
            #expect(one.sha256 == two.sha256)
            #expect(one.digest == two.digest)
            #expect(try SHA256.digest(ofFile: one.vhd.string) == one.sha256)

            let cache = scratch.appending("one")
            #expect(try Posix.names(in: cache) == ["disks", "images", "packages"])
            #expect(try Posix.names(in: cache.appending("disks")) == [one.digest.hex])
            // The installer is looked at, since it is an input, and not run.
            let idle = ToolRunner(searchPath: [try ToolRunner().find("syslinux").removingLastComponent()])
            let log = Mutex<[ImageProgress]>([])
            let same = try await DiskBuilder(cacheDirectory: cache, tools: idle).build(one.image) { step in
                log.withLock { $0.append(step) }
            }
            #expect(same == one)
            #expect(log.withLock { $0 }.isEmpty)

            // What was damaged is not handed out, and makes way.
            try Posix.write([1], into: one.vhd, at: 5_000_000)
            #expect(try await builder(cache).cachedDisk(agent: nil) == nil)
            #expect(try await builder(cache).buildDisk(agent: nil) == one)
        }
    }

    @Test func `It is a fixed VHD of whole MiB, sparse, and QEMU reads its size from the footer`() async throws {
        try await withScratch { scratch in
            let disk = try await builder(try freshCache(in: scratch, "cache")).buildDisk(agent: nil)
            #expect(disk.diskBytes % (1 << 20) == 0)
            #expect(disk.fileBytes == disk.diskBytes + Self.footerBytes)
            #expect(Posix.sizeAndModification(disk.vhd)?.bytes == disk.fileBytes)
            let information = try await text("qemu-img", ["info", "-f", "vpc", "--output=json", disk.vhd.string])
            #expect(information.contains("\"virtual-size\": \(disk.diskBytes),"), "\(information)")
            let blocks = try await text("stat", ["-c", "%b", disk.vhd.string])
            let allocated = try #require(Int(blocks.filter(\.isNumber))) * 512
            // A kernel of 14 MB, an initramfs of one or two, and not the empty rest.
            #expect((14_000_000...20_000_000).contains(disk.contentBytes))
            #expect(allocated < disk.contentBytes + (1 << 20))

            let footer = Array(try Posix.read(disk.vhd).suffix(Self.footerBytes))
            #expect(Array(footer[0..<8]) == Array("conectix".utf8))
            // Fixed; no time; no offset to another header.
            #expect(Array(footer[60..<64]) == [0, 0, 0, 2])
            #expect(Array(footer[24..<28]) == [0, 0, 0, 0])
            #expect(Array(footer[16..<24]) == Array(repeating: 0xFF, count: 8))
            var sum: UInt32 = 0
            for (index, byte) in footer.enumerated() where !(64..<68).contains(index) { sum += UInt32(byte) }
            #expect(Array(footer[64..<68]) == withUnsafeBytes(of: (~sum).bigEndian) { Array($0) })
        }
    }

    @Test func `sfdisk finds both tables whole, and fsck a FAT32 volume with one kernel and two loaders`() async throws
    {
        try await withScratch { scratch in
            let disk = try await builder(try freshCache(in: scratch, "cache")).buildDisk(agent: nil)
            let raw = try raw(disk, in: scratch)
            let verdict = try await text("sfdisk", ["--verify", raw.string])
            #expect(verdict.contains("No errors detected"), "\(verdict)")
            let dump = try await text("sfdisk", ["--dump", raw.string])
            #expect(dump.contains("label: gpt"))
            #expect(dump.contains("label-id: \(RescueDisk.diskGUID.uppercased())"))
            let sectors = disk.diskBytes / 512 - 4096
            #expect(
                dump.contains(
                    "start=        2048, size=\(String(repeating: " ", count: 12 - String(sectors).count))\(sectors), "
                        + "type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B"), "\(dump)")
            #expect(dump.contains("name=\"Salvor rescue system\", attrs=\"RequiredPartition LegacyBIOSBootable\""))

            let volume = scratch.appending("volume")
            try Posix.write(Array(try Posix.read(raw)[(1 << 20)..<(disk.diskBytes - (1 << 20))]), to: volume)
            let check = try await ToolRunner().result("fsck.vfat", ["-n", "-v", volume.string])
            #expect(check.status == 0, "\(check.text)")
            #expect(check.text.contains("32 bit entries"), "\(check.text)")
            let kernel = try await ToolRunner().output("mcopy", ["-i", volume.string, "::/vmlinuz", "-"])
            #expect(SHA256.digest(of: kernel) == (try SHA256.digest(ofFile: disk.image.kernel.string)))
            let packed = scratch.appending("initrd.zst")
            try await ToolRunner().output("mcopy", ["-i", volume.string, "::/initrd", packed.string])
            let unpacked = try await ToolRunner().output(
                "zstd", ["-d", "-q", "-c", packed.string], outputLimit: 256 << 20)
            #expect(SHA256.digest(of: unpacked) == disk.image.initramfsSHA256)
            for (file, what) in [
                ("syslinux.cfg", "ALLOWOPTIONS 0"), ("syslinux.cfg", "APPEND console=ttyS0"),
                ("loader/loader.conf", "editor no"), ("loader/entries/salvor.conf", "options console=ttyS0"),
            ] {
                let bytes = try await ToolRunner().output("mcopy", ["-i", volume.string, "::/\(file)", "-"])
                #expect(String(decoding: bytes, as: UTF8.self).contains(what), "\(file)")
            }
        }
    }

    @Test(arguments: [
        (17 * 4 * 1000, 1000, 4, 17), (73_728, 867, 5, 17), (1 << 23, 8322, 16, 63), (1 << 28, 65_535, 16, 255),
    ])
    func `Cylinders, heads and sectors are those of the specification`(
        total: Int, cylinders: Int, heads: Int, sectors: Int
    ) {
        let geometry = VHDFooter.geometry(sectors: total)
        #expect((Int(geometry.cylinders), Int(geometry.heads), Int(geometry.sectors)) == (cylinders, heads, sectors))
    }

    @Test func `The checksum is CRC-32, by its check value`() {
        #expect(GUIDPartitionTable.checksum("123456789".utf8) == 0xCBF4_3926)
    }

    @Test func `Without a loader or a tool the error names the package, and nothing half-made stays`() async throws {
        try await withScratch { scratch in
            let cache = try freshCache(in: scratch, "cache")
            let image = try await builder(cache).build(agent: nil)
            let tools = scratch.appending("tools")
            try makeScript("syslinux", in: tools, "exit 0")
            for (searchPath, package) in [([scratch], "syslinux"), ([tools], "zstd")] {
                let error = try await imageError {
                    _ = try await DiskBuilder(cacheDirectory: cache, tools: ToolRunner(searchPath: searchPath))
                        .build(image)
                }
                #expect(error?.code == .toolMissing)
                #expect(error?.nextStep.contains("apt-get install \(package)") == true)
            }
            #expect(try Posix.names(in: cache.appending("disks")).isEmpty)
        }
    }
}
