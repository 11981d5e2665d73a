internal import CLinux
internal import Glibc
internal import SalvorDigest

/// What is to be written over a file, in the rescue VM's memory, before anything is written. Gone with its last use.
final class PreparedContent: Sendable {
    let sizeBytes: UInt64
    let digest: Digest
    /// What becomes other, a sentence each.
    let changes: [String]
    private let file: MemoryFile
    private let start: UInt64

    /// A registry hive of the largest kind that Windows loads is the most that is ever written.
    static let largest: UInt64 = 512 << 20

    /// Takes what `file` holds from `start` on. Blocking.
    /// - Throws: ``AgentError/Code/systemCall``.
    init(_ file: MemoryFile, from start: UInt64 = 0, changes: [String]) throws(AgentError) {
        let size = try file.descriptor.size(of: Self.name)
        guard start <= size else { throw .systemCall("read", Self.name) }
        self.file = file
        self.start = start
        self.changes = changes
        sizeBytes = size - start
        var hash = SHA256()
        var offset = start
        var buffer = [UInt8](repeating: 0, count: ContentReader.chunkBytes)
        while let chunk = try Self.chunk(file, at: &offset, &buffer) { hash.update(chunk) }
        digest = hash.finalize()
    }

    /// - Throws: ``AgentError/Code/systemCall``.
    convenience init(_ bytes: [UInt8], changes: [String]) throws(AgentError) {
        let file = try MemoryFile()
        try file.descriptor.write(bytes[...], to: Self.name)
        try self.init(file, changes: changes)
    }

    /// Writes all of it to a file of a volume, from its beginning, and gives that its length. Blocking.
    func write(to target: borrowing Descriptor, at path: String) throws(AgentError) {
        guard lseek(target.number, 0, SEEK_SET) == 0 else { throw .systemCall("lseek", path) }
        var offset = start
        var buffer = [UInt8](repeating: 0, count: ContentReader.chunkBytes)
        while let chunk = try Self.chunk(file, at: &offset, &buffer) { try target.write(chunk, to: path) }
        guard ftruncate(target.number, off_t(sizeBytes)) == 0 else { throw .systemCall("truncate", path) }
        try target.synchronize(path)
    }

    private static let name = "a prepared content"

    private static func chunk(
        _ file: MemoryFile, at offset: inout UInt64, _ buffer: inout [UInt8]
    ) throws(AgentError) -> ArraySlice<UInt8>? {
        let count = try file.descriptor.read(into: &buffer, at: Int64(offset), of: name)
        offset += UInt64(count)
        return count > 0 ? buffer[..<count] : nil
    }
}

/// A file in memory without a name, gone with its last use.
final class MemoryFile: Sendable {
    let descriptor: Descriptor

    /// - Throws: ``AgentError/Code/systemCall``.
    init() throws(AgentError) {
        let number = salvor_memory_file("content")
        guard number >= 0 else { throw .systemCall("memfd_create", "the agent") }
        descriptor = Descriptor(owning: number)
    }
}
