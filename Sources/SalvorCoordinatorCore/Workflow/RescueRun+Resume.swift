internal import SalvorAudit

extension RescueRun {
    /// Finishes a run that stopped before its end, from the journal alone.
    ///
    /// A machine whose repaired copy had come off its rescue VM goes on from there. Every other one begins anew with a
    /// new copy: the original is untouched, so that is always right, and no guess about a half-written disk is needed.
    /// The operator is asked again unless the run began with a yes. A ``StepwiseRescue`` gets a new copy on a new rescue VM,
    /// and waits for the operator again.
    /// - Returns: the result on record for a run that has ended.
    package static func resume(
        _ run: String, dependencies: RunDependencies
    ) async throws(CoordinatorError) -> RunResult {
        let session = try await RunSession.take(
            up: run, dependencies: dependencies, commandBegan: dependencies.clock.monotonic())
        let records = try await session.journal.machines(ofRun: run)
        switch session.record.state {
        case .finished, .rolledBack: return try await session.result(records, isInterrupted: false)
        case .running, .interrupted: break
        }
        if session.record.configuration.command == .create { return try await session.createAnew() }
        try await session.recordResumption()
        try await session.endLeftoverHosts()
        let intents = try await session.journal.intents(ofRun: run)
        var fresh: [MachineRecord] = []
        var repaired: [RepairedMachine] = []
        for record in records where record.outcome == nil {
            if let machine = try RepairedMachine(record, intents) {
                repaired.append(machine)
            } else {
                fresh.append(try await session.begunAnew(record, intents))
            }
        }
        try await session.drive(fresh, taking: repaired)
        return try await session.end(as: .finished)
    }
}

extension RepairedMachine {
    /// nil where the machine's work on a rescue VM was not over.
    fileprivate init?(_ record: MachineRecord, _ intents: [IntentRecord]) throws(CoordinatorError) {
        let steps = StepRecords(intents, machine: record.machine.name, attempt: record.attempt)
        // A copy also comes off its rescue VM when a repair has failed, but then it was not verified, or what was removed
        // from it is in no quarantine.
        guard steps.isDone(.verify), steps.isDone(.quarantine), steps.isDone(.detach) else { return nil }
        do throws(StepFailure) {
            guard let copy: RepairCopy = try steps.recorded(.copy) else { return nil }
            self.init(record: record, copy: copy, steps: steps)
        } catch {
            throw error.error
        }
    }
}

extension RunSession {
    /// Rescue VMs of a process that is gone: nobody has their agents any more.
    func endLeftoverHosts() async throws(CoordinatorError) {
        for resource in try await journal.resources(ofRun: record.id)
        where resource.kind == .host && resource.state != .gone {
            guard let number = Int(resource.name) else { continue }
            let name = HostName(run: record.id, number: number)
            guard await HostGroup.deleteHost(name, provider: dependencies.provider, ledger: ledger) else {
                throw CoordinatorError(
                    .failed,
                    "The rescue VM \(name) of the stopped run could not be ended, and it may still write to a copy.",
                    nextStep: "End it by hand, then resume the run again. The original disks are as they were.")
            }
        }
    }

    /// Deletes what an earlier attempt left of the copy and counts the next attempt.
    func begunAnew(_ record: MachineRecord, _ intents: [IntentRecord]) async throws(CoordinatorError) -> MachineRecord {
        guard intents.contains(where: { $0.machine == record.machine.name }) else { return record }
        let next = MachineRecord(machine: record.machine, attempt: record.attempt + 1, outcome: nil)
        try await journal.setAttempt(next.attempt, of: record.machine.name, run: self.record.id)
        let left = try await journal.resources(ofRun: self.record.id).first {
            $0.kind == .copy && $0.name == record.machine.name
        }
        if let left, left.state != .gone {
            do throws(StepFailure) {
                try await deleteCopy(of: record.machine, attempt: next.attempt)
            } catch {
                throw error.error
            }
        }
        return next
    }

    func deleteCopy(of machine: Machine, attempt: Int) async throws(StepFailure) {
        let provider = dependencies.provider
        let name = CopyName(run: record.id, machine: machine.name)
        _ = try await ledger.perform(
            .deleteCopy, on: StepSubject(machine: machine.name, attempt: attempt),
            change: ResourceChange(kind: .copy, name: machine.name, atIntent: nil, whenDone: .gone),
            events: { _ in [.cleanedUp(AuditEvent.CleanedUp(resource: "repairCopy", identifier: machine.name))] }
        ) {
            try await provider.deleteCopy(named: name)
            return Nothing()
        }
    }
}
