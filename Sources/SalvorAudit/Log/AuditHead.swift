package import SalvorDigest

/// Where a log ends: what the journal keeps, so that a log whose end was cut off does not pass for a whole one.
package struct AuditHead: Hashable, Sendable, Codable {
    /// Records in the log.
    package var count: UInt64
    /// SHA-256 of the last record; 32 zero bytes where there is none.
    package var sha256: Digest

    package init(count: UInt64, sha256: Digest) {
        self.count = count
        self.sha256 = sha256
    }

    /// Of a log without records.
    package static let empty: AuditHead = {
        guard let zero = Digest(bytes: [UInt8](repeating: 0, count: Digest.byteCount)) else {
            preconditionFailure("a digest of another length")
        }
        return AuditHead(count: 0, sha256: zero)
    }()
}
