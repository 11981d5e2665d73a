#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif
package import SystemPackage

/// The few file operations that an image is made with; each failure becomes an ``ImageError`` that names the path.
package enum Posix {
    package static func read(_ path: FilePath) throws(ImageError) -> [UInt8] {
        let descriptor = open(path.string, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(errno, "\(path) cannot be read") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(errno, "\(path) cannot be read") }
        // One byte more than the size, so that the end of the file shows without a second buffer.
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size) + 1)
        var filled = 0
        while true {
            let room = bytes.count - filled
            let count = bytes.withUnsafeMutableBytes {
                readAll(descriptor, UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
            }
            guard count >= 0 else { throw failure(errno, "\(path) cannot be read") }
            filled += count
            if count < room { break }
            bytes.append(contentsOf: repeatElement(0, count: bytes.count))
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    /// Writes `bytes` to a new file of the given mode. A file that is there already is an error.
    package static func write(_ bytes: [UInt8], to path: FilePath, mode: UInt32 = 0o644) throws(ImageError) {
        let descriptor = open(path.string, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(mode))
        guard descriptor >= 0 else { throw failure(errno, "\(path) cannot be made") }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Self.systemWrite(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(errno, "\(path) cannot be written") }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else { throw failure(errno, "\(path) cannot be written") }
    }

    /// Replaces what is at `target`; both must be on one file system.
    package static func rename(_ source: FilePath, to target: FilePath) throws(ImageError) {
        guard systemRename(source.string, target.string) == 0 else {
            throw failure(errno, "\(source) cannot be moved to \(target)")
        }
    }

    /// A variable of this process's environment; nil when it is not set or empty.
    package static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    /// `path` from the root; a relative one is taken from the working directory.
    package static func absolute(_ path: FilePath) throws(ImageError) -> FilePath {
        if path.isAbsolute { return path.lexicallyNormalized() }
        guard let working = getcwd(nil, 0) else { throw failure(errno, "the working directory has no path") }
        defer { free(working) }
        return FilePath(String(cString: working)).pushing(path).lexicallyNormalized()
    }

    /// - Parameter path: an absolute one.
    package static func makeDirectories(_ path: FilePath) throws(ImageError) {
        var partial = FilePath(root: path.root)
        for component in path.components {
            partial.append(component)
            if mkdir(partial.string, 0o755) != 0, errno != EEXIST {
                throw failure(errno, "the folder \(partial) cannot be made")
            }
        }
        guard isDirectory(path) else { throw failure(ENOTDIR, "the folder \(path) cannot be made") }
    }

    /// A new folder with a name of its own inside `parent`, for the caller to remove.
    package static func makeTemporaryDirectory(in parent: FilePath, prefix: String) throws(ImageError) -> FilePath {
        var template = Array(parent.appending("\(prefix)XXXXXX").string.utf8CString)
        guard mkdtemp(&template) != nil else {
            throw failure(errno, "a temporary folder cannot be made in \(parent)")
        }
        return FilePath(String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
    }

    /// Removes a file or a whole folder, as far as that is possible. Symlinks are removed, never followed.
    package static func removeTree(_ path: FilePath) {
        guard let kind = kind(path) else { return }
        if kind == .directory {
            // Packages hold folders that their owner may not write to.
            chmod(path.string, 0o700)
            for name in (try? names(in: path)) ?? [] { removeTree(path.appending(name)) }
            rmdir(path.string)
        } else {
            unlink(path.string)
        }
    }

    /// The names in a folder, without `.` and `..`, in byte order.
    package static func names(in directory: FilePath) throws(ImageError) -> [String] {
        guard let stream = opendir(directory.string) else {
            throw failure(errno, "the folder \(directory) cannot be read")
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    package enum Kind: Sendable { case file, directory, symlink, other }

    /// What is at `path`, itself and not where a symlink leads; nil when nothing is.
    package static func kind(_ path: FilePath) -> Kind? {
        var status = stat()
        guard lstat(path.string, &status) == 0 else { return nil }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .directory
        case S_IFLNK: .symlink
        default: .other
        }
    }

    package static func isDirectory(_ path: FilePath) -> Bool {
        var status = stat()
        return stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    package static func isExecutableFile(_ path: FilePath) -> Bool {
        kind(path) != .directory && access(path.string, X_OK) == 0
    }

    /// Size in bytes and time of the last write in nanoseconds since 1970; nil when there is no such file.
    package static func sizeAndModification(_ path: FilePath) -> (bytes: Int, nanoseconds: Int)? {
        var status = stat()
        guard stat(path.string, &status) == 0 else { return nil }
        #if canImport(Darwin)
            let time = status.st_mtimespec
        #else
            let time = status.st_mtim
        #endif
        return (Int(status.st_size), time.tv_sec * 1_000_000_000 + time.tv_nsec)
    }

    /// Where the symlink at `path` points, as it is written there.
    package static func destination(ofSymlink path: FilePath) throws(ImageError) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { pointer in
            pointer.withMemoryRebound(to: CChar.self) { characters in
                characters.baseAddress.map { readlink(path.string, $0, characters.count) } ?? -1
            }
        }
        guard count >= 0 else { throw failure(errno, "the symlink \(path) cannot be read") }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// Makes `link` point to `target` in one step, whatever it pointed to before.
    package static func replaceSymlink(_ link: FilePath, target: String) throws(ImageError) {
        let fresh = FilePath(link.string + ".\(getpid())")
        unlink(fresh.string)
        guard symlink(target, fresh.string) == 0 else { throw failure(errno, "the symlink \(link) cannot be made") }
        try rename(fresh, to: link)
    }

    /// Makes an empty file of `bytes` bytes that only its owner may read or write.
    package static func makePrivateFile(_ path: FilePath, bytes: Int) throws(ImageError) {
        let descriptor = open(path.string, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(errno, "\(path) cannot be made") }
        defer { close(descriptor) }
        guard ftruncate(descriptor, off_t(bytes)) == 0 else { throw failure(errno, "\(path) cannot be made") }
    }

    /// A part of a file; a shorter one is an error.
    static func read(_ path: FilePath, at offset: Int, count: Int) throws(ImageError) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(path, .readOnly)
            var bytes = [UInt8](repeating: 0, count: count)
            let filled = try file.closeAfter {
                try bytes.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: Int64(offset), into: $0) }
            }
            guard filled == count else { throw Errno.ioError }
            return bytes
        } catch {
            throw failure((error as? Errno)?.rawValue ?? EIO, "\(path) cannot be read")
        }
    }

    /// Writes over a part of a file, or beyond its end.
    static func write(_ bytes: [UInt8], into path: FilePath, at offset: Int) throws(ImageError) {
        do {
            let file = try FileDescriptor.open(path, .writeOnly)
            try file.closeAfter { _ = try file.writeAll(toAbsoluteOffset: Int64(offset), bytes) }
        } catch {
            throw failure((error as? Errno)?.rawValue ?? EIO, "\(path) cannot be written")
        }
    }

    /// How much of a file is not zero, in blocks of 4 KiB, whatever its file system makes of that.
    static func contentBytes(of path: FilePath) throws(ImageError) -> Int {
        let zeros = [UInt8](repeating: 0, count: 4096)
        return try read(path).withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            return stride(from: 0, to: bytes.count, by: zeros.count).reduce(0) { sum, start in
                let count = min(zeros.count, bytes.count - start)
                return memcmp(base + start, zeros, count) == 0 ? sum : sum + count
            }
        }
    }

    package static func failure(_ number: Int32, _ what: String) -> ImageError {
        let reason = String(cString: strerror(number))
        return switch number {
        case ENOSPC, EDQUOT:
            ImageError(.diskFull, "\(what): \(reason)", nextStep: "Make room on that file system and try again")
        case EACCES, EPERM, EROFS:
            ImageError(
                .inputOutput, "\(what): \(reason)", nextStep: "Give yourself access to it or choose another folder")
        default:
            ImageError(.inputOutput, "\(what): \(reason)", nextStep: "Check the path and the disk that it lies on")
        }
    }

    /// Fewer bytes than the buffer has room for mean the end of the file; -1 an error.
    private static func readAll(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        var filled = 0
        while filled < buffer.count {
            let count = systemRead(descriptor, base + filled, buffer.count - filled)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return -1 }
            if count == 0 { break }
            filled += count
        }
        return filled
    }
}

// The names that this type has itself.
extension Posix {
    private static func systemRead(_ descriptor: Int32, _ base: UnsafeMutableRawPointer, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.read(descriptor, base, count)
        #elseif canImport(Musl)
            Musl.read(descriptor, base, count)
        #else
            Darwin.read(descriptor, base, count)
        #endif
    }

    private static func systemWrite(_ descriptor: Int32, _ base: UnsafeRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, base, count)
        #elseif canImport(Musl)
            Musl.write(descriptor, base, count)
        #else
            Darwin.write(descriptor, base, count)
        #endif
    }

    private static func systemRename(_ source: String, _ target: String) -> Int32 {
        #if canImport(Glibc)
            Glibc.rename(source, target)
        #elseif canImport(Musl)
            Musl.rename(source, target)
        #else
            Darwin.rename(source, target)
        #endif
    }
}
