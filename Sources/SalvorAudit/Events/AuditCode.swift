/// An open set of names: a reader keeps one that it does not know, and treats it as the least favourable that it does.
package protocol AuditCode: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible
where RawValue == String {
    init(rawValue: String)
}

extension AuditCode {
    package var description: String { rawValue }
}

/// Who caused an event.
package struct AuditActor: AuditCode {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    package static let coordinator = AuditActor(rawValue: "coordinator")
    package static let agent = AuditActor(rawValue: "agent")
    package static let `operator` = AuditActor(rawValue: "operator")
}

extension AuditEvent {
    /// What a matched file was judged to be.
    package struct FileVerdict: AuditCode {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        package static let faulty = FileVerdict(rawValue: "faulty")
        package static let corrected = FileVerdict(rawValue: "corrected")
        package static let zeroed = FileVerdict(rawValue: "zeroed")
        package static let unknown = FileVerdict(rawValue: "unknown")
        /// There is no such file.
        package static let missing = FileVerdict(rawValue: "missing")
    }

    /// What the verdict leads to.
    package struct FileAction: AuditCode {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        package static let keep = FileAction(rawValue: "keep")
        package static let quarantineAndDelete = FileAction(rawValue: "quarantineAndDelete")
        package static let quarantineAndWrite = FileAction(rawValue: "quarantineAndWrite")
        /// Copied, and left as it is.
        package static let collect = FileAction(rawValue: "collect")
    }

    package struct VolumeState: AuditCode {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        package static let clean = VolumeState(rawValue: "clean")
        /// The dirty bit is set: Windows checks the volume at its next start.
        package static let dirty = VolumeState(rawValue: "dirty")
        package static let chkdskScheduled = VolumeState(rawValue: "chkdskScheduled")
        /// Not shut down cleanly: `$LogFile` was not closed.
        package static let logOpen = VolumeState(rawValue: "logOpen")
        package static let fastStartup = VolumeState(rawValue: "fastStartup")
        package static let hibernated = VolumeState(rawValue: "hibernated")
        package static let locked = VolumeState(rawValue: "locked")
        package static let corrupt = VolumeState(rawValue: "corrupt")
    }

    /// How work on one machine ended.
    package struct OutcomeKind: AuditCode {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        package static let repaired = OutcomeKind(rawValue: "repaired")
        /// Files were copied to the operator, and nothing was changed.
        package static let collected = OutcomeKind(rawValue: "collected")
        package static let nothingToRepair = OutcomeKind(rawValue: "nothingToRepair")
        package static let locked = OutcomeKind(rawValue: "locked")
        /// Encrypted in a way, or a state, that no key opens.
        package static let cannotUnlock = OutcomeKind(rawValue: "cannotUnlock")
        package static let unclean = OutcomeKind(rawValue: "unclean")
        package static let notWindows = OutcomeKind(rawValue: "notWindows")
        package static let ambiguous = OutcomeKind(rawValue: "ambiguous")
        /// The disk's Windows has another computer name than the machine.
        package static let otherMachine = OutcomeKind(rawValue: "otherMachine")
        package static let failed = OutcomeKind(rawValue: "failed")
        /// Scan only: there is something that a rescue would repair.
        package static let repairable = OutcomeKind(rawValue: "repairable")
        /// Stepwise: the copy is on a rescue VM, and nothing was changed on it yet.
        package static let created = OutcomeKind(rawValue: "created")
        /// Stepwise: the copy is repaired, and not the machine's disk yet.
        package static let copyRepaired = OutcomeKind(rawValue: "copyRepaired")
        /// The original disk was put back.
        package static let rolledBack = OutcomeKind(rawValue: "rolledBack")
    }

    package struct BootVerdict: AuditCode {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        package static let booted = BootVerdict(rawValue: "booted")
        package static let failed = BootVerdict(rawValue: "failed")
        package static let notProven = BootVerdict(rawValue: "notProven")
    }
}
