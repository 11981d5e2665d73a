internal import SalvorAudit
internal import SalvorDigest

/// What the commands of a ``StepwiseRescue`` do in a run.
extension RunSession {
    /// - Throws: ``CoordinatorError/Code/conflict`` where there is none, or for a run of another kind or at its end.
    func createdMachine() async throws(CoordinatorError) -> CreatedMachine {
        guard record.configuration.command == .create, record.state != .finished, record.state != .rolledBack else {
            throw CoordinatorError(
                .conflict,
                "Run \(record.id) is not between the steps of a rescue: it is a \(record.configuration.command.rawValue), "
                    + "and \(record.state.rawValue).",
                nextStep: "“salvor status” lists the runs; “salvor create” begins a rescue in steps.")
        }
        let intents = try await journal.intents(ofRun: record.id)
        guard let machine = try await journal.machines(ofRun: record.id).first,
            let created = CreatedMachine(machine, intents)
        else {
            throw CoordinatorError(
                .conflict, "Run \(record.id) was stopped before its copy was on a rescue VM.",
                nextStep: "“salvor resume \(record.id)” makes both anew. The original disk is as it was.")
        }
        return created
    }

    /// Preflight, copy, rescue VM, attach, agent. What was made stays only where all of it came about.
    func create(_ record: MachineRecord) async throws(CoordinatorError) -> RunResult {
        let switchboard = try await dependencies.openSwitchboard(self.record.id, directory, nil)
        let outcome: MachineOutcome?
        do throws(CoordinatorError) {
            outcome = try await create(record, switchboard)
        } catch {
            await switchboard.close()
            throw error
        }
        await switchboard.close()
        if let outcome { await keep(outcome, of: record.machine) }
        guard outcome?.kind != .failed else { return try await end(as: .finished) }
        return try await pause(isInterrupted: outcome == nil)
    }

    /// - Returns: nil where the run was interrupted.
    private func create(
        _ record: MachineRecord, _ switchboard: any AgentSwitchboard
    ) async throws(CoordinatorError) -> MachineOutcome? {
        let context = try context(machines: [])
        let rescue = MachineRescue(machine: record.machine, attempt: record.attempt, context: context)
        do throws(StepFailure) {
            try await rescue.preflight()
        } catch {
            return error.isInterruption ? nil : rescue.refused(error)
        }
        let host = HostName(run: self.record.id, number: try await nextHostNumber())
        let lease = HostLease(
            name: host, configuration: self.record.configuration, machines: [record.machine],
            provider: context.provider, switchboard: switchboard, ledger: ledger,
            consoleLog: directory.consoleLog(of: host.host))
        return await withTaskCancellationHandler {
            var standing = MachineRescue.Standing()
            do throws(StepFailure) {
                let attached = try await rescue.prepare(on: lease, &standing)
                _ = try await lease.agent()
                return MachineOutcome(
                    .created,
                    "A copy of its disk is attached to the rescue VM \(printable(attached.host.identifier)), and nothing "
                        + "was changed on it yet.",
                    nextStep: "“salvor run” repairs the copy; “salvor rollback \(self.record.id)” gives it up.")
            } catch {
                await HostGroup.end(
                    lease, switchboard: switchboard, provider: context.provider, ledger: ledger)
                guard !error.isInterruption, !Task.isCancelled else { return nil }
                return await rescue.afterDeletingCopy(rescue.failed(error, copyChanged: false))
            }
        } onCancel: {
            lease.cancel()
        }
    }

    /// Scan, confirm, apply, verify, quarantine, on the rescue VM that an earlier command made.
    func repair(_ created: CreatedMachine) async throws(CoordinatorError) -> RunResult {
        let machine = created.record.machine
        let host = created.attached.host
        let switchboard = try await dependencies.openSwitchboard(record.id, directory, host.coordinatorPort)
        await switchboard.expect(host.name, certificate: created.certificate)
        let lease = HostLease(
            of: host, configuration: record.configuration, provider: dependencies.provider, switchboard: switchboard,
            ledger: ledger)
        let rescue: MachineRescue
        do throws(CoordinatorError) {
            rescue = MachineRescue(
                machine: machine, attempt: created.record.attempt, context: try context(machines: [machine.name]))
        } catch {
            lease.cancel()
            await switchboard.close()
            throw error
        }
        let outcome: MachineOutcome? = await withTaskCancellationHandler {
            var standing = MachineRescue.Standing()
            do throws(StepFailure) {
                let ended = try await rescue.mend(
                    at: created.attached.address, by: try await lease.agent(), &standing)
                return ended.map { stays($0) } ?? repaired
            } catch {
                guard !error.isInterruption, !Task.isCancelled else { return nil }
                return stays(rescue.failed(error, copyChanged: standing.changed))
            }
        } onCancel: {
            lease.cancel()
        }
        await switchboard.close()
        if let outcome { await keep(outcome, of: machine) }
        return try await pause(isInterrupted: outcome == nil)
    }

    private var repaired: MachineOutcome {
        MachineOutcome(
            .copyRepaired, "The copy is repaired and verified. The machine still has its original disk.",
            nextStep: "“salvor restore” makes the copy its disk.", copyChanged: true)
    }

    /// An end of one command is not the end of the run: the copy and its rescue VM are still there.
    private func stays(_ outcome: MachineOutcome) -> MachineOutcome {
        var outcome = outcome
        let next =
            outcome.copyChanged
            ? "“salvor resume \(record.id)” makes copy and rescue VM anew; “salvor rollback \(record.id)” gives them up."
            : "Copy and rescue VM are still there: “salvor run” again, with other keys or another recipe; "
                + "“salvor resume \(record.id)” makes both anew, “salvor rollback \(record.id)” gives them up."
        outcome.nextStep = outcome.nextStep.isEmpty ? next : "\(outcome.nextStep) \(next)"
        return outcome
    }

    /// Detach, stop, swap, start, boot proof; and the rescue VM's end beside them.
    func restore(_ created: CreatedMachine) async throws(CoordinatorError) -> RunResult {
        let machine = created.record.machine
        let rescue = MachineRescue(
            machine: machine, attempt: created.record.attempt, context: try context(machines: []))
        if !created.steps.isDone(.detach) {
            do throws(StepFailure) {
                try await rescue.leave(created.attached, isLast: true)
            } catch {
                if error.isInterruption || Task.isCancelled { return try await pause(isInterrupted: true) }
                var outcome = rescue.failed(error, copyChanged: true)
                outcome.message +=
                    " The machine still has its original disk, and the repaired copy is on the rescue VM."
                outcome.nextStep += " Then give “salvor restore” again."
                await keep(outcome, of: machine)
                return try await pause()
            }
        }
        let host = created.attached.host.name
        let ledger = ledger
        let provider = dependencies.provider
        let outcome = await withTaskGroup(of: Void.self) { group in
            // Not cancelled with the run: what costs money goes.
            group.addTask {
                await Task { _ = await HostGroup.deleteHost(host, provider: provider, ledger: ledger) }.value
            }
            return await rescue.bringBack(created.attached.copy, records: created.steps)
        }
        guard let outcome else { return try await pause(isInterrupted: true) }
        await keep(outcome, of: machine)
        return try await end(as: .finished)
    }

    /// Makes anew what `create` makes: for a run that was stopped before it was all there, or whose copy or rescue VM is of
    /// no use any more.
    /// - Throws: ``CoordinatorError/Code/conflict`` where a repaired copy is there: it would be thrown away.
    func createAnew() async throws(CoordinatorError) -> RunResult {
        let records = try await journal.machines(ofRun: record.id)
        let intents = try await journal.intents(ofRun: record.id)
        guard let machine = records.first else { return try await end(as: .finished) }
        if CreatedMachine(machine, intents)?.standing == .repaired {
            throw CoordinatorError(
                .conflict, "The repaired copy of \(printable(machine.machine.name)) is there, and was left as it is.",
                nextStep: "“salvor restore” makes it the machine's disk; “salvor rollback \(record.id)” gives it up.")
        }
        try await recordResumption()
        try await endLeftoverHosts()
        return try await create(try await begunAnew(machine, intents))
    }

    /// Puts the recipe on record that the run goes on with.
    func record(_ recipe: Recipe) async throws(CoordinatorError) {
        try await journal.setRecipe(of: record)
        try await ledger.append(
            .note(
                AuditEvent.Note(
                    text: "From here on the recipe is \(printable(recipe.name)), version \(recipe.version), "
                        + "SHA-256 \(recipe.sha256.hex).")))
        try await recordConsent(recipe)
    }

    /// Leaves the run to the operator's next command.
    func pause(isInterrupted: Bool = false) async throws(CoordinatorError) -> RunResult {
        let result = try await result(try await journal.machines(ofRun: record.id), isInterrupted: isInterrupted)
        try await ledger.append(
            isInterrupted
                ? .interrupted(AuditEvent.Interrupted(reason: "The run was interrupted."))
                : .note(AuditEvent.Note(text: "The run waits for the operator's next command.")))
        try await journal.setState(
            .interrupted, ofRun: record.id, exitCode: result.exitCode, ended: nil, auditHead: ledger.audit.head)
        ledger.audit.close()
        return result
    }
}
