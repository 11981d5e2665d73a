internal import CLinux
internal import Glibc

/// The directory tree of one mounted volume, reached only through the descriptor of its root: every open goes by
/// `openat2` with no symbolic link, no "..", and no other mount on the way, so that a volume can lead nowhere but into
/// itself. Blocking: call it on a thread of its own.
package struct VolumeTree: Sendable {
    /// Owned by the ``MountedVolume``, which closes it after the last use.
    let root: Int32

    /// Gives each name in a directory, in the file system's order, until `body` returns false.
    func forEachName(in directory: [FileName], _ body: (FileName) -> Bool) throws(AgentError) {
        let opened = try open(directory, O_RDONLY | O_DIRECTORY)
        // closedir() closes its descriptor: it gets one of its own.
        guard let stream = fdopendir(dup(opened.number)) else { throw .systemCall("opendir", path(directory)) }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw .systemCall("readdir", path(directory), code: .unreadable) }
                return
            }
            if let name = FileName(bytes: Self.name(of: entry)), !body(name) { return }
        }
    }

    /// A Windows name of 255 characters can take three bytes for each: it goes on behind the 256 bytes that `d_name` is
    /// declared with, up to the record's own length.
    private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
        let start = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
        let record = UnsafeRawBufferPointer(start: entry, count: Int(entry.pointee.d_reclen))
        return Array(record.dropFirst(start).prefix { $0 != 0 })
    }

    /// What an entry is, itself and not where it leads.
    func kind(of name: FileName, in directory: [FileName]) throws(AgentError) -> EntryKind {
        let opened = try open(directory, salvor_path_only | O_DIRECTORY)
        var status = stat()
        guard withCString(name.bytes, { fstatat(opened.number, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            if errno == ENOENT { return .missing }
            throw .systemCall("stat", path(directory + [name]), code: .unreadable)
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file(size: UInt64(max(0, status.st_size)), inode: UInt64(status.st_ino))
        case S_IFDIR: return .directory
        case S_IFLNK: return .link
        default: return .other
        }
    }

    /// Opens a regular file for reading.
    func openFile(_ file: [FileName]) throws(AgentError) -> Descriptor {
        // A pipe's open would wait for a writer; what is no regular file is refused before, and this is for races.
        try open(file, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
    }

    /// Opens a regular file that is there for writing, or makes one that is not.
    func openToWrite(_ file: [FileName], isNew: Bool) throws(AgentError) -> Descriptor {
        try open(file, O_RDWR | O_NONBLOCK | O_NOFOLLOW | (isNew ? O_CREAT | O_EXCL : 0))
    }

    /// Makes what was made, or removed, in a directory last.
    func synchronize(_ directory: [FileName]) throws(AgentError) {
        try open(directory, O_RDONLY | O_DIRECTORY).synchronize(path(directory))
    }

    /// Removes a file's name, and makes the removal last.
    func delete(_ name: FileName, in directory: [FileName]) throws(AgentError) {
        let opened = try open(directory, O_RDONLY | O_DIRECTORY)
        guard withCString(name.bytes, { unlinkat(opened.number, $0, 0) }) == 0 else {
            throw .systemCall("unlink", path(directory + [name]))
        }
        try synchronize(directory)
    }

    func path(_ components: [FileName]) -> String { windowsPath(components.map(\.text)) }

    private func open(_ components: [FileName], _ flags: Int32) throws(AgentError) -> Descriptor {
        let relative =
            components.isEmpty ? [UInt8(ascii: ".")] : Array(components.map(\.bytes).joined(separator: [0x2F]))
        let number = withCString(relative) {
            salvor_open_beneath(
                root, $0, UInt64(UInt32(bitPattern: flags | O_CLOEXEC)), flags & O_CREAT != 0 ? 0o600 : 0)
        }
        guard number >= 0 else {
            switch errno {
            case ELOOP, EXDEV: throw .linkInPath(path(components))
            default: throw .systemCall("open", path(components), code: .unreadable)
            }
        }
        return Descriptor(owning: number)
    }

    private func withCString<Result>(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (bytes + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { characters in
                // A buffer with a terminator in it has a base address.
                characters.baseAddress.map(body) ?? body("")
            }
        }
    }
}

/// What a directory entry is. Junctions, symbolic links and reparse points that ntfs-3g has no plug-in for are links.
enum EntryKind: Equatable {
    case file(size: UInt64, inode: UInt64)
    case directory
    case link
    case other
    case missing
}

extension AgentError {
    static func linkInPath(_ path: String) -> AgentError {
        AgentError(
            .linkInPath,
            "\(path) is, or leads through, a symbolic link, a junction or another mount; it was not followed.",
            next: "Look at the volume by hand: Windows has no such link there.")
    }
}
