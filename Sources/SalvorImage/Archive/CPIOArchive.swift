/// A cpio archive in the "new ASCII" format (`070701`), which the kernel unpacks as an initramfs.
///
/// The bytes depend on the entries alone: they are sorted by path, owned by root, dated 1970, and numbered in order.
/// Layout: Documentation/driver-api/early-userspace/buffer-format.rst of the Linux kernel.
package struct CPIOArchive: Sendable {
    private enum Content: Sendable {
        case directory
        case file([UInt8])
        case link(String)
    }

    private struct Entry: Sendable {
        var permissions: UInt32
        var content: Content

        var byteCount: Int {
            switch content {
            case .directory: 0
            case .file(let bytes): bytes.count
            case .link(let target): target.utf8.count
            }
        }
    }

    /// By path without the leading slash.
    private var entries: [String: Entry] = [:]

    package init() {}

    package var paths: [String] { entries.keys.map { "/" + $0 } }

    /// Parents are added as they are needed, with mode 0755. What was there under the same path is replaced.
    package mutating func addDirectory(_ path: String, permissions: UInt32 = 0o755) {
        add(path, Entry(permissions: permissions, content: .directory))
    }

    package mutating func addFile(_ path: String, _ bytes: [UInt8], permissions: UInt32) {
        add(path, Entry(permissions: permissions, content: .file(bytes)))
    }

    package mutating func addLink(_ path: String, to target: String) {
        add(path, Entry(permissions: 0o777, content: .link(target)))
    }

    package func contains(_ path: String) -> Bool { entries[Self.normalised(path)] != nil }

    private static func normalised(_ path: String) -> String {
        path.split(separator: "/").joined(separator: "/")
    }

    private mutating func add(_ path: String, _ entry: Entry) {
        let components = path.split(separator: "/")
        precondition(
            !components.isEmpty && !components.contains { $0 == "." || $0 == ".." }, "\(path) is no entry's path")
        for count in 1..<max(components.count, 1) {
            let parent = components.prefix(count).joined(separator: "/")
            if entries[parent] == nil { entries[parent] = Entry(permissions: 0o755, content: .directory) }
        }
        entries[components.joined(separator: "/")] = entry
    }

    /// The archive, a multiple of 512 bytes long.
    package func serialized() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(entries.values.reduce(1024) { $0 + 256 + $1.byteCount })
        let sorted = entries.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        for (index, (path, entry)) in sorted.enumerated() {
            let (type, data): (UInt32, [UInt8]) =
                switch entry.content {
                case .directory: (0o040000, [])
                case .file(let bytes): (0o100000, bytes)
                case .link(let target): (0o120000, Array(target.utf8))
                }
            Self.append(
                &bytes, name: path, inode: UInt32(index + 1), mode: type | entry.permissions,
                links: type == 0o040000 ? 2 : 1, data: data)
        }
        Self.append(&bytes, name: "TRAILER!!!", inode: 0, mode: 0, links: 1, data: [])
        Self.pad(&bytes, to: 512)
        return bytes
    }

    private static func append(
        _ bytes: inout [UInt8], name: String, inode: UInt32, mode: UInt32, links: UInt32, data: [UInt8]
    ) {
        bytes.append(contentsOf: "070701".utf8)
        // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
        for field in [
            inode, mode, 0, 0, links, 0, UInt32(data.count), 0, 0, 0, 0, UInt32(name.utf8.count + 1), 0,
        ] {
            let digits = String(field, radix: 16, uppercase: true)
            bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: 8 - digits.utf8.count))
            bytes.append(contentsOf: digits.utf8)
        }
        bytes.append(contentsOf: name.utf8)
        bytes.append(0)
        pad(&bytes, to: 4)
        bytes.append(contentsOf: data)
        pad(&bytes, to: 4)
    }

    private static func pad(_ bytes: inout [UInt8], to alignment: Int) {
        let excess = bytes.count % alignment
        if excess > 0 { bytes.append(contentsOf: repeatElement(0, count: alignment - excess)) }
    }
}
