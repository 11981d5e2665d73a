#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif
internal import SalvorAudit
internal import SalvorDigest
package import SalvorMessages
internal import SalvorSystem
internal import Synchronization

/// Keeps what was taken from one machine: each file under the SHA-256 of its content, its path in the manifest alone.
package actor QuarantineStore: QuarantineSink {
    /// Everything that a peer can make this machine hold.
    package struct Limits: Hashable, Sendable {
        package var files = 10_000
        package var bytes: UInt64 = 4 << 30
        package var securityDescriptorBytes = 64 << 10
        /// NTFS allows 32,767 UTF-16 units in a path.
        package var pathBytes = 128 << 10

        package init() {}
    }

    private struct Incoming {
        let file: QuarantineManifest.File
        let descriptor: Int32
        var hash: SHA256Box
        var received: UInt64 = 0
    }

    package static let manifestName = "manifest.json"
    private static let incomingName = ".incoming"

    private let folder: String
    private let limits: Limits
    private var manifest: QuarantineManifest
    private var incoming: Incoming?
    private var bytes: UInt64 = 0

    package init(folder: String, run: String, machine: String, limits: Limits = Limits()) {
        self.folder = folder
        self.limits = limits
        manifest = QuarantineManifest(run: run, machine: machine, files: [])
    }

    deinit {
        guard let incoming else { return }
        close(incoming.descriptor)
        unlink("\(folder)/\(Self.incomingName)")
    }

    /// The files that are stored, checked and on the disk.
    package var files: [QuarantineManifest.File] { manifest.files }

    /// What is stored stays: it has the same names when it comes again.
    package func restart() {
        if let incoming {
            close(incoming.descriptor)
            unlink("\(folder)/\(Self.incomingName)")
        }
        incoming = nil
        manifest.files = []
        bytes = 0
    }

    package func begin(_ entry: Salvor_V1_QuarantineEntry) async throws(CoordinatorError) {
        try await finishIncoming()
        guard manifest.files.count < limits.files else {
            throw full("more than \(limits.files) files")
        }
        guard entry.sizeBytes <= limits.bytes - bytes else { throw full("more than \(limits.bytes) bytes") }
        guard let digest = Digest(bytes: entry.sha256) else {
            throw mismatch("An entry of the quarantine has no SHA-256.")
        }
        guard entry.securityDescriptor.count <= limits.securityDescriptorBytes,
            entry.path.reduce(0, { $0 + $1.utf8.count }) <= limits.pathBytes
        else { throw mismatch("An entry of the quarantine has a path or a security descriptor of impossible length.") }
        let file = QuarantineManifest.File(
            path: GuestPath(entry.path), volumeNumber: entry.volumeNumber, sizeBytes: entry.sizeBytes, sha256: digest,
            times: AuditEvent.FileTimes(entry.times), attributes: entry.attributes,
            securityDescriptor: hexadecimal(entry.securityDescriptor), storedAs: "\(digest.hex).bin",
            action: entry.action == .unspecified ? nil : entry.action.auditCode,
            resultSHA256: Digest(bytes: entry.resultSha256))
        let folder = folder
        let descriptor = try await Blocking.run { () throws(CoordinatorError) in
            try PrivateFiles.makeFolder(folder)
            let path = "\(folder)/\(Self.incomingName)"
            unlink(path)
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw PrivateFiles.failure("\(path) cannot be made.", errno) }
            return descriptor
        }
        bytes += entry.sizeBytes
        incoming = Incoming(file: file, descriptor: descriptor, hash: SHA256Box())
    }

    package func append(_ data: [UInt8]) async throws(CoordinatorError) {
        guard let current = incoming else { throw mismatch("Data of the quarantine came before its entry.") }
        guard UInt64(data.count) <= current.file.sizeBytes - current.received else {
            throw mismatch("\(current.file.path.display) is longer than its entry says.")
        }
        let path = "\(folder)/\(Self.incomingName)"
        let descriptor = current.descriptor
        try await Blocking.run { () throws(CoordinatorError) in
            try PrivateFiles.writeAll(data, to: descriptor, path: path)
        }
        current.hash.update(data)
        incoming?.received += UInt64(data.count)
    }

    /// What an earlier repair of the machine left in the folder stays in the manifest.
    package func end() async throws(CoordinatorError) {
        try await finishIncoming()
        let folder = folder
        var whole = manifest
        whole.files = try await Self.files(in: folder).filter { !manifest.files.contains($0) } + manifest.files
        let text: String
        do {
            text = try JSONText.encode(whole, indented: true)
        } catch {
            throw CoordinatorError(wrapping: error, doing: "Writing the quarantine's manifest")
        }
        try await Blocking.run { () throws(CoordinatorError) in
            try PrivateFiles.makeFolder(folder)
            try PrivateFiles.replace("\(folder)/\(Self.manifestName)", with: Array((text + "\n").utf8))
        }
    }

    /// What a folder holds, of all repairs of its machine in one run.
    static func files(in folder: String) async throws(CoordinatorError) -> [QuarantineManifest.File] {
        let path = "\(folder)/\(manifestName)"
        return try await Blocking.run { () throws(CoordinatorError) in
            guard let bytes = try PrivateFiles.read(path, limit: 64 << 20) else { return [] }
            do {
                let earlier: QuarantineManifest = try JSONText.decode(from: String(decoding: bytes, as: UTF8.self))
                return earlier.files
            } catch {
                throw CoordinatorError(
                    .state, "The quarantine's manifest \(path) cannot be read, so that no other is written over it.",
                    nextStep: "Move it away and keep it, then resume the run.", cause: error)
            }
        }
    }

    private func finishIncoming() async throws(CoordinatorError) {
        guard let current = incoming else { return }
        incoming = nil
        let folder = folder
        let descriptor = current.descriptor
        let storedAs = current.file.storedAs
        let finished = current.received == current.file.sizeBytes
        let matches = finished && current.hash.finalize() == current.file.sha256
        try await Blocking.run { () throws(CoordinatorError) in
            defer { close(descriptor) }
            let temporary = "\(folder)/\(Self.incomingName)"
            guard matches else {
                unlink(temporary)
                return
            }
            guard fsync(descriptor) == 0 else {
                throw PrivateFiles.failure("\(temporary) did not reach the disk.", errno)
            }
            guard rename(temporary, "\(folder)/\(storedAs)") == 0 else {
                throw PrivateFiles.failure("\(folder)/\(storedAs) cannot be made.", errno)
            }
            try PrivateFiles.syncFolder(folder)
        }
        guard matches else {
            throw mismatch(
                finished
                    ? "\(current.file.path.display) arrived with another SHA-256 than its entry says."
                    : "\(current.file.path.display) ended after \(current.received) of \(current.file.sizeBytes) bytes."
            )
        }
        manifest.files.append(current.file)
    }

    private func mismatch(_ what: String) -> CoordinatorError {
        CoordinatorError(
            .quarantineMismatch, "\(what) The file was not stored, and the repair copy is not used.",
            nextStep: "Repeat the rescue of \(printable(manifest.machine)); its original disk is as it was.")
    }

    private func full(_ what: String) -> CoordinatorError {
        CoordinatorError(
            .noSpace, "The quarantine of \(printable(manifest.machine)) would hold \(what).",
            nextStep: "Narrow the recipe; no recipe that repairs takes that much.")
    }
}

/// The hash has no copies, and the state that holds it is copied.
private final class SHA256Box: Sendable {
    private let hash = Mutex<SHA256?>(SHA256())

    func update(_ data: [UInt8]) { hash.withLock { $0?.update(data) } }

    /// nil the second time.
    func finalize() -> Digest? { hash.withLock { $0.take()?.finalize() } }
}

extension AuditEvent.FileTimes {
    init(_ times: Salvor_V1_FileTimes) {
        self.init(
            created: NTFSTime(intervals: times.created), modified: NTFSTime(intervals: times.modified),
            mftChanged: NTFSTime(intervals: times.mftChanged), accessed: NTFSTime(intervals: times.accessed))
    }
}
