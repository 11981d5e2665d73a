internal import SalvorDigest
internal import SalvorSystem
package import SystemPackage

/// Makes a disk that starts under BIOS and UEFI from a rescue image: without root, and without mounting anything.
///
/// With the same tools the same image gives the same bytes. Disks are kept in the cache folder, beside the images.
package struct DiskBuilder: Sendable {
    /// What the kernel is started with. The serial port is what a cloud keeps as the boot log, and the last word tells
    /// `/init` where the bootstrap data is if there is no config disk. A kernel on Hyper-V leaves its timers untested by
    /// itself; under emulation it has to be told.
    static let commandLine = "console=ttyS0,115200n8 quiet panic=-1 no_timer_check salvor.bootstrap=imds"

    /// Renewed when the same inputs begin to give other bytes.
    private static let format = "salvor-disk 1"
    private static let diskName = "rescue.vhd"

    private let cacheDirectory: FilePath
    private let tools: ToolRunner
    private var store: FilePath { cacheDirectory.appending("disks") }

    package init(cacheDirectory: FilePath, tools: ToolRunner = ToolRunner()) {
        self.cacheDirectory = cacheDirectory
        var tools = tools
        // mtools dates files by the clock otherwise, and by the operator's own time zone. FAT begins in 1980.
        tools.environment["SOURCE_DATE_EPOCH"] = "315532800"
        tools.environment["TZ"] = "UTC"
        self.tools = tools
    }

    /// The disk of this image, if it is there and whole.
    package func cached(_ image: RescueImage) async throws(ImageError) -> RescueDisk? {
        let (store, loaders) = (store, try loaders())
        return try await Blocking.run { () throws(ImageError) in
            Self.disk(image, try Self.digest(image, loaders), in: store)
        }
    }

    /// The disk of this image; made only if it is not there.
    package func build(
        _ image: RescueImage, progress: @escaping @Sendable (ImageProgress) -> Void = { _ in }
    ) async throws(ImageError) -> RescueDisk {
        if let disk = try await cached(image) { return disk }
        progress(.makingDisk)
        let (store, loaders) = (store, try loaders())
        let digest = try await Blocking.run { () throws(ImageError) in
            try Posix.makeDirectories(store)
            return try Self.digest(image, loaders)
        }
        let scratch = try Posix.makeTemporaryDirectory(in: store, prefix: ".disk-")
        defer { Posix.removeTree(scratch) }
        let file = scratch.appending(Self.diskName)
        let diskBytes = try await write(image, digest, to: file)
        return try await Blocking.run { () throws(ImageError) in
            let content = try Posix.contentBytes(of: file)
            let manifest = "\(Self.format)\nvhd \(try Self.sha256(of: file)) \(diskBytes) \(content)\n"
            try Posix.write(Array(manifest.utf8), to: scratch.appending("manifest"))
            let place = store.appending(digest.hex)
            if Self.disk(image, digest, in: store) == nil {
                // What is there and damaged makes way.
                Posix.removeTree(place)
                do throws(ImageError) {
                    try Posix.rename(scratch, to: place)
                } catch {
                    // Another build may have been quicker, with the same bytes.
                    guard Self.disk(image, digest, in: store) != nil else { throw error }
                }
            }
            guard let disk = Self.disk(image, digest, in: store) else {
                throw ImageError(
                    .inputOutput, "the disk \(digest) was stored and cannot be read back",
                    nextStep: "Check the disk that \(store) lies on, then build again")
            }
            return disk
        }
    }

    /// - Returns: the size that the guest sees.
    private func write(
        _ image: RescueImage, _ digest: Digest, to file: FilePath
    ) async throws(ImageError) -> Int {
        // Read at a firmware's pace, and uploaded: a quarter of the bytes is worth the tenth of a second that the kernel
        // needs to unpack them.
        let initramfs = FilePath(file.string + ".initrd")
        defer { Posix.removeTree(initramfs) }
        try await tools.output(
            "zstd", ["--quiet", "--no-progress", "-19", "-T0", "-o", initramfs.string, image.initramfs.string])
        let bootCode = try Posix.read(BootVolume.masterBootCode)
        let volume = BootVolume(kernel: image.kernel, initramfs: initramfs, commandLine: Self.commandLine)
        let diskSectors = GUIDPartitionTable.firstSector + volume.sectors + GUIDPartitionTable.tailSectors
        let diskBytes = diskSectors * GUIDPartitionTable.sectorBytes
        guard let guid = DiskGUID(RescueDisk.diskGUID) else {
            preconditionFailure("\(RescueDisk.diskGUID) is no GUID")
        }
        let id = DiskGUID(digest: digest.bytes)
        let table = GUIDPartitionTable(
            disk: guid, partition: id, name: "Salvor rescue system", diskSectors: diskSectors, bootCode: bootCode)
        let footer = VHDFooter(diskBytes: diskBytes, id: id)

        try Posix.makePrivateFile(file, bytes: diskBytes)
        let serial = id.bytes.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        try await volume.write(into: file, serial: serial, tools: tools)
        try await Blocking.run { () throws(ImageError) in
            let tail = table.tail
            try Posix.write(table.head, into: file, at: 0)
            try Posix.write(tail, into: file, at: diskBytes - tail.count)
            try Posix.write(footer.serialized, into: file, at: diskBytes)
        }
        return diskBytes
    }

    // MARK: What is there

    private func loaders() throws(ImageError) -> [FilePath] {
        let files = [BootVolume.masterBootCode, BootVolume.bootLoader]
        for (file, package) in zip(files, ["syslinux-common", "systemd-boot-efi"]) where Posix.kind(file) == nil {
            throw ImageError(
                .toolMissing, "\(file) is not there", nextStep: "Install it (apt-get install \(package)) and try again")
        }
        // It carries the code that it installs.
        return files + [try tools.find("syslinux")]
    }

    private static func digest(_ image: RescueImage, _ loaders: [FilePath]) throws(ImageError) -> Digest {
        var text = "\(format)\nimage \(image.digest)\ncommand line \(commandLine)\ndisk \(RescueDisk.diskGUID)\n"
        for loader in loaders { text += "loader \(try sha256(of: loader))\n" }
        return SHA256.digest(of: Array(text.utf8))
    }

    private static func sha256(of file: FilePath) throws(ImageError) -> Digest {
        do {
            return try SHA256.digest(ofFile: file.string)
        } catch {
            throw ImageError(
                .inputOutput, "\(file) cannot be read: \(error)", nextStep: "Give yourself access to it", cause: error)
        }
    }

    private static func disk(_ image: RescueImage, _ digest: Digest, in store: FilePath) -> RescueDisk? {
        let folder = store.appending(digest.hex)
        let vhd = folder.appending(diskName)
        guard let bytes = try? Posix.read(folder.appending("manifest")) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard lines.count == 2, lines[0] == format else { return nil }
        let words = lines[1].split(separator: " ")
        guard words.count == 4, words[0] == "vhd", let sha256 = Digest(hex: String(words[1])),
            let diskBytes = Int(words[2]), let contentBytes = Int(words[3]),
            (try? SHA256.digest(ofFile: vhd.string)) == sha256
        else { return nil }
        return RescueDisk(
            vhd: vhd, digest: digest, sha256: sha256, diskBytes: diskBytes, contentBytes: contentBytes, image: image)
    }
}

extension ImageBuilder {
    /// The disk of this recipe and agent, with the newest packages that apt knows; built only if it is not there.
    package func buildDisk(
        agent: FilePath?, progress: @escaping @Sendable (ImageProgress) -> Void = { _ in }
    ) async throws(ImageError) -> RescueDisk {
        try await disks.build(try await build(agent: agent, progress: progress), progress: progress)
    }

    /// The disk that was last built from this recipe and agent, if it is whole. apt is not asked.
    package func cachedDisk(agent: FilePath?) async throws(ImageError) -> RescueDisk? {
        guard let image = try await cached(agent: agent) else { return nil }
        return try await disks.cached(image)
    }

    private var disks: DiskBuilder { DiskBuilder(cacheDirectory: cacheDirectory, tools: tools) }
}
