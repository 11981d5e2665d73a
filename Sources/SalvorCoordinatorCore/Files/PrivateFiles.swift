#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Folders and files that only their owner can read, on the disk when a call returns.
enum PrivateFiles {
    /// Makes the folder and all above it that are missing, each 0700.
    static func makeFolder(_ path: String) throws(CoordinatorError) {
        if mkdir(path, 0o700) == 0 { return }
        switch errno {
        case EEXIST:
            guard isFolder(path) else {
                throw failure("\(path) is in the way: a folder must be made there.", ENOTDIR)
            }
        case ENOENT:
            let parent = parentPath(of: path)
            guard parent != path else { throw failure("The folder \(path) cannot be made.", ENOENT) }
            try makeFolder(parent)
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
                throw failure("The folder \(path) cannot be made.", errno)
            }
        case let code: throw failure("The folder \(path) cannot be made.", code)
        }
    }

    /// Makes an empty file where there is none.
    static func makeFile(_ path: String) throws(CoordinatorError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("\(path) cannot be made.", errno) }
        close(descriptor)
    }

    /// Replaces the file's content in one step: after a crash it is the old or the new, never a part.
    static func replace(_ path: String, with bytes: [UInt8]) throws(CoordinatorError) {
        let temporary = "\(path).new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("\(temporary) cannot be made.", errno) }
        do throws(CoordinatorError) {
            try writeAll(bytes, to: descriptor, path: temporary)
            guard fsync(descriptor) == 0 else { throw failure("\(temporary) did not reach the disk.", errno) }
        } catch {
            close(descriptor)
            unlink(temporary)
            throw error
        }
        close(descriptor)
        guard rename(temporary, path) == 0 else { throw failure("\(path) cannot be replaced.", errno) }
        try syncFolder(parentPath(of: path))
    }

    /// - Returns: nil where there is no such file.
    static func read(_ path: String, limit: Int) throws(CoordinatorError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("\(path) cannot be opened.", errno)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = piece.withUnsafeMutableBytes { salvorRead(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0, bytes.count + count <= limit else {
                throw failure("\(path) cannot be read.", count < 0 ? errno : EFBIG)
            }
            if count == 0 { return bytes }
            bytes += piece.prefix(count)
        }
    }

    static func writeAll(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(CoordinatorError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                write(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("\(path) cannot be written.", count < 0 ? errno : EIO) }
            written += count
        }
    }

    static func syncFolder(_ path: String) throws(CoordinatorError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("The folder \(path) cannot be opened.", errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("The folder \(path) did not reach the disk.", errno) }
    }

    /// A failed system call on Salvor's own files, told apart where the operator can do something about it.
    static func failure(_ message: String, _ code: Int32) -> CoordinatorError {
        let full = code == ENOSPC || code == EDQUOT
        let reason = String(cString: strerror(code))
        return CoordinatorError(
            full ? .noSpace : .state, "\(message) \(reason).",
            nextStep: full
                ? "Make room on that disk, then resume or repeat the run."
                : "Check the path's owner and rights, or set SALVOR_HOME to another folder.")
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func parentPath(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// By another name: inside of the type its own `read` hides it.
private func salvorRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}
