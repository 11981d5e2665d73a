package import SalvorAudit
package import SalvorDigest

/// The operator, who is asked before something is changed.
package protocol Confirmation: Sendable {
    /// Asked once for all machines of a run. Returns false where nobody can answer.
    func confirm(_ question: ConfirmationQuestion) async -> Bool
}

package enum ConfirmationQuestion: Hashable, Sendable {
    /// Delete and write these files on the repair copies, then make the copies the machines' OS disks.
    case repair([RepairPlan])
    /// Make a copy that was repaired by an earlier command its machine's OS disk, and end the rescue VM.
    case restore(machine: String, original: OSDisk)
    /// Put the original disks back. What these machines have written since they were swapped is lost with the copies.
    case rollback(run: String, machines: [String])
    /// Delete the original disks of machines that run with their repaired ones. There is no way back then.
    case deleteOriginals(run: String, swaps: [Swap])
}

/// What would be changed for one machine.
package struct RepairPlan: Hashable, Sendable {
    package struct Change: Hashable, Sendable {
        package var path: GuestPath
        package var action: AuditEvent.FileAction
        package var sizeBytes: UInt64
        package var sha256: Digest
        package var verdict: AuditEvent.FileVerdict
        package var reason: String
    }

    package var machine: String
    package var originalDisk: OSDisk
    package var changes: [Change]
    /// What else becomes of the volumes, because of how they were left: a sentence each.
    package var volumeChanges: [String]
}

extension ConfirmationQuestion {
    /// As the audit log keeps it.
    var summary: String {
        switch self {
        case .repair(let plans):
            let changes = plans.flatMap(\.changes)
            let written = changes.count { $0.action == .quarantineAndWrite }
            let what = [
                changes.count == written ? nil : "delete \(changes.count - written) file(s)",
                written == 0 ? nil : "write \(written) file(s)",
            ].compactMap { $0 }.joined(separator: " and ")
            return
                "\(what.prefix(1).uppercased() + what.dropFirst()) on \(plans.count) repair copy or copies, and swap the disks of "
                + plans.map { printable($0.machine) }.joined(separator: ", ") + "?"
        case .restore(let machine, let original):
            return "Make the repaired copy of \(printable(original.identifier)) the OS disk of \(printable(machine)), "
                + "start the machine and end the rescue VM?"
        case .rollback(let run, let machines):
            return "Roll run \(run) back and put the original disks back into "
                + machines.map { printable($0) }.joined(separator: ", ") + "?"
        case .deleteOriginals(let run, let swaps):
            return "Delete the original disks of run \(run) for good: "
                + swaps.map { "\(printable($0.original.identifier)) of \(printable($0.machine))" }.joined(
                    separator: ", ")
                + "?"
        }
    }
}
