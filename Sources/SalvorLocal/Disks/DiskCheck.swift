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
        case .qcow2:
            return try await checkQcow2(disk.path)
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
        if Array(head.prefix(4)) == [0x51, 0x46, 0x49, 0xFB] {
            throw ProviderError(
                .invalidDefinition, "The disk \(path) is a qcow2 file and the definition calls it raw.",
                nextStep: "Write “format: qcow2” into the machine's definition.")
        }
        if let expected = PartitionExtent.bytes(head: head), expected > sizeBytes {
            throw DiskProblem.damaged(
                path, "it has \(sizeBytes) bytes and its partition table speaks of \(expected); it has been cut short")
        }
    }

    private func checkQcow2(_ path: FilePath) async throws(ProviderError) -> UInt64 {
        do throws(QEMUError) {
            let info = try await image.info(path, format: .qcow2)
            guard !info.corrupt else { throw QEMUError(.imageFailed, "it is marked as corrupt") }
            try await image.check(path)
            return info.virtualBytes
        } catch {
            guard error.code == .imageFailed else { throw ProviderError(error) }
            throw DiskProblem.damaged(path, "\(error)")
        }
    }
}
