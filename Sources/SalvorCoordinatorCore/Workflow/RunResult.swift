/// How a run ended, for the table and the JSON that the CLI prints.
package struct RunResult: Sendable {
    package struct MachineResult: Hashable, Sendable {
        package var machine: Machine
        /// nil where the run was interrupted before.
        package var outcome: MachineOutcome?
        package var phases: [PhaseTime]
        /// From the operator's command to the disk unmounted and verified; nil where it was not, or not in one go.
        package var untilVerified: Duration?
        /// The folder with what was taken from the machine; it is there if anything was.
        package var quarantine: String
        package var consoleLog: String
    }

    package var run: String
    package var command: RunConfiguration.Command
    package var machines: [MachineResult]
    /// Of the rescue VMs.
    package var hostPhases: [PhaseTime]
    /// What the operator should know and no machine's outcome says: what is left over.
    package var remarks: [String]
    package var isInterrupted: Bool
    package var auditLog: String
    package var took: Duration

    package var exitCode: ExitCode {
        if isInterrupted { return .interrupted }
        return ExitCode(outcomes: machines.compactMap(\.outcome))
    }
}

extension RunResult {
    /// One sentence.
    var summary: String {
        let kinds = machines.compactMap { $0.outcome?.kind.rawValue }
        let counts = Set(kinds).sorted().map { kind in "\(kinds.count { $0 == kind }) \(kind)" }
        return "\(machines.count) machine(s): \(counts.joined(separator: ", "))"
    }
}
