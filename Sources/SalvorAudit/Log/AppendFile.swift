#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A regular file that grows only at its end, held by one writer at a time.
struct AppendFile: ~Copyable {
    /// `write(2)`, or what a test puts in its place.
    typealias Write = @Sendable (Int32, UnsafeRawBufferPointer) -> Int

    let path: String
    let descriptor: Int32
    private let write: Write

    private init(path: String, descriptor: Int32, write: @escaping Write) {
        self.path = path
        self.descriptor = descriptor
        self.write = write
    }

    /// Opens or makes the file, readable and writable by its owner alone.
    static func open(path: String, write: @escaping Write = systemWrite) throws(AuditError) -> AppendFile {
        let descriptor = openFile(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0o600)
        guard descriptor >= 0 else {
            throw AuditError(
                .unreadable, "The audit log \(printable(path)) cannot be opened.",
                nextStep: "Check that its folder exists and can be written by you.",
                cause: SystemFailure(call: "open", errno: errno))
        }
        let file = AppendFile(path: path, descriptor: descriptor, write: write)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw AuditError(
                .unreadable, "The audit log \(printable(path)) is not a regular file.",
                nextStep: "Move away what is there; a new log is then made.")
        }
        // Held until the descriptor is closed, by a crash as well.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw AuditError(
                .inUse, "The audit log \(printable(path)) is being written by another process.",
                nextStep: "Wait for the other salvor of this run to end, or end it; then repeat the command.",
                cause: SystemFailure(call: "flock", errno: errno))
        }
        syncFolder(of: path)
        return file
    }

    deinit {
        // A child that is about to become a program has the descriptor too for a moment, and with it would have the lock.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    var byteCount: UInt64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? UInt64(status.st_size) : 0
    }

    /// Appends in one write. After a write that was not whole, the file is cut back to what it was.
    /// - Parameter durable: returns only once the bytes, and all before them, are on the disk.
    func append(_ bytes: [UInt8], durable: Bool) throws(AppendFailure) {
        let before = byteCount
        var written = 0
        var failure: Int32 = 0
        repeat {
            written = bytes.withUnsafeBytes { write(descriptor, $0) }
            failure = errno
        } while written < 0 && failure == EINTR
        if written != bytes.count {
            let cause = SystemFailure(call: "write", errno: written < 0 ? failure : ENOSPC)
            throw AppendFailure(cause: cause, isClean: ftruncate(descriptor, off_t(before)) == 0)
        }
        // After a failed fsync nobody knows what is on the disk, and a second one may say yes without having tried.
        if durable, fsync(descriptor) != 0 {
            throw AppendFailure(cause: SystemFailure(call: "fsync", errno: errno), isClean: false)
        }
    }

    /// Cuts off what follows the first `byteCount` bytes.
    func truncate(to byteCount: UInt64) throws(AuditError) {
        guard ftruncate(descriptor, off_t(byteCount)) == 0, fsync(descriptor) == 0 else {
            throw AuditError(
                .writeFailed, "The unfinished last record of the audit log \(printable(path)) cannot be cut off.",
                nextStep: "Check that the file can be written (chattr, mount options), then repeat the command.",
                cause: SystemFailure(call: "ftruncate", errno: errno))
        }
    }

    /// A file's name is on the disk only when its folder is. Best effort: some file systems do not offer it.
    private static func syncFolder(of path: String) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = openFile(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}

/// An append that did not happen.
struct AppendFailure: Error {
    let cause: SystemFailure
    /// The file is what it was before; otherwise nobody knows.
    let isClean: Bool
}

@Sendable func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Glibc)
        Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    #elseif canImport(Musl)
        Musl.write(descriptor, bytes.baseAddress, bytes.count)
    #else
        Darwin.write(descriptor, bytes.baseAddress, bytes.count)
    #endif
}

private func openFile(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 {
    while true {
        let descriptor = open(path, flags, mode)
        if descriptor >= 0 || errno != EINTR { return descriptor }
    }
}

/// The system's words for an error number.
func errorText(_ number: Int32) -> String {
    String(cString: strerror(number))
}
