internal import SalvorRegistry

/// A hive and what lies beside it on a mounted volume. Blocking, and to be read in a process of its own alone:
/// ``RegistryReading``.
struct HiveOnDisk {
    /// Far above any hive that Windows can still load.
    static let largest: UInt64 = 512 << 20
    private static let largestLog: UInt64 = 128 << 20

    let tree: VolumeTree
    /// As the disk spells it.
    let path: [FileName]

    /// Opens the file.
    /// - Throws: ``HiveError`` where it is too large.
    func open() throws -> Descriptor {
        let file = try tree.openFile(path)
        let size = try file.size(of: tree.path(path))
        guard size <= Self.largest else { throw HiveError("It has \(size) bytes.") }
        return file
    }

    func bytes() throws -> [UInt8] {
        let file = try open()
        let size = try file.size(of: tree.path(path))
        guard let bytes = file.bytes(at: 0, count: Int(size)) else { throw HiveError("It cannot be read to its end.") }
        return bytes
    }

    /// Its logs, as far as they can be read.
    func logs() -> [[UInt8]] {
        [".LOG1", ".LOG2"].compactMap { suffix in
            guard let log = try? sibling(below: [], suffix: suffix), let file = try? tree.openFile(log),
                let size = try? file.size(of: suffix), size <= Self.largestLog
            else { return nil }
            return file.bytes(at: 0, count: Int(size))
        }
    }

    /// The copy that Windows 8 to 10 made of it every few days; nil where there is none. Since version 1803 it is empty.
    func backup() throws -> HiveOnDisk? {
        try sibling(below: ["RegBack"], suffix: "").map { HiveOnDisk(tree: tree, path: $0) }
    }

    private func sibling(below folder: [String], suffix: String) throws -> [FileName]? {
        guard let name = path.last?.text else { return nil }
        var resolver = PathResolver(tree)
        return try resolver.resolve(folder + [name + suffix], below: path.dropLast())
    }
}
