import Glibc
package import SystemPackage

/// The few file calls that are needed, with errors that name the file. All of them block: call them inside ``Blocking``.
package enum PosixFile {
    package static func exists(_ path: FilePath) -> Bool {
        var status = stat()
        return path.withPlatformString { stat($0, &status) } == 0
    }

    /// The first `limit` bytes of a file.
    package static func read(_ path: FilePath, limit: Int = 1 << 20) throws(QEMUError) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
            return try file.closeAfter {
                try [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
                    while count < limit {
                        let rest = UnsafeMutableRawBufferPointer(
                            rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
                        let got = try file.read(into: rest)
                        if got == 0 { break }
                        count += got
                    }
                }
            }
        } catch {
            throw QEMUError(.fileFailed, "\(path) cannot be read.", cause: error)
        }
    }

    /// The last `limit` bytes of a file, or nothing where it cannot be read.
    package static func tail(_ path: FilePath, limit: Int) -> [UInt8] {
        guard let file = try? FileDescriptor.open(path, .readOnly, options: [.closeOnExec]) else { return [] }
        defer { try? file.close() }
        guard let size = try? file.seek(offset: 0, from: .end) else { return [] }
        let start = max(0, size - Int64(limit))
        return
            (try? [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
                count = try file.read(fromAbsoluteOffset: start, into: UnsafeMutableRawBufferPointer(buffer))
            }) ?? []
    }

    /// Writes a file so that a crash leaves the old content or the new, never a mixture: a temporary file beside it,
    /// fsync, rename, fsync of the folder.
    package static func writeAtomically(
        _ bytes: some Sequence<UInt8>, to path: FilePath, mode: FilePermissions = .ownerReadWrite
    ) throws(QEMUError) {
        let folder = path.removingLastComponent()
        let name = path.lastComponent?.string ?? "file"
        let temporary = folder.appending(".\(name).\(getpid()).new")
        do {
            let file = try FileDescriptor.open(
                temporary, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: mode)
            do {
                try file.writeAll(bytes)
                guard fchmod(file.rawValue, mode.rawValue) == 0, fsync(file.rawValue) == 0 else {
                    throw Errno(rawValue: errno)
                }
                try file.close()
                try rename(temporary, to: path)
            } catch {
                _ = temporary.withPlatformString { unlink($0) }
                throw error
            }
            try sync(folder: folder)
        } catch {
            throw QEMUError(.fileFailed, "\(path) cannot be written; it is as it was.", cause: error)
        }
    }

    private static func rename(_ from: FilePath, to: FilePath) throws(Errno) {
        let result = from.withPlatformString { old in to.withPlatformString { new in Glibc.rename(old, new) } }
        guard result == 0 else { throw Errno(rawValue: errno) }
    }

    /// Makes a rename or unlink in the folder durable.
    package static func sync(folder: FilePath) throws {
        let directory = try FileDescriptor.open(
            folder.isEmpty ? "." : folder, .readOnly, options: [.directory, .closeOnExec])
        try directory.closeAfter {
            guard fsync(directory.rawValue) == 0 else { throw Errno(rawValue: errno) }
        }
    }

    /// Makes the folder and those above it, each for the owner alone where it is new.
    package static func makeFolder(_ path: FilePath) throws(QEMUError) {
        if path.withPlatformString({ mkdir($0, 0o700) }) == 0 || errno == EEXIST { return }
        let reason = errno
        let above = path.removingLastComponent()
        if reason == ENOENT, !above.isEmpty, above != path {
            try makeFolder(above)
            if path.withPlatformString({ mkdir($0, 0o700) }) == 0 || errno == EEXIST { return }
        }
        throw QEMUError(.fileFailed, "The folder \(path) cannot be made.", cause: Errno(rawValue: errno))
    }

    /// Removes a file; one that is not there is as good.
    package static func remove(_ path: FilePath) throws(QEMUError) {
        if path.withPlatformString({ unlink($0) }) == 0 || errno == ENOENT { return }
        throw QEMUError(.fileFailed, "\(path) cannot be removed.", cause: Errno(rawValue: errno))
    }

    /// Removes a folder and the files in it, and does not go into folders below, where nothing of ours is.
    package static func removeFolder(_ path: FilePath) throws(QEMUError) {
        for name in names(in: path) { try remove(path.appending(name)) }
        if path.withPlatformString({ rmdir($0) }) == 0 || errno == ENOENT { return }
        throw QEMUError(.fileFailed, "The folder \(path) cannot be removed.", cause: Errno(rawValue: errno))
    }

    /// What is in a folder, sorted, without `.` and `..`; nothing where it cannot be read.
    package static func names(in folder: FilePath) -> [String] {
        guard let stream = folder.withPlatformString({ opendir($0) }) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Where a symbolic link points; nil for anything else.
    package static func linkTarget(_ path: FilePath) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
            let count = path.withPlatformString { readlink($0, buffer.baseAddress!, buffer.count) }
            guard count > 0 else { return nil }
            return String(decoding: UnsafeRawBufferPointer(buffer)[..<count], as: UTF8.self)
        }
    }
}
