internal import SalvorJSON
internal import SalvorSystem
internal import Synchronization
internal import SystemPackage

/// The bytes of disks and snapshots: a sparse raw file each, named by the content's id. A file that is not there is a disk of
/// zeros that nobody has written to.
package final class DiskContents: Sendable {
    private let folder: FilePath

    /// - Parameter folder: made where it is missing, for its owner alone.
    package init(folder: String) throws(ARMError) {
        self.folder = FilePath(folder)
        try SparseFile.makeFolder(self.folder)
    }

    /// The id of a record's content; nil for what has no bytes.
    package static func id(of record: Record) -> String? { record.hidden["content"]?.string }

    /// Bytes of a disk or snapshot: those of an upload can be less than its whole GB.
    package static func size(of record: Record) -> Int64 {
        record.body[path: "properties.diskSizeBytes"]?.integer
            ?? (record.body[path: "properties.diskSizeGB"]?.integer ?? 0) << 30
    }

    /// Where a content's bytes are, once they are ``materialised``.
    package func path(_ content: String) -> String { file(content).string }

    /// The file of a content, made of zeros where nobody has written to it.
    /// - Parameter bytes: the disk's size.
    @discardableResult
    package func materialise(_ content: String, bytes: Int64) async throws(ARMError) -> String {
        let file = file(content)
        try await Blocking.run { () throws(ARMError) in try SparseFile.make(file, bytes: bytes) }
        return file.string
    }

    /// Makes `new` the same as `old`, and as long as is said; a copy that is there is left as it is. A cancelled copy leaves
    /// nothing.
    package func copy(from old: String, to new: String, bytes: Int64) async throws(ARMError) {
        let (source, target) = (file(old), file(new))
        let stop = Stop()
        let result = await withTaskCancellationHandler {
            await Blocking.run { () -> Result<Void, ARMError> in
                do throws(ARMError) {
                    return .success(try SparseFile.copy(source, to: target, bytes: bytes) { !stop.isSet })
                } catch {
                    return .failure(error)
                }
            }
        } onCancel: {
            stop.set()
        }
        try result.get()
    }

    private final class Stop: Sendable {
        private let value = Atomic(false)

        var isSet: Bool { value.load(ordering: .relaxed) }
        func set() { value.store(true, ordering: .relaxed) }
    }

    /// Makes a content longer, with zeros.
    package func grow(_ content: String, to bytes: Int64) async throws(ARMError) {
        let file = file(content)
        try await Blocking.run { () throws(ARMError) in try SparseFile.grow(file, to: bytes) }
    }

    /// Makes a content shorter.
    package func cut(_ content: String, to bytes: Int64) async throws(ARMError) {
        let file = file(content)
        try await Blocking.run { () throws(ARMError) in try SparseFile.cut(file, to: bytes) }
    }

    /// Bytes of the file; 0 where it is not there.
    package func length(_ content: String) async throws(ARMError) -> Int64 {
        let file = file(content)
        return try await Blocking.run { () throws(ARMError) in try SparseFile.length(file) }
    }

    /// When a content was last written to, in nanoseconds since 1970 by the world's clock; nil where nobody has.
    package func modified(_ content: String) async throws(ARMError) -> Int64? {
        let file = file(content)
        return try await Blocking.run { () throws(ARMError) in try SparseFile.modified(file) }
    }

    /// Forgets a content; one that is not there is as good as forgotten.
    package func remove(_ content: String) async throws(ARMError) {
        let file = file(content)
        try await Blocking.run { () throws(ARMError) in try SparseFile.remove(file) }
    }

    /// Removes what no record names: left by a crash between a record's end and its content's.
    package func sweep(keeping contents: Set<String>) throws(ARMError) {
        for name in try SparseFile.names(in: folder) where !contents.contains(name) {
            try SparseFile.remove(folder.appending(name))
        }
    }

    // MARK: Bytes

    /// Zeros where nothing was written.
    package func read(_ content: String, _ range: Range<Int64>) async throws(ARMError) -> [UInt8] {
        let file = file(content)
        return try await Blocking.run { () throws(ARMError) in try SparseFile.read(file, range) }
    }

    package func write(_ bytes: [UInt8], at offset: Int64, to content: String) async throws(ARMError) {
        let file = file(content)
        try await Blocking.run { () throws(ARMError) in try SparseFile.write(bytes, at: offset, to: file) }
    }

    package func zero(_ range: Range<Int64>, of content: String) async throws(ARMError) {
        let file = file(content)
        try await Blocking.run { () throws(ARMError) in try SparseFile.zero(range, of: file) }
    }

    /// What takes space, in order.
    package func allocated(_ content: String, in range: Range<Int64>) async throws(ARMError) -> [Range<Int64>] {
        let file = file(content)
        return try await Blocking.run { () throws(ARMError) in try SparseFile.allocated(file, in: range) }
    }

    private func file(_ content: String) -> FilePath { folder.appending(content) }
}
