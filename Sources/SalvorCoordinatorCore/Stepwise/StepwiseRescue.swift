internal import SalvorAudit

/// A rescue of one machine in three commands, as users of `az vm repair` know it: ``create(_:recipe:dependencies:commandBegan:)``
/// makes a copy and a rescue VM that has it, ``repair(_:recipe:assumeYes:dependencies:)`` repairs the copy, as often as is
/// wanted, and ``restore(_:assumeYes:dependencies:)`` makes it the machine's disk and cleans up.
///
/// Between the commands nobody drives the run. What the next one needs is in the journal; the agent on the rescue VM calls
/// on, and knows whoever has the run's authority. `salvor rollback` gives a run up at any point.
package enum StepwiseRescue {
    /// Makes a copy of the machine's disk and attaches it to a rescue VM whose agent has called.
    /// - Throws: ``CoordinatorError/Code/conflict`` where another run of this kind has the machine; nothing was changed then.
    package static func create(
        _ configuration: RunConfiguration, recipe: Recipe, dependencies: RunDependencies,
        commandBegan: Duration? = nil
    ) async throws(CoordinatorError) -> RunResult {
        let machines = try await RescueRun.machines(configuration.machines, dependencies.provider)
        guard machines.count == 1, let machine = machines.first else {
            throw CoordinatorError(
                .conflict, "A rescue in steps is for one machine; \(machines.count) were named.",
                nextStep: "“salvor rescue” takes many.")
        }
        let journal = try await Journal.open(dependencies.state)
        if let open = try await journal.stepwiseRuns({ $0 == machine.name }).first {
            throw CoordinatorError(
                .conflict, "Run \(open.id) has made a copy of \(printable(machine.name)) already.",
                nextStep:
                    "Go on with “salvor run” or “salvor restore”; “salvor resume \(open.id)” makes its copy anew, "
                    + "“salvor rollback \(open.id)” gives it up.")
        }
        let session = try await RunSession.begin(
            configuration, recipe: recipe, machines: machines, dependencies: dependencies,
            commandBegan: commandBegan ?? dependencies.clock.monotonic())
        return try await session.create(MachineRecord(machine: machine, attempt: 1, outcome: nil))
    }

    /// Repairs the copy on its rescue VM. Whatever comes of it, copy and rescue VM stay for the next command.
    /// - Parameter recipe: nil for the one that the run has.
    /// - Throws: ``CoordinatorError/Code/conflict`` where there is no copy on a rescue VM, or one that was left half repaired.
    package static func repair(
        _ run: String, recipe: Recipe?, assumeYes: Bool, dependencies: RunDependencies
    ) async throws(CoordinatorError) -> RunResult {
        let session = try await RunSession.take(
            up: run, dependencies: dependencies, commandBegan: dependencies.clock.monotonic(), recipe: recipe,
            assumeYes: assumeYes)
        let created = try await session.createdMachine()
        if created.standing == .halfRepaired {
            throw CoordinatorError(
                .conflict,
                "The copy of \(printable(created.record.machine.name)) was left half repaired by an earlier command.",
                nextStep: "“salvor resume \(run)” makes a new one. The original disk is as it was.")
        }
        try await session.recordResumption()
        if let recipe { try await session.record(recipe) }
        return try await session.repair(created)
    }

    /// Makes the repaired copy the machine's OS disk, starts the machine, proves that it boots, and ends the rescue VM. Given
    /// again after a crash it goes on from where it was.
    /// - Throws: ``CoordinatorError/Code/conflict`` where the copy is not repaired, ``CoordinatorError/Code/declined``; nothing
    ///   was changed then.
    package static func restore(
        _ run: String, assumeYes: Bool, dependencies: RunDependencies
    ) async throws(CoordinatorError) -> RunResult {
        let session = try await RunSession.take(
            up: run, dependencies: dependencies, commandBegan: dependencies.clock.monotonic())
        let created = try await session.createdMachine()
        let machine = created.record.machine
        guard created.standing == .repaired else {
            throw CoordinatorError(
                .conflict,
                created.standing == .untouched
                    ? "The copy of \(printable(machine.name)) is as its original: nothing was repaired on it."
                    : "The copy of \(printable(machine.name)) was left half repaired.",
                nextStep: created.standing == .untouched
                    ? "“salvor run” repairs it; “salvor rollback \(run)” gives it up."
                    : "“salvor resume \(run)” makes a new one. The original disk is as it was.")
        }
        let question = ConfirmationQuestion.restore(machine: machine.name, original: machine.osDisk)
        try await session.recordResumption()
        if !assumeYes, !created.steps.isDone(.detach) {
            guard await session.ledger.ask(question, dependencies.confirmation) else {
                _ = try await session.pause()
                throw CoordinatorError(
                    .declined, "The disk of \(printable(machine.name)) was not replaced.",
                    nextStep:
                        "Its repaired copy is still on the rescue VM: “salvor restore”, or “salvor rollback \(run)”.")
            }
        }
        return try await session.restore(created)
    }

    /// The run that waits for the next command for a machine of that name.
    /// - Parameters:
    ///   - group: nil where the name says it or the provider has none.
    ///   - name: a machine's, with or without its group before it.
    /// - Throws: ``CoordinatorError/Code/noSuchRun``, also where more than one fits.
    package static func run(
        for name: String, group: String?, in state: StateDirectory
    ) async throws(CoordinatorError) -> RunRecord {
        let wanted = (group.map { "\($0)/\(name)" } ?? name).lowercased()
        let journal = try await Journal.open(state)
        let found = try await journal.stepwiseRuns { machine in
            let machine = machine.lowercased()
            return machine == wanted || (group == nil && machine.hasSuffix("/\(wanted)"))
        }
        guard let only = found.first else {
            throw CoordinatorError(
                .noSuchRun, "There is no copy of \(printable(wanted)) on a rescue VM.",
                nextStep: "“salvor create” makes one; “salvor status” lists the runs.")
        }
        guard found.count == 1 else {
            throw CoordinatorError(
                .noSuchRun,
                "More than one run has a copy of a machine that is called \(printable(wanted)): "
                    + found.map(\.id).joined(separator: ", ") + ".",
                nextStep: "Name the machine's group with -g.")
        }
        return only
    }
}

extension Journal {
    /// The runs of a ``StepwiseRescue`` that have not ended, newest first.
    func stepwiseRuns(_ fits: (String) -> Bool) async throws(CoordinatorError) -> [RunRecord] {
        var found: [RunRecord] = []
        for run in try await runs() where run.configuration.command == .create {
            guard [.interrupted, .running].contains(run.state) else { continue }
            if try await machines(ofRun: run.id).contains(where: { fits($0.machine.name) }) { found.append(run) }
        }
        return found
    }
}
