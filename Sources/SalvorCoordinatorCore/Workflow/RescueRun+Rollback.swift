internal import SalvorAudit

extension RescueRun {
    /// Undoes a run, last in first out, from the journal alone: original disks back in place, rescue VMs ended, copies
    /// deleted. Quarantine, journal and audit log stay.
    ///
    /// What a machine has written since its disk was swapped goes with the copy, so the operator is asked.
    /// - Throws: ``CoordinatorError/Code/declined``; nothing was changed then.
    package static func rollback(
        _ run: String, assumeYes: Bool, dependencies: RunDependencies
    ) async throws(CoordinatorError) -> RunResult {
        let session = try await RunSession.take(
            up: run, dependencies: dependencies, commandBegan: dependencies.clock.monotonic())
        let records = try await session.journal.machines(ofRun: run)
        guard session.record.state != .rolledBack else {
            return try await session.result(records, isInterrupted: false)
        }
        try await session.recordResumption()
        try await session.confirmRollback(records, assumeYes: assumeYes)

        // First of all: a rescue VM holds the copies that are attached to it.
        try await session.endLeftoverHosts()
        let failures = try await session.undo(records)
        for record in records {
            let name = record.machine.name
            await session.keep(
                failures[name] ?? MachineOutcome(.rolledBack, "The machine has its original disk."), of: record.machine)
        }
        // A rollback that failed somewhere stays open, so that it can be repeated.
        return try await session.end(as: failures.isEmpty ? .rolledBack : .finished)
    }
}

extension RunSession {
    fileprivate func confirmRollback(_ records: [MachineRecord], assumeYes: Bool) async throws(CoordinatorError) {
        guard !assumeYes else { return }
        let question = ConfirmationQuestion.rollback(run: record.id, machines: records.map(\.machine.name))
        guard await ledger.ask(question, dependencies.confirmation) else {
            throw CoordinatorError(
                .declined, "Run \(record.id) was not rolled back.", nextStep: "Everything is as it was before.")
        }
    }

    /// - Returns: the outcomes of the machines for which something could not be undone.
    fileprivate func undo(_ records: [MachineRecord]) async throws(CoordinatorError) -> [String: MachineOutcome] {
        var failures: [String: MachineOutcome] = [:]
        var undone: Set<String> = []
        let machines = Dictionary(uniqueKeysWithValues: records.map { ($0.machine.name, $0) })
        let intents = try await journal.intents(ofRun: record.id)
        for machine in machines.keys where intents.hasDeletedOriginal(of: machine) {
            failures[machine] = MachineOutcome(
                .failed, "Not rolled back: its original disk was deleted. It keeps the repaired one.",
                nextStep: "Restore the machine from a backup, if it is to be as it was.", failedStep: .swapBack,
                errorCode: .conflict, copyChanged: true)
        }
        let gone = Set(
            try await journal.resources(ofRun: record.id).filter { $0.kind == .copy && $0.state == .gone }.map(\.name))
        for intent in intents.reversed() {
            guard let effect = Effect(intent), let machine = intent.machine.flatMap({ machines[$0] }),
                !gone.contains(machine.machine.name), failures[machine.machine.name] == nil,
                undone.insert("\(intent.step) \(machine.machine.name)").inserted
            else { continue }
            do throws(StepFailure) {
                try await undo(effect, machine)
            } catch {
                failures[machine.machine.name] = MachineOutcome(
                    .failed, "Not rolled back: \(error.error.message)", nextStep: error.error.nextStep,
                    failedStep: error.step, errorCode: error.error.code, copyChanged: true)
            }
        }
        return failures
    }

    /// What is there to be undone of one machine.
    private enum Effect {
        case copy, swap

        init?(_ intent: IntentRecord) {
            switch intent.step {
            case .copy: self = .copy
            case .swap: self = .swap
            default: return nil
            }
        }
    }

    private func undo(_ effect: Effect, _ machine: MachineRecord) async throws(StepFailure) {
        switch effect {
        case .copy: try await deleteCopy(of: machine.machine, attempt: machine.attempt)
        case .swap: try await swapBack(machine)
        }
    }

    private func swapBack(_ record: MachineRecord) async throws(StepFailure) {
        let machine = record.machine
        let provider = dependencies.provider
        let steps: StepRecords
        let swap: Swap
        do throws(CoordinatorError) {
            steps = StepRecords(
                try await journal.intents(ofRun: self.record.id), machine: machine.name, attempt: record.attempt)
        } catch {
            throw StepFailure(step: .swapBack, error: error, isInterruption: false)
        }
        if let recorded: Swap = try? steps.recorded(.swap) {
            swap = recorded
        } else if let copy: RepairCopy = try? steps.recorded(.copy) {
            // The swap's answer was lost; what it would have been follows from what it was asked.
            swap = Swap(machine: machine.name, original: machine.osDisk, repaired: copy.disk)
        } else {
            return
        }
        _ = try await ledger.perform(
            .swapBack, on: StepSubject(machine: machine.name, attempt: record.attempt),
            change: ResourceChange(kind: .copy, name: machine.name, atIntent: nil, whenDone: .made),
            events: { _ in
                [
                    .swappedBack(
                        AuditEvent.SwappedBack(original: swap.original.identity, repaired: swap.repaired.identity))
                ]
            }
        ) {
            try await provider.swapBack(swap)
            return Nothing()
        }
    }
}
