/// How good a thing is, and so its colour; the words beside it say the same.
enum Tone {
    case good, neutral, caution, bad

    var `class`: StaticString {
        switch self {
        case .good: "badge good"
        case .neutral: "badge neutral"
        case .caution: "badge caution"
        case .bad: "badge bad"
        }
    }
}

/// What a report says in place of a code, for a reader who does not know the codes.
struct Wording {
    let label: String
    let tone: Tone
    /// For the glossary; empty where the label says it all.
    var meaning = ""
}

extension AuditEvent.OutcomeKind {
    private static let wordings: [Self: Wording] = [
        .repaired: Wording(
            label: "Repaired", tone: .good,
            meaning: "What the recipe looks for was found, removed, and seen to be gone."),
        .collected: Wording(
            label: "Collected", tone: .good,
            meaning: "Files were copied to the operator's machine. Nothing was changed."),
        .nothingToRepair: Wording(
            label: "Nothing to repair", tone: .caution,
            meaning: "Windows was found, and nothing on it that the recipe repairs. If the machine does not start, "
                + "the cause is another one."),
        .locked: Wording(
            label: "Locked", tone: .caution, meaning: "The volume is encrypted with BitLocker and needs its key."),
        .cannotUnlock: Wording(
            label: "Cannot be unlocked", tone: .caution,
            meaning: "The volume is encrypted with BitLocker in a state, or in a way, that no key opens here."),
        .unclean: Wording(
            label: "Unclean", tone: .caution,
            meaning: "The volume is hibernated, or damaged beyond what the recipe may repair."),
        .notWindows: Wording(label: "Not Windows", tone: .caution, meaning: "No Windows was found on the disk."),
        .ambiguous: Wording(
            label: "Ambiguous", tone: .caution,
            meaning: "More than one thing fits, and choosing is left to a person. Nothing was changed."),
        .otherMachine: Wording(
            label: "Another machine's", tone: .caution,
            meaning: "Windows on the disk has another computer name than the machine. Nothing was changed."),
        .failed: Wording(label: "Failed", tone: .bad, meaning: "A step failed; the outcome says which and why."),
        .repairable: Wording(
            label: "Repairable", tone: .neutral, meaning: "A scan found something that a rescue would repair."),
        .created: Wording(
            label: "Copy made", tone: .neutral,
            meaning: "A copy of the disk is on a rescue VM, and waits for the operator's next command."),
        .copyRepaired: Wording(
            label: "Copy repaired", tone: .neutral,
            meaning: "The copy is repaired and verified. The machine has its original disk until the operator says so."),
        .rolledBack: Wording(
            label: "Rolled back", tone: .neutral, meaning: "The machine has its original disk again."),
    ]

    var wording: Wording { Self.wordings[self] ?? Wording(label: rawValue, tone: .caution) }
}

extension AuditEvent.FileVerdict {
    private static let wordings: [Self: Wording] = [
        .faulty: Wording(label: "Faulty", tone: .bad, meaning: "The file that stops the machine."),
        .corrected: Wording(
            label: "Corrected", tone: .good, meaning: "A later version of the file, without the fault."),
        .zeroed: Wording(
            label: "Zeroed", tone: .bad, meaning: "Nothing but zero bytes, as a crash in the middle of a write leaves."),
        .unknown: Wording(
            label: "Unknown", tone: .caution, meaning: "The name fits and the content cannot be judged."),
        .missing: Wording(label: "Missing", tone: .bad, meaning: "There is no file of that name."),
    ]

    var wording: Wording { Self.wordings[self] ?? Wording(label: rawValue, tone: .caution) }
}

extension AuditEvent.BootVerdict {
    var wording: Wording {
        switch self {
        case .booted: Wording(label: "Boots", tone: .good)
        case .failed: Wording(label: "Does not boot", tone: .bad)
        case .notProven: Wording(label: "Not proven", tone: .caution)
        default: Wording(label: rawValue, tone: .caution)
        }
    }
}

extension MachineReport {
    var wording: Wording {
        outcome?.kind.wording ?? Wording(label: "Unfinished", tone: .caution)
    }
}

extension AuditEvent.FileAction {
    var label: String {
        switch self {
        case .keep: "Keep it"
        case .quarantineAndDelete: "Keep a copy, then delete it"
        case .quarantineAndWrite: "Keep a copy, then write it anew"
        case .collect: "Copy it, and leave it"
        default: rawValue
        }
    }
}
