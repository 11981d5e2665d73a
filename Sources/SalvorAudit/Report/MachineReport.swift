package import SalvorDigest

/// What a run found on one machine and did to it.
package struct MachineReport: Hashable, Sendable, Codable {
    package var name: String
    package var definition: String?
    package var disk: AuditEvent.DiskIdentity?
    package var details: [String: String] = [:]
    /// SHA-256 of the original disk's container when the run first looked, where it was computed.
    package var originalSHA256: Digest?
    /// The same when the run last looked, where it looked more than once.
    package var originalSHA256After: Digest?
    package var copy: AuditEvent.CopyMade?
    package var attachment: Attachment?
    package var installations: [AuditEvent.WindowsFound] = []
    package var files: [FileReport] = []
    package var verifications: [AuditEvent.Verified] = []
    /// What was done, in order, in sentences.
    package var actions: [Action] = []
    package var steps: [StepReport] = []
    /// The swap that holds: nil where none was made or it was undone.
    package var swap: AuditEvent.Swapped?
    package var bootProof: BootProof?
    package var outcome: AuditEvent.Outcome?

    /// How the repair copy was seen by the agent.
    package struct Attachment: Hashable, Sendable, Codable {
        package var host: String?
        package var address: String
        package var device: String?
    }

    package struct Action: Hashable, Sendable, Codable {
        package var time: WallTime
        package var text: String
    }

    package struct BootProof: Hashable, Sendable, Codable {
        package var verdict: AuditEvent.BootVerdict
        package var evidence: String
        package var milliseconds: UInt64
        package var consoleLog: String?
        package var time: WallTime
    }

    init(name: String) { self.name = name }

    /// Repaired, started, and seen to boot.
    package var bootIsProven: Bool { outcome?.kind == .repaired && bootProof?.verdict == .booted }
}

/// A file that a rule matched: what it is, what was made of it, and what became of it.
package struct FileReport: Hashable, Sendable, Codable {
    package var rule: String
    package var volumeNumber: UInt32
    package var path: GuestPath
    package var sizeBytes: UInt64
    package var sha256: Digest
    /// The file's first bytes in hexadecimal.
    package var header: String
    package var times: AuditEvent.FileTimes
    package var verdict: AuditEvent.FileVerdict
    package var reason: String
    package var action: AuditEvent.FileAction
    /// Where a copy of it is, nil where none was taken.
    package var quarantinedAt: String?
    package var deletedAt: WallTime?
    package var writtenAt: WallTime?
    /// What it holds since.
    package var resultSHA256: Digest?
}
