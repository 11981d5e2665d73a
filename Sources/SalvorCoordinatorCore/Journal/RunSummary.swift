package import SalvorAudit

/// A run at a glance, for `salvor status`.
package struct RunSummary: Hashable, Sendable {
    package enum Activity: String, Hashable, Sendable {
        /// A salvor drives it now.
        case running
        /// It stopped before its end: `salvor resume` finishes it, `salvor rollback` undoes it.
        case stopped
        case finished
        case rolledBack
        /// Its rescue VM waits for the operator's next command: `salvor run` or `salvor restore`.
        case waiting
    }

    package struct MachineLine: Hashable, Sendable {
        package var machine: String
        package var outcome: MachineOutcome?
        /// The step that was begun last.
        package var lastStep: StepName?
    }

    package var run: String
    package var command: RunConfiguration.Command
    package var recipe: String
    package var activity: Activity
    package var started: WallTime
    package var ended: WallTime?
    package var exitCode: ExitCode?
    package var machines: [MachineLine]
}

extension Journal {
    /// Every run, newest first.
    package func summaries(in state: StateDirectory) async throws(CoordinatorError) -> [RunSummary] {
        var summaries: [RunSummary] = []
        for run in try await runs() { summaries.append(try await summary(of: run, in: state)) }
        return summaries
    }

    package func summary(of run: RunRecord, in state: StateDirectory) async throws(CoordinatorError) -> RunSummary {
        let steps = try await intents(ofRun: run.id)
        var activity: RunSummary.Activity =
            switch run.state {
            case .finished: .finished
            case .rolledBack: .rolledBack
            case .running, .interrupted: RunLock.isHeld(state.run(run.id)) ? .running : .stopped
            }
        let records = try await machines(ofRun: run.id)
        if activity == .stopped, run.configuration.command == .create,
            records.contains(where: { CreatedMachine($0, steps) != nil })
        {
            activity = .waiting
        }
        return RunSummary(
            run: run.id, command: run.configuration.command, recipe: run.recipeName, activity: activity,
            started: run.started, ended: run.ended, exitCode: run.exitCode,
            machines: records.map { record in
                RunSummary.MachineLine(
                    machine: record.machine.name, outcome: record.outcome,
                    lastStep: steps.last { $0.machine == record.machine.name }?.step)
            })
    }
}
