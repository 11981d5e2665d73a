internal import CLinux
internal import Glibc
internal import SystemPackage

/// Sparse files. All calls block.
enum SparseFile {
    private static let chunk = 4 << 20
    /// What a copy is called until it is whole.
    private static let partial = ".partial"

    static func makeFolder(_ folder: FilePath) throws(ARMError) {
        guard folder.withPlatformString({ mkdir($0, 0o700) }) == 0 || errno == EEXIST else {
            throw failure("make the folder", folder, Errno(rawValue: errno))
        }
    }

    static func names(in folder: FilePath) throws(ARMError) -> [String] {
        guard let directory = folder.withPlatformString({ opendir($0) }) else {
            throw failure("list", folder, Errno(rawValue: errno))
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    static func make(_ path: FilePath, bytes: Int64) throws(ARMError) {
        try with(path, .readWrite, "make", options: [.create]) { file in
            if try file.seek(offset: 0, from: .end) < bytes { try file.resize(to: bytes) }
        }
    }

    static func grow(_ path: FilePath, to bytes: Int64) throws(ARMError) {
        guard exists(path) else { return }
        try make(path, bytes: bytes)
    }

    static func cut(_ path: FilePath, to bytes: Int64) throws(ARMError) {
        try with(path, .readWrite, "shorten") { file in try file.resize(to: bytes) }
    }

    static func length(_ path: FilePath) throws(ARMError) -> Int64 {
        guard exists(path) else { return 0 }
        var length: Int64 = 0
        try with(path, .readOnly, "read") { file in length = try file.seek(offset: 0, from: .end) }
        return length
    }

    static func modified(_ path: FilePath) throws(ARMError) -> Int64? {
        var status = stat()
        guard path.withPlatformString({ stat($0, &status) }) == 0 else {
            guard errno == ENOENT else { throw failure("read", path, Errno(rawValue: errno)) }
            return nil
        }
        return Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }

    static func remove(_ path: FilePath) throws(ARMError) {
        guard path.withPlatformString({ unlink($0) }) == 0 || errno == ENOENT else {
            throw failure("remove", path, Errno(rawValue: errno))
        }
    }

    /// A copy appears whole or not at all.
    /// - Parameter goesOn: asked between pieces of some MiB.
    static func copy(
        _ source: FilePath, to target: FilePath, bytes: Int64, goesOn: () -> Bool
    ) throws(ARMError) {
        // A source that nobody has written to is zeros, and so is a target that is not there.
        guard exists(source), !exists(target) else { return }
        let new = FilePath(target.string + partial)
        try remove(new)
        do throws(ARMError) {
            try with(source, .readOnly, "read") { from in
                let to = try FileDescriptor.open(
                    new, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: .ownerReadWrite)
                try to.closeAfter {
                    if salvor_clone_file(to.rawValue, from.rawValue) != 0 { try copyData(from, to, goesOn) }
                    if try to.seek(offset: 0, from: .end) < bytes { try to.resize(to: bytes) }
                }
            }
            guard new.withPlatformString({ old in target.withPlatformString { rename(old, $0) } }) == 0 else {
                throw failure("rename", new, Errno(rawValue: errno))
            }
        } catch {
            try? remove(new)
            throw error
        }
    }

    private static func copyData(_ source: FileDescriptor, _ target: FileDescriptor, _ goesOn: () -> Bool) throws {
        let end = try source.seek(offset: 0, from: .end)
        for range in try allocated(source, in: 0..<end) {
            var offset = range.lowerBound
            while offset < range.upperBound {
                guard goesOn() else { throw Errno.canceled }
                let count = min(Int64(chunk), range.upperBound - offset)
                let copied = salvor_copy_range(source.rawValue, target.rawValue, offset, count)
                if copied > 0 {
                    offset += copied
                } else if copied == 0 {
                    break
                } else if [EXDEV, EINVAL, ENOSYS, EOPNOTSUPP].contains(errno) {
                    // Not in this kernel, or not on this file system.
                    offset += Int64(try copyPiece(source, target, offset, Int(count)))
                } else if errno != EINTR {
                    throw Errno(rawValue: errno)
                }
            }
        }
        try target.resize(to: end)
    }

    private static func copyPiece(
        _ source: FileDescriptor, _ target: FileDescriptor, _ offset: Int64, _ count: Int
    ) throws -> Int {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try bytes.withUnsafeMutableBytes { try source.read(fromAbsoluteOffset: offset, into: $0) }
        _ = try target.writeAll(toAbsoluteOffset: offset, bytes.prefix(got))
        return max(got, 1)
    }

    // MARK: Bytes

    static func read(_ path: FilePath, _ range: Range<Int64>) throws(ARMError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        guard exists(path) else { return bytes }
        try with(path, .readOnly, "read") { file in
            try bytes.withUnsafeMutableBytes { buffer in
                var done = 0
                while done < buffer.count {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                    let got = try file.read(fromAbsoluteOffset: range.lowerBound + Int64(done), into: rest)
                    if got == 0 { break }
                    done += got
                }
            }
        }
        return bytes
    }

    static func write(_ bytes: [UInt8], at offset: Int64, to path: FilePath) throws(ARMError) {
        try with(path, .writeOnly, "write to") { file in _ = try file.writeAll(toAbsoluteOffset: offset, bytes) }
    }

    static func zero(_ range: Range<Int64>, of path: FilePath) throws(ARMError) {
        try with(path, .readWrite, "write to") { file in
            guard salvor_punch_hole(file.rawValue, range.lowerBound, Int64(range.count)) == 0 else {
                throw Errno(rawValue: errno)
            }
        }
    }

    static func allocated(_ path: FilePath, in range: Range<Int64>) throws(ARMError) -> [Range<Int64>] {
        guard exists(path) else { return [] }
        var ranges: [Range<Int64>] = []
        try with(path, .readOnly, "read") { file in ranges = try allocated(file, in: range) }
        return ranges
    }

    private static func allocated(_ file: FileDescriptor, in range: Range<Int64>) throws -> [Range<Int64>] {
        var ranges: [Range<Int64>] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            let data = salvor_seek_data(file.rawValue, offset)
            if data < 0 {
                // Nothing but a hole from here on.
                guard errno == ENXIO else { throw Errno(rawValue: errno) }
                break
            }
            let hole = salvor_seek_hole(file.rawValue, data)
            guard hole >= 0 else { throw Errno(rawValue: errno) }
            guard data < range.upperBound else { break }
            ranges.append(data..<min(hole, range.upperBound))
            offset = hole
        }
        return ranges
    }

    static func exists(_ path: FilePath) -> Bool { path.withPlatformString { access($0, F_OK) } == 0 }

    private static func with(
        _ path: FilePath, _ mode: FileDescriptor.AccessMode, _ what: String,
        options: FileDescriptor.OpenOptions = [], _ body: (FileDescriptor) throws -> Void
    ) throws(ARMError) {
        do {
            let file = try FileDescriptor.open(
                path, mode, options: options.union(.closeOnExec), permissions: .ownerReadWrite)
            try file.closeAfter { try body(file) }
        } catch let error as ARMError {
            throw error
        } catch {
            throw failure(what, path, error)
        }
    }

    /// Azure's storage does not fill up; when this machine's does, it answers as Azure does when something breaks inside.
    private static func failure(_ what: String, _ path: FilePath, _ error: any Error) -> ARMError {
        if let error = error as? Errno, [Errno.noSpace, .diskQuotaExceeded].contains(error) {
            return ARMError(
                500, "InternalServerError",
                "The emulator's disk is full: it cannot \(what) \(path). Make room there and try again.")
        }
        return ARMError(500, "InternalServerError", "The emulator cannot \(what) \(path): \(error).")
    }
}
