package import SalvorAudit
package import SalvorDigest

/// A declarative repair: what to find, how to judge it, what the verdict leads to.
package struct Recipe: Hashable, Sendable {
    package var name: String
    package var version: UInt32
    package var rules: [Rule]
    /// The open log of a machine that stopped in a bugcheck may be reset by mounting it read-write.
    package var resetsLog: Bool
    /// SHA-256 of the file as it was read: goes into journal and report.
    package var sha256: Digest

    package struct Rule: Hashable, Sendable {
        package var id: String
        /// Folder below the volume's root, components in order.
        package var folder: [String]
        /// `*` any run, `?` any one character.
        package var namePattern: String
        package var judgement: Judgement
        package var actions: [Verdict: Action]
    }

    /// A file whose bytes are all zero is ``Verdict/zeroed``, whatever else holds; then digests decide, then the header,
    /// then the last-write time.
    package struct Judgement: Hashable, Sendable {
        /// At most 16 bytes; empty for any.
        package var header: [UInt8] = []
        /// Older files are ``Verdict/unknown``.
        package var faultyFrom: NTFSTime?
        package var faultyBefore: NTFSTime?
        package var correctedFrom: NTFSTime?
        package var faultySHA256: [Digest] = []
        package var correctedSHA256: [Digest] = []
    }

    package enum Verdict: String, Hashable, Sendable, CaseIterable {
        case faulty, corrected, zeroed, unknown
    }

    package enum Action: String, Hashable, Sendable, CaseIterable {
        case keep
        case quarantineAndDelete = "quarantine-and-delete"
    }
}
