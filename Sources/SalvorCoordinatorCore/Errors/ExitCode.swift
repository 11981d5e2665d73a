/// What `salvor` says to its shell. This table is the one place where the numbers are given a meaning.
package enum ExitCode: Int32, Sendable, CaseIterable {
    case success = 0
    case unexpected = 1
    case noSuchMachine = 3
    case invalidInput = 4
    case toolMissing = 5
    case imageMissing = 6
    case diskUnusable = 7
    case runBusy = 8
    case stateUnusable = 9
    case someFailed = 10
    case failed = 11
    case locked = 12
    case notRepairable = 13
    case bootFailed = 14
    case bootNotProven = 15
    case declined = 16
    case agentLost = 17
    case noSpace = 18
    case usage = 64
    case interrupted = 130

    /// One line for the README and for `--help`.
    package var summary: String {
        switch self {
        case .success: "every machine is as asked: repaired and booted, scanned, or with nothing to repair"
        case .unexpected: "Salvor failed in a way that has no number of its own"
        case .noSuchMachine: "no machine, or no run, of that name"
        case .invalidInput: "a recipe, a key file, a machine's definition or an option has a mistake"
        case .toolMissing: "a program that Salvor needs is not installed (salvor doctor)"
        case .imageMissing: "the rescue image has not been built (salvor image build)"
        case .diskUnusable: "a disk is missing, unreadable, damaged or in use by another process"
        case .runBusy: "another salvor drives this run"
        case .stateUnusable: "Salvor's journal, audit log or state folder cannot be used"
        case .someFailed: "the machines ended in different ways, at least one of them not as asked"
        case .failed: "a step failed; the machine has its original disk unless the outcome says otherwise"
        case .locked: "the volume is encrypted by BitLocker, and no key that was given opens it"
        case .notRepairable:
            "no Windows, more than one that fits, another machine's, or a volume that cannot be repaired or unlocked as it is"
        case .bootFailed: "the repaired machine was seen to fail at boot; its original disk was put back"
        case .bootNotProven: "repaired, but the boot was not proven before the deadline"
        case .declined: "the operator said no; nothing was changed"
        case .agentLost: "the rescue VM or its agent did not come up, or was lost"
        case .noSpace: "no room left for a copy or the quarantine"
        case .usage: "the command line is wrong"
        case .interrupted: "interrupted; salvor resume RUN finishes it"
        }
    }

    /// How a command ends that could not do its work at all.
    package init(_ error: CoordinatorError) {
        switch error.code {
        case .noSuchMachine, .noSuchRun: self = .noSuchMachine
        case .runBusy: self = .runBusy
        case .declined: self = .declined
        case .interrupted: self = .interrupted
        case .invalidRecipe, .invalidDefinition, .invalidKeys: self = .invalidInput
        case .toolMissing: self = .toolMissing
        case .imageMissing: self = .imageMissing
        case .diskUnusable: self = .diskUnusable
        case .noSpace: self = .noSpace
        case .agentGone, .agentTimedOut, .agentFault: self = .agentLost
        case .state: self = .stateUnusable
        case .agentRefused, .quarantineMismatch, .verificationFailed, .conflict, .timedOut, .unsupported, .failed,
            .runEnded:
            self = .failed
        default: self = .unexpected
        }
    }

    /// How a run ends whose machines ended like this.
    package init(outcomes: [MachineOutcome]) {
        let codes = Set(outcomes.map { $0.exitCode })
        switch codes.count {
        case 0: self = .success
        case 1: self = codes.first ?? .success
        default: self = .someFailed
        }
    }
}

extension MachineOutcome {
    /// What one machine's outcome means to the shell.
    package var exitCode: ExitCode {
        switch kind {
        case .repaired, .created, .copyRepaired, .repairable, .collected, .nothingToRepair, .rolledBack: .success
        case .bootNotProven: .bootNotProven
        case .bootFailed: .bootFailed
        case .locked: .locked
        case .unclean, .notWindows, .ambiguous, .cannotUnlock, .otherMachine: .notRepairable
        case .declined: .declined
        case .failed: errorCode.map { ExitCode(CoordinatorError($0, "", nextStep: "")) } ?? .failed
        }
    }
}
