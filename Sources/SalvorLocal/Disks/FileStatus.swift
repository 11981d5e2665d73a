import Glibc
import SystemPackage

/// What the file system says of a file. Blocks.
struct FileStatus {
    enum Kind: Hashable {
        case regular
        case blockDevice
        case other
    }

    let kind: Kind
    let mode: mode_t
    let sizeBytes: UInt64
    private let device: dev_t
    private let inode: ino_t

    init(of path: FilePath) throws(Errno) {
        var status = stat()
        guard path.withPlatformString({ stat($0, &status) }) == 0 else { throw Errno(rawValue: errno) }
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFBLK: .blockDevice
            default: .other
            }
        mode = status.st_mode
        sizeBytes = UInt64(clamping: status.st_size)
        device = status.st_dev
        inode = status.st_ino
    }

    func isSameFile(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }

    /// Bytes that an unprivileged user can still write where the file is; nil where that cannot be told.
    static func freeBytes(at path: FilePath) -> UInt64? {
        var status = statvfs()
        guard path.withPlatformString({ statvfs($0, &status) }) == 0 else { return nil }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }
}
