internal import FoundationEssentials
internal import Glibc
internal import SalvorDigest
internal import SalvorMessages
internal import SwiftProtobuf

/// Fills one quarantine. A file counts as stored once its copy was read back and compared, and both copy and entry are
/// on the device. Every method blocks.
struct QuarantineWriter: Sendable {
    let id: String
    let path: String

    static func manifest(in path: String) -> String { "\(path)/manifest" }
    static func content(_ index: Int, in path: String) -> String { "\(path)/content-\(index)" }

    /// Copies a file with all that is needed to put it back.
    /// - Throws: ``AgentError/Code/drift`` when the file no longer has the digest that it was judged by,
    ///   ``AgentError/Code/quarantineFull``, ``AgentError/Code/quarantineDamaged``, ``AgentError/Code/unreadable``.
    func store(_ file: MatchedFile, at index: Int, from tree: VolumeTree) throws(AgentError)
        -> Salvor_V1_QuarantineEntry
    {
        let name = tree.path(file.path)
        let source = try tree.openFile(file.path)
        let metadata = try FileMetadata.all(of: source, at: name)
        let copy = Self.content(index, in: path)
        let digest = try write(ContentReader(source, name: name), to: copy)
        guard file.finding.sha256.elementsEqual(digest.bytes) else {
            throw AgentError(
                .drift, "\(name) changed while it was copied. Nothing was deleted.",
                next: "See what else uses the disk, and scan again.")
        }
        guard try Self.digest(of: copy) == digest else {
            throw .quarantineDamaged(id, "the copy of \(name) does not read back as it was written")
        }
        let entry = Salvor_V1_QuarantineEntry.with {
            $0.path = file.finding.path
            $0.volumeNumber = file.finding.volumeNumber
            $0.sizeBytes = file.finding.sizeBytes
            $0.sha256 = file.finding.sha256
            $0.times = metadata.times
            $0.attributes = metadata.attributes
            $0.securityDescriptor = .init(metadata.securityDescriptor)
            $0.action = file.finding.action
            $0.resultSha256 = file.finding.resultSha256
        }
        try append(entry)
        return entry
    }

    /// Takes over a file whose content was put at ``content(_:in:)`` before, byte for byte as the entry says.
    func adopt(_ entry: Salvor_V1_QuarantineEntry, at index: Int) throws(AgentError) {
        let copy = Self.content(index, in: path)
        guard try Self.digest(of: copy).bytes.elementsEqual(entry.sha256) else {
            throw .quarantineDamaged(id, "\(windowsPath(entry.path)) arrived with another content than its entry says")
        }
        try append(entry)
    }

    private func write(_ content: consuming ContentReader, to copy: String) throws(AgentError) -> Digest {
        let target = try Descriptor.open(copy, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
        var hash = SHA256()
        while let chunk = try content.next() {
            hash.update(chunk)
            try target.write(chunk, to: copy)
        }
        try target.synchronize(copy)
        return hash.finalize()
    }

    private func append(_ entry: Salvor_V1_QuarantineEntry) throws(AgentError) {
        let manifest = Self.manifest(in: path)
        let bytes: [UInt8]
        do { bytes = try entry.serializedBytes() } catch {
            throw AgentError(
                .quarantineDamaged, "The entry of \(manifest) cannot be written. Nothing was deleted.",
                next: "Report this: it is a defect of the agent.", cause: error)
        }
        let length = UInt32(bytes.count)
        let framed = (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + bytes
        let file = try Descriptor.open(manifest, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW)
        try file.write(framed[...], to: manifest)
        try file.synchronize(manifest)
        try Descriptor.open(path, O_RDONLY | O_DIRECTORY).synchronize(path)
    }

    private static func digest(of copy: String) throws(AgentError) -> Digest {
        var content = ContentReader(try Descriptor.open(copy, O_RDONLY), name: copy)
        var hash = SHA256()
        while let chunk = try content.next() { hash.update(chunk) }
        return hash.finalize()
    }
}
