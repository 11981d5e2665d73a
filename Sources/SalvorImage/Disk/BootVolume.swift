internal import SystemPackage

/// The file system that a rescue disk starts from: one kernel, one initramfs, and a loader for each firmware.
///
/// BIOS comes in through syslinux and UEFI through systemd-boot. Both read these files where they lie, so that the disk
/// holds them once; both are a fraction of what GRUB is, need no module list, and can be told to offer nobody a prompt.
struct BootVolume {
    /// What Debian's packages syslinux-common and systemd-boot-efi install.
    static let masterBootCode: FilePath = "/usr/lib/syslinux/mbr/gptmbr.bin"
    static let bootLoader: FilePath = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi"

    /// Of the FAT volume.
    private static let label = "SALVOR"
    /// Of FAT32, below which the same layout would be read as FAT16: UEFI promises to read FAT32 on a fixed disk.
    private static let leastClusters = 65_525

    let kernel: FilePath
    let initramfs: FilePath
    let commandLine: String

    /// Sectors of a volume that has room for all of it, in whole MiB.
    var sectors: Int {
        let content = [kernel, initramfs].reduce(1 << 20) { $0 + (Posix.sizeAndModification($1)?.bytes ?? 0) }
        // A cluster is a sector. Two tables of four bytes for each, and 32 reserved sectors.
        let clusters = max(content / 512, Self.leastClusters)
        let bytes = clusters * 512 + 2 * clusters * 4 + (1 << 16)
        return ((bytes + (1 << 20) - 1) >> 20) << 11
    }

    /// The volume's files but for the kernel and the initramfs.
    private var settings: [(name: String, text: String)] {
        [
            (
                "syslinux.cfg",
                """
                DEFAULT salvor
                PROMPT 0
                NOESCAPE 1
                ALLOWOPTIONS 0
                LABEL salvor
                  LINUX /vmlinuz
                  INITRD /initrd
                  APPEND \(commandLine)

                """
            ),
            // Its editor would let whoever sits at the console run a program of his own in the kernel's name.
            ("loader/loader.conf", "timeout 0\neditor no\ndefault salvor.conf\n"),
            (
                "loader/entries/salvor.conf",
                "title Salvor\nlinux /vmlinuz\ninitrd /initrd\noptions \(commandLine)\n"
            ),
        ]
    }

    /// Makes the volume in the file `disk`, at the first partition's place.
    func write(into disk: FilePath, serial: UInt32, tools: ToolRunner) async throws(ImageError) {
        let start = GUIDPartitionTable.firstSector
        let offset = start * GUIDPartitionTable.sectorBytes
        let volume = "\(disk)@@\(offset)"
        let serial = String(serial, radix: 16)
        try await tools.output(
            "mformat",
            [
                "-i", volume, "-F", "-c", "1", "-T", String(sectors), "-h", "64", "-s", "32", "-H", String(start),
                "-N", String(repeating: "0", count: 8 - serial.count) + serial, "-v", Self.label, "::",
            ])
        for folder in ["EFI", "EFI/BOOT", "loader", "loader/entries"] {
            try await tools.output("mmd", ["-i", volume, "::/\(folder)"])
        }
        for file in settings {
            try await tools.output("mcopy", ["-i", volume, "-", "::/\(file.name)"], input: Array(file.text.utf8))
        }
        for (file, name) in [(Self.bootLoader, "EFI/BOOT/BOOTX64.EFI"), (kernel, "vmlinuz"), (initramfs, "initrd")] {
            try await tools.output("mcopy", ["-i", volume, file.string, "::/\(name)"])
        }
        try await tools.output("syslinux", ["--offset", String(offset), "--install", disk.string])
        // It leaves FAT32's copy of the boot sector as it was, at sector 6.
        let bootSector = try Posix.read(disk, at: offset, count: 512)
        try Posix.write(bootSector, into: disk, at: offset + 6 * 512)
    }
}
