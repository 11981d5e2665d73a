internal import Dispatch
internal import SalvorAudit
internal import SalvorCoordinatorCore

/// Asks the person at the terminal. Where there is none, the answer is no.
struct TerminalConfirmation: Confirmation {
    let renderer: ProgressRenderer

    func confirm(_ question: ConfirmationQuestion) async -> Bool {
        renderer.pause()
        defer { renderer.resume() }
        StandardStreams.note(Self.text(of: question))
        guard StandardStreams.inputIsTerminal else {
            StandardStreams.note("There is no terminal to ask at, so the answer is no. --yes says yes beforehand.")
            return false
        }
        StandardStreams.write("Go on? [y/N] ", to: 2)
        // readLine waits for a person: on a thread that may wait.
        let answer = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: readLine() ?? "") }
        }
        return ["y", "yes"].contains(answer.lowercased())
    }

    private static func text(of question: ConfirmationQuestion) -> String {
        switch question {
        case .repair(let plans):
            var lines = [
                "These files will be copied to quarantine, and changed on the repair copies, which then replace the OS disks:"
            ]
            for plan in plans {
                lines.append("  \(printable(plan.machine)), a copy of \(printable(plan.originalDisk.identifier)):")
                for change in plan.changes {
                    let what = change.action == .quarantineAndWrite ? "write" : "delete"
                    lines.append(
                        "    \(what) \(change.path), \(change.sizeBytes) bytes, \(change.verdict.rawValue): "
                            + printable(change.reason))
                }
                lines += plan.volumeChanges.map { "    \($0)" }
            }
            lines.append("The original disks stay as they are.")
            return lines.joined(separator: "\n")
        case .restore(let machine, let original):
            return
                "The repaired copy of \(printable(original.identifier)) becomes the OS disk of \(printable(machine)), "
                + "the machine is started, and the rescue VM is ended. The original disk stays as it is."
        case .rollback(let run, let machines):
            let names = machines.map { printable($0) }.joined(separator: ", ")
            return "Run \(run) will be undone: the original disks of \(names)"
                + " come back, and what these machines have written since goes with the copies."
        case .deleteOriginals(let run, let swaps):
            let lines = swaps.map { "  \(printable($0.machine)): \(printable($0.original.identifier))" }
            return
                (["These original disks of run \(run) will be deleted, each if its machine runs well at that moment:"]
                + lines + ["After that run \(run) cannot be rolled back."]).joined(separator: "\n")
        }
    }
}
