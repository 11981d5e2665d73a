internal import SalvorAudit
internal import SalvorDigest
internal import SalvorMessages

extension Salvor_V1_ScanResponse {
    /// The findings of files that an apply would delete or write.
    var toChange: [Salvor_V1_Finding] {
        findings.filter { $0.action == .quarantineAndDelete || $0.action == .quarantineAndWrite }
    }

    /// The findings of files whose copies come to the operator.
    var toTake: [Salvor_V1_Finding] { findings.filter { $0.action != .keep && $0.verdict != .missing } }

    /// What else a repair does to the volumes that it changes, because of how they were left.
    var volumeChanges: [String] {
        let changed = Set(toChange.map(\.volumeNumber))
        return installations.filter { changed.contains($0.volumeNumber) }.compactMap { installation in
            switch installation.volumeState {
            case .logOpen: "Volume \(installation.volumeNumber) was not shut down cleanly: its log will be reset."
            case .hibernated, .fastStartup:
                "Volume \(installation.volumeNumber) is hibernated: \(Recipe.Consent.discardHibernation.loss)."
            default: nil
            }
        }
    }

    var auditEvents: [AuditEvent] {
        installations.map { installation in
            .windowsFound(
                AuditEvent.WindowsFound(
                    volumeNumber: installation.volumeNumber, partitionGUID: installation.partitionGuid,
                    state: installation.volumeState.auditCode, systemRoot: GuestPath(installation.systemRoot),
                    identity: installation.hasFacts ? WindowsIdentity(installation.facts) : nil))
        } + findings.map(\.auditEvent)
    }
}

extension WindowsIdentity {
    fileprivate init(_ facts: Salvor_V1_WindowsFacts) {
        self.init()
        computerName = printable(facts.computerName.prefix(256))
        product = printable(facts.productName.prefix(256))
        build = facts.build == 0 ? "" : "\(facts.build).\(facts.revision)"
        falconVersion = printable(facts.falconVersion.prefix(256))
        pendingReboot = facts.pendingReboot.prefix(16).map { printable($0.prefix(256)) }
        scheduledChecks = facts.scheduledChecks.prefix(16).map { printable($0.prefix(256)) }
        hives = facts.hives.prefix(16).map {
            Hive(name: printable($0.name.prefix(64)), state: $0.state.text, detail: printable($0.detail.prefix(1000)))
        }
        problem = printable(facts.problem.prefix(2000))
        safeBoot = facts.safeBoot.text
    }
}

extension Salvor_V1_SafeBootState {
    fileprivate var text: String? {
        switch self {
        case .unspecified: nil
        case .off: "off"
        case .minimal: "minimal"
        case .network: "network"
        case .other: "other"
        case .unreadable: "unreadable"
        case .UNRECOGNIZED(let number): "unrecognized-\(number)"
        }
    }
}

extension Salvor_V1_HiveHealth.State {
    fileprivate var text: String {
        switch self {
        case .clean: "clean"
        case .recovered: "recovered"
        case .unrecovered: "unrecovered"
        case .corrupt: "corrupt"
        case .missing: "missing"
        case .unspecified: "unspecified"
        case .UNRECOGNIZED(let number): "unrecognized-\(number)"
        }
    }
}

extension Salvor_V1_Finding {
    /// 32 zero bytes where the agent gave none that is one.
    var digest: Digest { Digest(bytes: sha256) ?? AuditHead.empty.sha256 }

    var auditEvent: AuditEvent {
        .fileJudged(
            AuditEvent.FileJudged(
                rule: ruleID, volumeNumber: volumeNumber, path: GuestPath(path), sizeBytes: sizeBytes, sha256: digest,
                header: header.prefix(16), times: AuditEvent.FileTimes(times), verdict: verdict.auditCode,
                reason: reason, action: action.auditCode, resultSHA256: Digest(bytes: resultSha256)))
    }
}

extension Salvor_V1_ApplyEvent {
    /// What the event adds to the audit log: effects and what was seen, not the agent's own steps. A file that the agent
    /// took into its quarantine is recorded once it is stored on this side.
    var auditEvents: [AuditEvent] {
        switch event {
        case .deleted(let file): [.fileDeleted(AuditEvent.FileDeleted(path: GuestPath(file.path)))]
        case .written(let file):
            [
                .fileWritten(
                    AuditEvent.FileWritten(
                        path: GuestPath(file.path), sizeBytes: file.sizeBytes,
                        sha256: Digest(bytes: file.sha256) ?? AuditHead.empty.sha256))
            ]
        case .volumeChanged(let change):
            [.volumeChanged(AuditEvent.VolumeChanged(volumeNumber: change.volumeNumber, what: change.what))]
        case .verified(let volume):
            [
                .verified(
                    AuditEvent.Verified(
                        volumeNumber: volume.volumeNumber, absentFiles: volume.absentFiles,
                        unchangedFiles: volume.unchangedFiles, tablesUnchanged: volume.tablesUnchanged,
                        writtenFiles: volume.writtenFiles))
            ]
        default: []
        }
    }

    /// What somebody who watches wants to see; nil for what says nothing.
    var progressDetail: String? {
        switch event {
        case .stepStarted(let started): started.step.word
        case .quarantined(let file): "quarantined \(GuestPath(file.path).display)"
        case .deleted(let file): "deleted \(GuestPath(file.path).display)"
        case .written(let file): "wrote \(GuestPath(file.path).display)"
        case .volumeChanged(let change): printable(change.what.prefix(200))
        default: nil
        }
    }
}

extension Salvor_V1_Step {
    fileprivate var word: String? {
        switch self {
        case .select: "select"
        case .mount: "mount"
        case .match: "match"
        case .quarantine: "quarantine"
        case .delete: "delete"
        case .write: "write"
        case .flush: "flush"
        case .verify: "verify"
        case .unspecified, .UNRECOGNIZED: nil
        }
    }
}

extension Salvor_V1_Verdict {
    var auditCode: AuditEvent.FileVerdict {
        switch self {
        case .faulty: .faulty
        case .corrected: .corrected
        case .zeroed: .zeroed
        case .missing: .missing
        case .unknown, .unspecified, .UNRECOGNIZED: .unknown
        }
    }
}

extension Salvor_V1_Action {
    var auditCode: AuditEvent.FileAction {
        switch self {
        case .keep, .unspecified: .keep
        case .quarantineAndDelete: .quarantineAndDelete
        case .quarantineAndWrite: .quarantineAndWrite
        case .collect: .collect
        case .UNRECOGNIZED(let number): AuditEvent.FileAction(rawValue: "unrecognized-\(number)")
        }
    }
}

extension Salvor_V1_VolumeState {
    fileprivate var auditCode: AuditEvent.VolumeState {
        switch self {
        case .clean: .clean
        case .dirty: .dirty
        case .chkdskScheduled: .chkdskScheduled
        case .logOpen: .logOpen
        case .fastStartup: .fastStartup
        case .hibernated: .hibernated
        case .locked: .locked
        case .corrupt: .corrupt
        case .unspecified: AuditEvent.VolumeState(rawValue: "unspecified")
        case .UNRECOGNIZED(let number): AuditEvent.VolumeState(rawValue: "unrecognized-\(number)")
        }
    }
}

extension MachineOutcome {
    /// What the agent said of its work on one disk.
    init(_ outcome: Salvor_V1_Outcome, during step: StepName) {
        let message = printable(outcome.message.prefix(2000))
        let nextStep = printable(outcome.nextStep.prefix(1000))
        let changed = outcome.diskChanged
        switch outcome.kind {
        case .repairable: self.init(.repairable, message, nextStep: nextStep, copyChanged: changed)
        case .collected: self.init(.collected, message, nextStep: nextStep, copyChanged: changed)
        case .nothingToRepair: self.init(.nothingToRepair, message, nextStep: nextStep, copyChanged: changed)
        case .locked: self.init(.locked, message, nextStep: nextStep, copyChanged: changed)
        case .cannotUnlock: self.init(.cannotUnlock, message, nextStep: nextStep, copyChanged: changed)
        case .unclean: self.init(.unclean, message, nextStep: nextStep, copyChanged: changed)
        case .notWindows: self.init(.notWindows, message, nextStep: nextStep, copyChanged: changed)
        case .ambiguous: self.init(.ambiguous, message, nextStep: nextStep, copyChanged: changed)
        case .failed:
            let failedStep = outcome.failedStep.isEmpty ? "" : " (at \(printable(outcome.failedStep.prefix(100))))"
            self.init(
                .failed, "\(message)\(failedStep)", nextStep: nextStep, failedStep: step, errorCode: .failed,
                copyChanged: changed)
        case .repaired, .unspecified, .UNRECOGNIZED:
            // A scan repairs nothing, and an apply's success is taken before: this is an answer out of place.
            self.init(
                .failed, "The agent answered \(step.rawValue) with an outcome that does not belong there: \(message)",
                nextStep: "Build the rescue image with this Salvor (salvor image build).", failedStep: step,
                errorCode: .agentFault, copyChanged: changed)
        }
    }
}
