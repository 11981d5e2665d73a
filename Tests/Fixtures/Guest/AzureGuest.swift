package import SalvorImage
package import SystemPackage

/// A machine for the emulated Azure: one disk that BIOS and UEFI start alike, and a Linux on it that says on its serial
/// port what it sees of its disks and of the metadata service.
package struct AzureGuest: Sendable {
    /// The size of its disk: whole MiB, as Azure wants, and hardly more than the kernel needs.
    package static let diskBytes = 32 << 20

    /// The image recipe, in this checkout.
    package static var recipeDirectory: FilePath { GuestImage.recipe("AzureGuest") }

    /// What it prints when it has started from a disk of this marker.
    package static func line(marker: String, firmware: String) -> String {
        "GUEST marker=\(marker) firmware=\(firmware)"
    }

    package static let readyLine = "GUEST reported Ready"

    private static let sectorBytes = 512
    private static let partitionStart = 1 << 20
    private static let masterBootCode: FilePath = "/usr/lib/syslinux/mbr/mbr.bin"
    private static let bootLoader: FilePath = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi"

    private let image: RescueImage
    private let tools: ToolRunner

    /// Its kernel and initramfs from the cache, or built from Debian's packages.
    package init(
        cacheDirectory: FilePath = ImageBuilder.defaultCacheDirectory, tools: ToolRunner = ToolRunner(),
        progress: @escaping @Sendable (ImageProgress) -> Void = { _ in }
    ) async throws {
        image = try await GuestImage.make(
            recipe: Self.recipeDirectory, cacheDirectory: cacheDirectory, tools: tools, progress: progress)
        self.tools = tools
    }

    /// Makes a disk at `path`, which must not be there yet: raw, or with a footer as a fixed VHD.
    /// - Parameters:
    ///   - marker: what the guest prints when it was started from this disk; no spaces.
    ///   - address: an HTTP address whose content it prints, too.
    package func makeDisk(
        at path: FilePath, marker: String, fetching address: String? = nil, vhd: Bool = false
    ) async throws {
        guard !marker.isEmpty, marker.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }) else {
            throw FixtureError("the marker “\(marker)” is not made of letters, digits and hyphens")
        }
        let scratch = try Posix.makeTemporaryDirectory(in: path.removingLastComponent(), prefix: ".guest-")
        defer { Posix.removeTree(scratch) }
        let disk = scratch.appending("disk")
        try Posix.makePrivateFile(disk, bytes: Self.diskBytes)
        try writeBootSector(disk)
        try await fill(disk, address.map { "marker=\(marker) fetch=\($0)" } ?? "marker=\(marker)")
        guard vhd else { return try Posix.rename(disk, to: path) }
        let converted = scratch.appending("disk.vhd")
        try await tools.output(
            "qemu-img",
            ["convert", "-f", "raw", "-O", "vpc", "-o", "subformat=fixed,force_size=on", disk.string, converted.string])
        try Posix.rename(converted, to: path)
    }

    /// One active FAT partition, and the code that starts it under a BIOS.
    private func writeBootSector(_ disk: FilePath) throws {
        var sector = [UInt8](repeating: 0, count: Self.sectorBytes)
        sector.put(try Posix.read(Self.masterBootCode).prefix(440), at: 0)
        sector.put(Array("SLVR".utf8), at: 440)
        // Active, of FAT16 beyond the reach of cylinders, heads and sectors, which are given up.
        sector.put([0x80, 0xFE, 0xFF, 0xFF, 0x0E, 0xFE, 0xFF, 0xFF] as [UInt8], at: 446)
        sector.put(UInt32(Self.partitionStart / Self.sectorBytes), at: 454)
        sector.put(UInt32((Self.diskBytes - Self.partitionStart) / Self.sectorBytes), at: 458)
        sector.put([0x55, 0xAA] as [UInt8], at: 510)
        let file = try FileDescriptor.open(disk, .writeOnly)
        defer { try? file.close() }
        try file.writeAll(toAbsoluteOffset: 0, sector)
    }

    private func fill(_ disk: FilePath, _ words: String) async throws {
        let volume = "\(disk)@@\(Self.partitionStart)"
        let sectors = (Self.diskBytes - Self.partitionStart) / Self.sectorBytes
        func write(_ bytes: [UInt8], _ name: String) async throws {
            try await tools.output("mcopy", ["-i", volume, "-", "::/\(name)"], input: bytes)
        }
        let hidden = String(Self.partitionStart / Self.sectorBytes)
        try await tools.output(
            "mformat", ["-i", volume, "-T", String(sectors), "-h", "64", "-s", "32", "-H", hidden, "-v", "GUEST", "::"])
        for folder in ["EFI", "EFI/BOOT", "loader", "loader/entries"] {
            try await tools.output("mmd", ["-i", volume, "::/\(folder)"])
        }
        let options =
            "console=ttyS0 quiet panic=-1 tsc=reliable no_timer_check cryptomgr.notests init_on_alloc=0 norandmaps "
            + words
        let bios = "DEFAULT guest\nPROMPT 0\nLABEL guest\n  LINUX /vmlinuz\n  INITRD /initrd\n  APPEND \(options)\n"
        let entry = "title guest\nlinux /vmlinuz\ninitrd /initrd\noptions \(options)\n"
        try await write(Array(bios.utf8), "syslinux.cfg")
        try await write(Array("timeout 0\ndefault guest.conf\n".utf8), "loader/loader.conf")
        try await write(Array(entry.utf8), "loader/entries/guest.conf")
        try await write(try Posix.read(Self.bootLoader), "EFI/BOOT/BOOTX64.EFI")
        try await write(try Posix.read(image.kernel), "vmlinuz")
        try await write(try Posix.read(image.initramfs), "initrd")
        try await tools.output("syslinux", ["--offset", String(Self.partitionStart), "--install", disk.string])
    }
}
