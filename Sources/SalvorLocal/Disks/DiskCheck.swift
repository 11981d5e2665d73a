import Glibc
import SalvorCoordinatorCore
import SalvorQEMU
internal import SalvorSystem
import SystemPackage

/// Looks at a disk file before anything is done with it, and changes nothing.
struct DiskCheck: Sendable {
    var image: DiskImage

    /// - Returns: the size that a guest sees.
    /// - Throws: why the disk cannot be worked with.
    func check(_ disk: MachineDefinition.Disk) async throws(ProviderError) -> UInt64 {
        let status = try await Blocking.run { () throws(ProviderError) in try Self.open(disk.path) }
        switch disk.format {
        case .raw:
            try await Blocking.run { () throws(ProviderError) in
                try Self.checkRaw(disk.path, sizeBytes: status.sizeBytes)
            }
            return status.sizeBytes
        case .qcow2, .vhdx:
            return try await checkImage(disk).virtualBytes
        case .vhd:
            let path = disk.path
            try await Blocking.run { () throws(ProviderError) in try VHDFooter.check(path, sizeBytes: status.sizeBytes)
            }
            return try await checkImage(disk).virtualBytes
        case .vmdk:
            let info = try await checkImage(disk)
            guard info.createType == "monolithicSparse" else {
                throw ProviderError(
                    .unsupported,
                    "The disk \(disk.path) is a VMDK of the kind “\(info.createType ?? "unknown")”, and Salvor writes "
                        + "“monolithicSparse” alone: one file that grows.",
                    nextStep: "Convert a copy: qemu-img convert -O vmdk \(disk.path) NEW.vmdk. Nothing was changed.")
            }
            return info.virtualBytes
        }
    }

    private static func open(_ path: FilePath) throws(ProviderError) -> FileStatus {
        do {
            let status = try FileStatus(of: path)
            guard path.withPlatformString({ access($0, R_OK) }) == 0 else { throw Errno(rawValue: errno) }
            guard status.kind == .regular else {
                throw ProviderError(
                    .unsupported, "The disk \(path) is not a file.",
                    nextStep: "The local provider works on image files: copy the device into one.")
            }
            return status
        } catch let error as ProviderError {
            throw error
        } catch {
            throw DiskProblem.opening(path, error)
        }
    }

    private static func checkRaw(_ path: FilePath, sizeBytes: UInt64) throws(ProviderError) {
        guard sizeBytes > 0 else { throw DiskProblem.damaged(path, "it is empty") }
        guard sizeBytes.isMultiple(of: 512) else {
            throw DiskProblem.damaged(path, "its \(sizeBytes) bytes are not a whole number of 512-byte sectors")
        }
        let head: [UInt8]
        do {
            head = try PosixFile.read(path, limit: PartitionExtent.headBytes)
        } catch {
            throw DiskProblem.opening(path, error.cause ?? error)
        }
        if let format = format(head: head, path, sizeBytes: sizeBytes) {
            throw ProviderError(
                .invalidDefinition, "The disk \(path) is a \(format.rawValue) file and the definition calls it raw.",
                nextStep: "Write “format: \(format.rawValue)” into the machine's definition.")
        }
        if let expected = PartitionExtent.bytes(head: head), expected > sizeBytes {
            throw DiskProblem.damaged(
                path, "it has \(sizeBytes) bytes and its partition table speaks of \(expected); it has been cut short")
        }
    }

    /// What a file called raw is by its own words; a sector of a raw disk holds none of them at its beginning or end.
    private static func format(head: [UInt8], _ path: FilePath, sizeBytes: UInt64) -> MachineDisk.Format? {
        if head.starts(with: [0x51, 0x46, 0x49, 0xFB]) { return .qcow2 }
        if head.starts(with: "vhdxfile".utf8) { return .vhdx }
        if head.starts(with: "KDMV".utf8) || head.starts(with: "# Disk DescriptorFile".utf8) { return .vmdk }
        return VHDFooter.isThere(path, sizeBytes: sizeBytes) ? .vhd : nil
    }

    private func checkImage(_ disk: MachineDefinition.Disk) async throws(ProviderError) -> DiskImage.Info {
        do throws(QEMUError) {
            let info = try await image.info(disk.path, format: disk.format)
            guard !info.corrupt else { throw QEMUError(.imageFailed, "it is marked as corrupt") }
            try await image.check(disk.path, format: disk.format)
            return info
        } catch {
            guard error.code == .imageFailed else { throw ProviderError(error) }
            // QEMU replays a log only into a file that it may write, and this one it may not.
            if "\(error)".contains("log that needs to be replayed") {
                throw ProviderError(
                    .diskDamaged,
                    "The disk \(disk.path) was not closed: the VHDX file's own log holds changes that were not made yet.",
                    nextStep:
                        "Copy the file, let “qemu-img check -r all COPY” make them, and name the copy in the definition. "
                        + "Nothing was changed.")
            }
            throw DiskProblem.damaged(disk.path, "\(error)")
        }
    }
}
