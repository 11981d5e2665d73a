package import SalvorAudit
package import SalvorDigest

/// A declarative repair: what to find, how to judge it, what the verdict leads to.
package struct Recipe: Hashable, Sendable {
    package var name: String
    package var version: UInt32
    package var rules: [Rule]
    package var volume: VolumePolicy
    package var requires = Requirements()
    /// For people.
    package var description = ""
    /// What the operator agreed to, of what the recipe may do with consent alone.
    package var granted: Set<Consent> = []
    /// SHA-256 of the file as it was read: goes into journal and report.
    package var sha256: Digest

    package struct Rule: Hashable, Sendable {
        package var id: String
        /// Folder below the volume's root, components in order; `*` and `?` in a component as in a name.
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
        /// Every file that matches is ``Verdict/faulty``, whatever is in it; nothing else is asked then.
        package var everyFile = false
        package var minimumBytes: UInt64?
        package var maximumBytes: UInt64?
    }

    /// Which installations it is for.
    package struct Requirements: Hashable, Sendable {
        package var buildFrom: UInt32?
        package var buildBefore: UInt32?
        /// A CrowdStrike sensor is installed.
        package var falcon = false

        package init() {}
    }

    /// In which states beyond clean a volume is repaired.
    package struct VolumePolicy: Hashable, Sendable {
        /// The open log of a machine that stopped in a bugcheck may be reset.
        package var resetsLog = false
        /// A volume that Windows would check at its next start may be repaired before.
        package var repairsDirty = false
        /// hiberfil.sys and the session in it may be given up, with ``Consent/discardHibernation``.
        package var discardsHibernation = false

        package init() {}
    }

    /// A loss that no recipe can decide on: the operator agrees to it by name.
    package enum Consent: String, Hashable, Sendable, CaseIterable {
        case discardHibernation = "discard-hibernation"

        /// What is lost.
        package var loss: String {
            switch self {
            case .discardHibernation:
                "hiberfil.sys is removed, and with it the session that Windows kept: what its programs had not saved is lost"
            }
        }
    }

    package enum Verdict: String, Hashable, Sendable, CaseIterable {
        case faulty, corrected, zeroed, unknown
    }

    package enum Action: String, Hashable, Sendable, CaseIterable {
        case keep
        case quarantineAndDelete = "quarantine-and-delete"
    }
}
