internal import SalvorAudit

/// How work on one machine ended.
package struct MachineOutcome: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// Repaired, swapped, and seen to boot.
        case repaired
        /// Repaired and swapped; neither a boot nor its failure was seen.
        case bootNotProven
        /// Repaired and swapped, and seen to fail.
        case bootFailed
        /// Stepwise: the copy is on a rescue VM whose agent has called.
        case created
        /// Stepwise: the copy is repaired, verified, and not the machine's disk yet.
        case copyRepaired
        /// Scan only: a rescue would repair something.
        case repairable
        /// Files were copied to the operator, or would be by a rescue; nothing was changed.
        case collected
        case nothingToRepair
        case locked
        /// Encrypted in a way, or a state, that no key opens.
        case cannotUnlock
        case unclean
        case notWindows
        case ambiguous
        /// Windows on the disk has another computer name than the machine.
        case otherMachine
        /// The operator said no.
        case declined
        case rolledBack
        case failed
    }

    package var kind: Kind
    /// What happened, and what was left in which state.
    package var message: String
    /// What the operator can do next; empty where there is nothing to do.
    package var nextStep: String
    /// The step that failed, for ``Kind/failed``.
    package var failedStep: StepName?
    /// The code of the error that the step failed with.
    package var errorCode: CoordinatorError.Code?
    /// Whether any byte of the repair copy may have been changed. The original never is.
    package var copyChanged: Bool

    package init(
        _ kind: Kind, _ message: String, nextStep: String = "", failedStep: StepName? = nil,
        errorCode: CoordinatorError.Code? = nil, copyChanged: Bool = false
    ) {
        self.kind = kind
        self.message = message
        self.nextStep = nextStep
        self.failedStep = failedStep
        self.errorCode = errorCode
        self.copyChanged = copyChanged
    }
}

extension MachineOutcome {
    var auditEvent: AuditEvent {
        .outcome(
            AuditEvent.Outcome(
                kind: AuditEvent.OutcomeKind(rawValue: kind.rawValue), message: message,
                nextStep: nextStep.isEmpty ? nil : nextStep, failedStep: failedStep?.rawValue, diskChanged: copyChanged)
        )
    }
}
