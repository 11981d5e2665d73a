package import SalvorDigest

extension AuditEvent {
    /// A Windows installation on one volume of the repair copy.
    package struct WindowsFound: AuditPayload {
        package static let kind = "windowsFound"
        package static let announcesEffect = false
        package var volumeNumber: UInt32
        package var partitionGUID: String
        package var state: VolumeState
        package var systemRoot: GuestPath
        /// What its registry says; absent where the volume could not be looked into.
        package var identity: WindowsIdentity?

        package init(
            volumeNumber: UInt32, partitionGUID: String, state: VolumeState, systemRoot: GuestPath,
            identity: WindowsIdentity? = nil
        ) {
            self.volumeNumber = volumeNumber
            self.partitionGUID = partitionGUID
            self.state = state
            self.systemRoot = systemRoot
            self.identity = identity
        }
    }

    /// A file that a rule matched, and what was made of it.
    package struct FileJudged: AuditPayload {
        package static let kind = "fileJudged"
        package static let announcesEffect = false
        package var rule: String
        package var volumeNumber: UInt32
        package var path: GuestPath
        package var sizeBytes: UInt64
        package var sha256: Digest
        /// The file's first bytes, two lower-case hexadecimal digits each.
        package var header: String
        package var times: FileTimes
        package var verdict: FileVerdict
        package var reason: String
        package var action: FileAction
        /// Of a file that is written: what it holds afterwards.
        package var resultSHA256: Digest?

        package init(
            rule: String, volumeNumber: UInt32, path: GuestPath, sizeBytes: UInt64, sha256: Digest,
            header: some Sequence<UInt8>, times: FileTimes, verdict: FileVerdict, reason: String, action: FileAction,
            resultSHA256: Digest? = nil
        ) {
            self.resultSHA256 = resultSHA256
            self.rule = rule
            self.volumeNumber = volumeNumber
            self.path = path
            self.sizeBytes = sizeBytes
            self.sha256 = sha256
            self.header = hexadecimal(header)
            self.times = times
            self.verdict = verdict
            self.reason = reason
            self.action = action
        }
    }

    /// The four times of $STANDARD_INFORMATION.
    package struct FileTimes: Hashable, Sendable, Codable {
        package var created: NTFSTime
        package var modified: NTFSTime
        package var mftChanged: NTFSTime
        package var accessed: NTFSTime

        package init(created: NTFSTime, modified: NTFSTime, mftChanged: NTFSTime, accessed: NTFSTime) {
            self.created = created
            self.modified = modified
            self.mftChanged = mftChanged
            self.accessed = accessed
        }
    }

    /// A copy of the file, with its metadata, is where an operator can get it back from.
    package struct FileQuarantined: AuditPayload {
        package static let kind = "fileQuarantined"
        package var path: GuestPath
        package var sizeBytes: UInt64
        package var sha256: Digest
        package var storedAt: String

        package init(path: GuestPath, sizeBytes: UInt64, sha256: Digest, storedAt: String) {
            self.path = path
            self.sizeBytes = sizeBytes
            self.sha256 = sha256
            self.storedAt = storedAt
        }
    }

    package struct FileDeleted: AuditPayload {
        package static let kind = "fileDeleted"
        package var path: GuestPath

        package init(path: GuestPath) { self.path = path }
    }

    /// A file was written over, or made.
    package struct FileWritten: AuditPayload {
        package static let kind = "fileWritten"
        package var path: GuestPath
        package var sizeBytes: UInt64
        package var sha256: Digest

        package init(path: GuestPath, sizeBytes: UInt64, sha256: Digest) {
            self.path = path
            self.sizeBytes = sizeBytes
            self.sha256 = sha256
        }
    }

    /// A change to the volume that is not a change to a file, such as the reset of its log.
    package struct VolumeChanged: AuditPayload {
        package static let kind = "volumeChanged"
        package var volumeNumber: UInt32
        package var what: String

        package init(volumeNumber: UInt32, what: String) {
            self.volumeNumber = volumeNumber
            self.what = what
        }
    }

    /// What the read-only mount after the repair showed.
    package struct Verified: AuditPayload {
        package static let kind = "verified"
        package var volumeNumber: UInt32
        /// Files that were to go, and are gone.
        package var absentFiles: UInt32
        /// Files matched and kept, unchanged by SHA-256.
        package var unchangedFiles: UInt32
        /// Partition tables and boot code are byte for byte what they were.
        package var tablesUnchanged: Bool
        /// Files that were written, and hold what was to be written.
        package var writtenFiles: UInt32?

        package init(
            volumeNumber: UInt32, absentFiles: UInt32, unchangedFiles: UInt32, tablesUnchanged: Bool,
            writtenFiles: UInt32? = nil
        ) {
            self.writtenFiles = writtenFiles
            self.volumeNumber = volumeNumber
            self.absentFiles = absentFiles
            self.unchangedFiles = unchangedFiles
            self.tablesUnchanged = tablesUnchanged
        }
    }
}
