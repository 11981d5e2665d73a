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
    /// What its author wants the operator to agree to beside that, by name: the loss, in a sentence.
    package var ownConsents: [String: String] = [:]
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
        package var volumes = Volumes.windows
    }

    /// On which volumes a rule's folder is looked for.
    package enum Volumes: String, Hashable, Sendable, CaseIterable {
        case windows
        /// Where the boot manager lies: EFI system partitions, and every NTFS volume.
        case boot
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
        /// Every file that matches is ``Verdict/faulty``, whatever is in it; only its size is asked.
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
        case olderRegistry = "older-registry"

        /// What is lost.
        package var loss: String {
            switch self {
            case .discardHibernation:
                "hiberfil.sys is removed, and with it the session that Windows kept: what its programs had not saved is lost"
            case .olderRegistry:
                "a damaged registry hive is replaced by its backup in RegBack, and what was registered since it was made is lost"
            }
        }
    }

    package enum Verdict: String, Hashable, Sendable, CaseIterable {
        case faulty, corrected, zeroed, unknown
        /// There is no such file. Of rules that say what follows from it.
        case missing
    }

    /// What becomes of a file. What is deleted or written over is copied to quarantine first.
    package enum Action: Hashable, Sendable {
        case keep
        case quarantineAndDelete
        /// Copied to the operator, and left as it is.
        case collect
        case write([UInt8])
        /// A file of the same volume takes its place: components below the volume's root.
        case restore(from: [String])
        case repairHive
        case registry([ValueChange])
        case safeBoot(SafeBoot)
    }

    package enum SafeBoot: String, Hashable, Sendable, CaseIterable {
        case off, minimal, network
    }

    package struct ValueChange: Hashable, Sendable {
        /// Keys below the hive's root.
        package var key: [String]
        /// Empty for the key's default value.
        package var name: String
        /// nil for a value that is to go.
        package var value: Value?

        package enum Value: Hashable, Sendable {
            case text(String)
            case expandableText(String)
            case texts([String])
            case number(UInt32)
            case longNumber(UInt64)
            case binary([UInt8])
        }
    }
}
