internal import SalvorAudit
internal import SalvorCoordinatorCore
internal import Synchronization

/// Shows progress on standard error: a line for each machine that is rewritten in place on a terminal, plain lines
/// elsewhere.
final class ProgressRenderer: Sendable {
    private struct State {
        /// In the order in which machines first appeared, then rescue VMs.
        var subjects: [String] = []
        var lines: [String: String] = [:]
        var drawn = 0
        var isPaused = false
    }

    private let isTerminal: Bool
    private let isQuiet: Bool
    private let state = Mutex(State())

    init(isQuiet: Bool = false, isTerminal: Bool = StandardStreams.errorIsTerminal) {
        self.isQuiet = isQuiet
        self.isTerminal = isTerminal
    }

    func show(_ event: ProgressEvent) {
        guard !isQuiet, let text = Self.text(of: event) else { return }
        let subject = event.machine.map { printable($0) } ?? event.host ?? "run \(event.run)"
        guard isTerminal else {
            StandardStreams.note("\(subject): \(text)")
            return
        }
        state.withLock { state in
            if state.lines[subject] == nil { state.subjects.append(subject) }
            state.lines[subject] = text
            if !state.isPaused { Self.draw(&state) }
        }
    }

    /// Leaves the lines as they are, so that something else can be written below them.
    func pause() {
        state.withLock { state in
            state.isPaused = true
            state.drawn = 0
        }
    }

    func resume() { state.withLock { $0.isPaused = false } }

    private static func draw(_ state: inout State) {
        // Up to the first line, then each line anew, erased to its end.
        var text = state.drawn > 0 ? "\u{1B}[\(state.drawn)A" : ""
        let width = state.subjects.map(\.count).max() ?? 0
        for subject in state.subjects {
            let padded = subject + String(repeating: " ", count: width - subject.count)
            let line = "\(padded)  \(state.lines[subject] ?? "")"
            text += "\r\(line.prefix(StandardStreams.columns - 1))\u{1B}[K\n"
        }
        state.drawn = state.subjects.count
        StandardStreams.write(text, to: 2)
    }

    private static func text(of event: ProgressEvent) -> String? {
        let step = event.step.map { $0.phrase } ?? ""
        switch event.change {
        case .began: return "\(step) …"
        case .advanced(let detail): return step.isEmpty ? detail : "\(step): \(detail)"
        case .done(let duration): return "\(step): done in \(duration.seconds) s"
        case .failed(let why): return "\(step): failed: \(why)"
        case .interrupted: return "\(step): interrupted"
        case .ended(let outcome): return "\(outcome.kind.phrase): \(outcome.message)"
        case .remark(let remark): return remark
        }
    }
}

extension StepName {
    /// What is being done, for people.
    var phrase: String {
        switch self {
        case .preflight: "preflight"
        case .stop: "stop the machine"
        case .copy: "copy the OS disk"
        case .host: "start the rescue VM"
        case .attach: "attach the copy"
        case .connect: "wait for the agent"
        case .scan: "scan"
        case .unlock: "unlock"
        case .confirm: "ask"
        case .apply: "repair"
        case .quarantine: "fetch the quarantine"
        case .verify: "verify"
        case .detach: "detach the copy"
        case .swap: "swap the disk"
        case .boot: "prove the boot"
        case .store: "bring back what was taken"
        case .swapBack: "swap the disk back"
        case .deleteCopy: "delete the copy"
        case .retireHost: "let go of the rescue VM"
        case .deleteHost: "end the rescue VM"
        case .deleteOriginal: "delete the original disk"
        }
    }
}

extension MachineOutcome.Kind {
    /// For people.
    var phrase: String {
        switch self {
        case .repaired: "repaired, and it boots"
        case .bootNotProven: "repaired, boot not proven"
        case .bootFailed: "boot failed"
        case .created: "copy made"
        case .copyRepaired: "copy repaired"
        case .repairable: "can be repaired"
        case .collected: "files collected"
        case .nothingToRepair: "nothing to repair"
        case .locked: "locked"
        case .cannotUnlock: "cannot be unlocked"
        case .unclean: "unclean"
        case .notWindows: "not Windows"
        case .ambiguous: "ambiguous"
        case .otherMachine: "another machine's disk"
        case .declined: "declined"
        case .rolledBack: "rolled back"
        case .failed: "failed"
        }
    }
}

extension Duration {
    /// Seconds with one digit.
    var seconds: String {
        let tenths = (components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 + 50) / 100
        return "\(tenths / 10).\(tenths % 10)"
    }
}
