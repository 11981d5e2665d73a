internal import SalvorSystem
internal import SalvorAudit

/// A machine whose disk was repaired before the run stopped: only the part without a rescue VM is left.
struct RepairedMachine: Sendable {
    var record: MachineRecord
    var copy: RepairCopy
    var steps: StepRecords
}

extension RunSession {
    /// Preflight, then all machines at once, packed on rescue VMs.
    /// - Parameters:
    ///   - fresh: the machines to begin with.
    ///   - repaired: those that need no rescue VM any more.
    func drive(_ fresh: [MachineRecord], taking repaired: [RepairedMachine]) async throws(CoordinatorError) {
        let switchboard = try await dependencies.openSwitchboard(record.id, directory, nil)
        do throws(CoordinatorError) {
            let firstHost = try await nextHostNumber()
            let context = try context(machines: fresh.map(\.machine.name))
            let rescues = fresh.map { MachineRescue(machine: $0.machine, attempt: $0.attempt, context: context) }
            let ready = await preflight(rescues)
            let groups = HostPlan.pack(ready, capacity: record.configuration.hostCapacity) {
                $0.machine.placement
            }
            let logger = dependencies.logger
            let run = record.id
            let ledger = ledger
            await withTaskGroup { group in
                for (index, members) in groups.enumerated() {
                    let host = HostGroup(
                        name: HostName(run: run, number: firstHost + index), members: members, context: context,
                        switchboard: switchboard, logger: logger)
                    group.addTask {
                        await host.run { machine, outcome in await Self.keep(outcome, of: machine, ledger) }
                    }
                }
                for machine in repaired {
                    let rescue = MachineRescue(
                        machine: machine.record.machine, attempt: machine.record.attempt, context: context)
                    group.addTask {
                        let outcome = await rescue.bringBack(machine.copy, records: machine.steps)
                        if let outcome { await Self.keep(outcome, of: machine.record.machine, ledger) }
                    }
                }
            }
        } catch {
            await switchboard.close()
            throw error
        }
        await switchboard.close()
    }

    /// - Returns: the machines that nothing speaks against, in their order.
    private func preflight(_ rescues: [MachineRescue]) async -> [MachineRescue] {
        let limiter = Limiter(record.configuration.concurrentCopies)
        let ledger = ledger
        let refused = await withTaskGroup(of: String?.self) { group in
            for rescue in rescues {
                group.addTask {
                    do throws(StepFailure) {
                        try await limiter.run { () async throws(StepFailure) in try await rescue.preflight() }
                        return nil
                    } catch {
                        await rescue.context.gate.withdraw(rescue.machine.name)
                        if !error.isInterruption {
                            await Self.keep(rescue.refused(error), of: rescue.machine, ledger)
                        }
                        return rescue.machine.name
                    }
                }
            }
            return await group.reduce(into: Set<String>()) { refused, name in
                if let name { refused.insert(name) }
            }
        }
        return rescues.filter { !refused.contains($0.machine.name) }
    }

    /// Numbers go on where the run left off: the name of a host that was ended is never another's.
    func nextHostNumber() async throws(CoordinatorError) -> Int {
        let numbers = try await journal.resources(ofRun: record.id).filter { $0.kind == .host }.compactMap {
            Int($0.name)
        }
        return (numbers.max() ?? 0) + 1
    }

    func context(machines: [String]) throws(CoordinatorError) -> RunContext {
        RunContext(
            configuration: record.configuration, recipe: try recipe(), provider: dependencies.provider,
            ledger: ledger, directory: directory, state: dependencies.state, gate: gate(machines: machines),
            keySources: (dependencies.provider.keySource.map { [$0] } ?? []) + dependencies.keySources,
            copies: Limiter(record.configuration.concurrentCopies),
            boots: Limiter(record.configuration.concurrentBoots)
        )
    }

    private func gate(machines: [String]) -> ConfirmationGate {
        guard !record.configuration.assumeYes else { return ConfirmationGate(machines: machines, ask: nil) }
        let confirmation = dependencies.confirmation
        let ledger = ledger
        return ConfirmationGate(machines: machines) { plans in
            await ledger.ask(.repair(plans), confirmation)
        }
    }
}

extension MachineRescue {
    func refused(_ failure: StepFailure) -> MachineOutcome {
        MachineOutcome(
            .failed, "\(failure.error.message) Nothing was changed.", nextStep: failure.error.nextStep,
            failedStep: failure.step, errorCode: failure.error.code)
    }
}

extension RunLedger {
    /// Asks the operator; the answer counts once it is in the audit log.
    func ask(_ question: ConfirmationQuestion, _ confirmation: any Confirmation) async -> Bool {
        let answer = await confirmation.confirm(question)
        do throws(CoordinatorError) {
            try await append(
                .operatorDecision(
                    AuditEvent.OperatorDecision(question: question.summary, answer: answer ? "yes" : "no")),
                by: .operator)
            return answer
        } catch {
            tell(nil, StepSubject(), .remark("The answer could not be recorded, so nothing is changed. \(error)"))
            return false
        }
    }
}
