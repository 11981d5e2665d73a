import Glibc
import SalvorCoordinatorCore
import SystemPackage

/// Keeps every QEMU from writing to a disk file, in QEMU's own way (block/file-posix.c, `RAW_LOCK_PERM_BASE`): for each
/// permission that somebody uses, byte 100 + n of the file is locked; for each that somebody does not grant to others,
/// byte 200 + n. The locks belong to the open file description, so they end with this object or with the process.
final class DiskLock: Sendable {
    private let descriptor: FileDescriptor

    private static let usedBase: Int64 = 100
    private static let deniedBase: Int64 = 200
    // QEMU's BLK_PERM_* as bit numbers.
    private static let consistentRead: Int64 = 0
    private static let write: Int64 = 1
    private static let resize: Int64 = 3
    // From <fcntl.h>; Swift's Glibc module hides what needs _GNU_SOURCE.
    private static let getLock: Int32 = 36
    private static let setLock: Int32 = 37

    /// Opens the file for reading alone and locks it. Blocks.
    /// - Throws: ``ProviderError/Code/diskInUse`` naming the user where that is known; then nothing is locked.
    init(_ path: FilePath) throws(ProviderError) {
        do {
            descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
        } catch {
            throw DiskProblem.opening(path, error)
        }
        do throws(ProviderError) {
            // First what we hold, then what others hold: of two that come at once, at least one sees the other.
            for byte in [
                Self.usedBase + Self.consistentRead, Self.deniedBase + Self.write, Self.deniedBase + Self.resize,
            ] {
                try lock(byte, path)
            }
            for byte in [
                Self.usedBase + Self.write, Self.usedBase + Self.resize, Self.deniedBase + Self.consistentRead,
            ]
            where isLockedByAnother(byte) {
                throw DiskProblem.inUse(path, by: DiskUsers.writer(of: path))
            }
            if let writer = DiskUsers.writer(of: path) { throw DiskProblem.inUse(path, by: writer) }
        } catch {
            try? descriptor.close()
            throw error
        }
    }

    deinit { try? descriptor.close() }

    private func lock(_ byte: Int64, _ path: FilePath) throws(ProviderError) {
        var request = Self.request(F_RDLCK, byte)
        guard fcntl(descriptor.rawValue, Self.setLock, &request) == 0 else {
            if errno == EAGAIN || errno == EACCES { throw DiskProblem.inUse(path, by: DiskUsers.writer(of: path)) }
            throw ProviderError(
                .failed, "\(path) cannot be locked.",
                nextStep: "Check that its file system supports locks. Nothing was changed.",
                cause: Errno(rawValue: errno))
        }
    }

    private func isLockedByAnother(_ byte: Int64) -> Bool {
        var request = Self.request(F_WRLCK, byte)
        return fcntl(descriptor.rawValue, Self.getLock, &request) == 0 && request.l_type != Int16(F_UNLCK)
    }

    private static func request(_ type: Int32, _ byte: Int64) -> flock {
        var request = flock()
        request.l_type = Int16(type)
        request.l_whence = Int16(SEEK_SET)
        request.l_start = off_t(byte)
        request.l_len = 1
        return request
    }
}

/// What is wrong with a disk, in words.
enum DiskProblem {
    static func opening(_ path: FilePath, _ error: any Error) -> ProviderError {
        switch error as? Errno {
        case .noSuchFileOrDirectory:
            ProviderError(
                .diskMissing, "The disk \(path) is not there.",
                nextStep: "Put it there, or mend the path in the machine's definition.")
        case .permissionDenied, .notPermitted:
            ProviderError(
                .diskNotReadable, "The disk \(path) may not be read by this user.",
                nextStep: "Run as a user who may, or grant this one read access.")
        default:
            ProviderError(
                .diskNotReadable, "The disk \(path) cannot be read.", nextStep: "Check the storage that it is on.",
                cause: error)
        }
    }

    static func inUse(_ path: FilePath, by user: String?) -> ProviderError {
        ProviderError(
            .diskInUse, "The disk \(path) is in use by \(user ?? "another process"), which can write to it.",
            nextStep: "Shut that machine or program down and repeat the command. Nothing was changed.")
    }

    static func damaged(_ path: FilePath, _ what: String) -> ProviderError {
        ProviderError(
            .diskDamaged, "The disk \(path) is damaged: \(what).",
            nextStep: "Restore it from a backup, or fetch the file again. Nothing was changed.")
    }
}
