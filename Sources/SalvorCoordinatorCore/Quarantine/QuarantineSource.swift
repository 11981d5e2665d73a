internal import Foundation
internal import SalvorAudit
internal import SalvorDigest
internal import SalvorMessages
internal import SalvorSystem

/// What a run took from one machine, to be put back.
package struct QuarantineSource: Sendable {
    /// Without what was only collected.
    package let files: [QuarantineManifest.File]
    private let folder: String

    private static let chunkBytes = 256 << 10
    private static let manifestLimit = 64 << 20

    /// - Throws: ``CoordinatorError/Code/state`` where there is nothing that could be put back, or it cannot be read.
    package static func open(
        _ folder: String, run: String, machine: String
    ) async throws(CoordinatorError) -> QuarantineSource {
        let path = "\(folder)/\(QuarantineStore.manifestName)"
        return try await Blocking.run { () throws(CoordinatorError) in
            guard let bytes = try PrivateFiles.read(path, limit: manifestLimit) else {
                throw CoordinatorError(
                    .state, "Run \(run) took nothing from \(printable(machine)), so there is nothing to put back.",
                    nextStep: "“salvor report \(run)” says what the run did.")
            }
            let manifest: QuarantineManifest
            do {
                manifest = try JSONText.decode(from: String(decoding: bytes, as: UTF8.self))
            } catch {
                throw CoordinatorError(
                    .state, "The quarantine's manifest \(path) cannot be read. Nothing was changed.",
                    nextStep: "“salvor rollback \(run)” puts the original disk back.", cause: error)
            }
            let files = manifest.files.filter { $0.action != .collect }
            guard !files.isEmpty else {
                throw CoordinatorError(
                    .state, "Run \(run) changed no file of \(printable(machine)), so there is nothing to put back.",
                    nextStep: "“salvor report \(run)” says what the run did.")
            }
            return QuarantineSource(files: files, folder: folder)
        }
    }

    private init(files: [QuarantineManifest.File], folder: String) {
        self.files = files
        self.folder = folder
    }

    /// Reads a file's content in chunks.
    func read(_ file: QuarantineManifest.File, _ body: ([UInt8]) async throws -> Void) async throws {
        // The name is a digest that this machine wrote; what a manifest was changed to leads nowhere else.
        let path = "\(folder)/\(file.sha256.hex).bin"
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? handle.close() }
        while let chunk = try handle.read(upToCount: Self.chunkBytes), !chunk.isEmpty { try await body([UInt8](chunk)) }
    }
}

extension Salvor_V1_QuarantineEntry {
    init(_ file: QuarantineManifest.File) {
        self.init()
        path = file.path.components
        volumeNumber = file.volumeNumber
        sizeBytes = file.sizeBytes
        sha256 = Data(file.sha256.bytes)
        times.created = file.times.created.intervals
        times.modified = file.times.modified.intervals
        times.mftChanged = file.times.mftChanged.intervals
        times.accessed = file.times.accessed.intervals
        attributes = file.attributes
        securityDescriptor = Data(hexadecimal: file.securityDescriptor) ?? Data()
        action = file.action == .quarantineAndWrite ? .quarantineAndWrite : .quarantineAndDelete
        resultSha256 = Data(file.resultSHA256?.bytes ?? [])
    }
}

extension Data {
    fileprivate init?(hexadecimal text: String) {
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == text.count, digits.count.isMultiple(of: 2) else { return nil }
        self.init(stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) })
    }
}
