package import SalvorImage
package import SystemPackage

/// A Windows machine of the emulated Azure: one disk that BIOS and UEFI start alike, with C: as a
/// ``BrokenWindows`` has it, which stops with a bugcheck while a faulty channel file is there.
package struct AzureWindows: Sendable {
    /// What the serial console shows while a faulty channel file stops it.
    package static let bugcheckLine = StandInGuest.bugcheckLine
    package static let readyLine = "Windows has reported to Azure"

    package static var recipeDirectory: FilePath { GuestImage.recipe("AzureWindows") }

    private static let bootCode: FilePath = "/usr/lib/syslinux/mbr/gptmbr.bin"
    private static let bootLoader: FilePath = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi"
    private static let options = "console=ttyS0 quiet panic=1 tsc=reliable no_timer_check cryptomgr.notests"
    private static let systemBytes = 96 << 20
    /// GPT: "legacy BIOS bootable", which is where gptmbr.bin goes on.
    private static let biosBootable: UInt64 = 1 << 2

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

    /// Makes its disk at `path`, which must not be there yet: raw, or with a footer as a fixed VHD.
    /// - Parameter startupKey: of its C:, where that is encrypted.
    package func makeDisk(
        _ windows: BrokenWindows, at path: FilePath, startupKey: [UInt8]? = nil, vhd: Bool = false
    ) async throws {
        let scratch = try Posix.makeTemporaryDirectory(in: path.removingLastComponent(), prefix: ".windows-")
        defer { Posix.removeTree(scratch) }
        var spec = windows.disk
        spec.partitions[0].sizeBytes = Self.systemBytes
        spec.partitions[0].attributes = Self.biosBootable
        spec.partitions[0].content = .fat(label: "SYSTEM", files: try systemFiles(startupKey))
        let disk = scratch.appending("disk")
        try await DiskMaker(tools: tools).make(spec, at: disk)
        // The first partition follows the table, at 1 MiB.
        try await tools.output("syslinux", ["--offset", String(1 << 20), "--install", disk.string])
        let file = try FileDescriptor.open(disk, .writeOnly)
        try file.closeAfter { _ = try file.writeAll(toAbsoluteOffset: 0, try Posix.read(Self.bootCode).prefix(440)) }
        guard vhd else { return try Posix.rename(disk, to: path) }
        let converted = scratch.appending("disk.vhd")
        try await tools.output(
            "qemu-img",
            ["convert", "-f", "raw", "-O", "vpc", "-o", "subformat=fixed,force_size=on", disk.string, converted.string])
        try Posix.rename(converted, to: path)
    }

    private func systemFiles(_ startupKey: [UInt8]?) throws -> [FileSpec] {
        func text(_ path: String, _ text: String) -> FileSpec { FileSpec(path, .bytes(Array(text.utf8))) }
        return (startupKey.map { [FileSpec("KEY.BEK", .bytes($0))] } ?? []) + [
            FileSpec("EFI/Microsoft/Boot/bootmgfw.efi", .noise(seed: 1, count: 150_000)),
            FileSpec("EFI/Microsoft/Boot/BCD", .noise(seed: 2, count: 28_672)),
            FileSpec("EFI/BOOT/BOOTX64.EFI", .bytes(try Posix.read(Self.bootLoader))),
            text(
                "syslinux.cfg",
                "DEFAULT windows\nPROMPT 0\nLABEL windows\n  LINUX /vmlinuz\n  INITRD /initrd\n  APPEND \(Self.options)\n"
            ),
            text("loader/loader.conf", "timeout 0\ndefault windows.conf\n"),
            text(
                "loader/entries/windows.conf",
                "title Windows\nlinux /vmlinuz\ninitrd /initrd\noptions \(Self.options)\n"),
            FileSpec("vmlinuz", .bytes(try Posix.read(image.kernel))),
            FileSpec("initrd", .bytes(try Posix.read(image.initramfs))),
        ]
    }
}
