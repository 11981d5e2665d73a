package import SalvorAudit
package import SalvorDigest

/// What one machine's quarantine holds, so that each file can be put back as it was.
package struct QuarantineManifest: Hashable, Sendable, Codable {
    package static let currentVersion = 1

    package var version = currentVersion
    package var run: String
    package var machine: String
    package var files: [File]

    package struct File: Hashable, Sendable, Codable {
        /// Components below the volume's root. A stranger's names: never used as a path on this machine.
        package var path: GuestPath
        package var volumeNumber: UInt32
        package var sizeBytes: UInt64
        package var sha256: Digest
        package var times: AuditEvent.FileTimes
        /// FILE_ATTRIBUTE_* bits.
        package var attributes: UInt32
        /// Self-relative, two lower-case hexadecimal digits a byte; empty where it could not be read.
        package var securityDescriptor: String
        /// Its name in the quarantine's folder.
        package var storedAs: String
        /// Why it was taken: quarantineAndDelete, quarantineAndWrite, collect. Absent in what older versions wrote: deleted.
        package var action: AuditEvent.FileAction?
        /// Of a file that was written over: the SHA-256 of what it holds since.
        package var resultSHA256: Digest?
    }
}
