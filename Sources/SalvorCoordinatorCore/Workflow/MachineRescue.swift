internal import SalvorSystem
internal import GRPCCore
internal import SalvorAudit
internal import SalvorMessages

/// What all machines of a run share.
struct RunContext: Sendable {
    let configuration: RunConfiguration
    let recipe: Salvor_V1_Recipe
    let provider: any Provider
    let ledger: RunLedger
    let directory: RunDirectory
    let state: StateDirectory
    let gate: ConfirmationGate
    let keySources: [any KeySource]
    let copies: Limiter
    let boots: Limiter
}

/// One machine's way through the workflow. The steps are in MachineRescue+….swift, one small function each; what
/// follows them, and what is done when one fails, is here.
struct MachineRescue: Sendable {
    let machine: Machine
    let attempt: Int
    let context: RunContext

    var name: CopyName { CopyName(run: context.ledger.run, machine: machine.name) }

    /// How the part of the work ended that needs a rescue VM.
    enum OnHost: Sendable {
        /// Repaired, verified, and off the rescue VM.
        case repaired(RepairCopy)
        /// There is nothing more to do. The copy may still be on the rescue VM where it would not come off.
        case ended(MachineOutcome, copyIsStuck: Bool)
        case interrupted
    }

    /// What there is of the copy so far, for the cleaning up after a failure.
    struct Standing: Sendable {
        var copy: RepairCopy?
        var mayBeAttachedTo: RescueHost?
        var changed = false
        /// The agent holds keys of its volumes.
        var isUnlocked = false
    }

    /// Copy, attach, scan, confirm, apply, verify, quarantine, detach.
    /// - Parameter onHost: counts the machines that still need the rescue VM.
    func repair(on lease: HostLease, leaving onHost: Countdown) async -> OnHost {
        var standing = Standing()
        let result: Result<MachineOutcome?, StepFailure> = await Result { () async throws(StepFailure) in
            let attached = try await prepare(on: lease, &standing)
            if let ended = try await mend(at: attached.address, by: try await lease.agent(), &standing) {
                return ended
            }
            try await leave(attached, isLast: await onHost.isDownToOne)
            return nil
        }
        await context.gate.withdraw(machine.name)

        let outcome: MachineOutcome
        switch result {
        case .success(nil):
            guard let copy = standing.copy else { return .interrupted }
            return .repaired(copy)
        case .success(let ended?): outcome = ended
        case .failure(let failure) where failure.isInterruption || Task.isCancelled: return .interrupted
        case .failure(let failure): outcome = failed(failure, copyChanged: standing.changed)
        }
        if let copy = standing.copy, let host = standing.mayBeAttachedTo, await !hasDetached(copy, from: host) {
            return .ended(outcome, copyIsStuck: true)
        }
        guard let final = await afterDeletingCopy(outcome) else { return .interrupted }
        return .ended(final, copyIsStuck: false)
    }

    /// A copy where an agent can work on it.
    struct Attached: Sendable {
        var copy: RepairCopy
        var host: RescueHost
        var address: DiskAddress
    }

    /// Copy and attach.
    func prepare(on lease: HostLease, _ standing: inout Standing) async throws(StepFailure) -> Attached {
        if context.configuration.stopsFirst { try await stop() }
        let copy = try await copyDisk()
        standing.copy = copy
        let host = try await lease.host()
        standing.mayBeAttachedTo = host
        return Attached(copy: copy, host: host, address: try await attach(copy, to: host))
    }

    /// Scan, confirm, apply, verify, quarantine.
    /// - Returns: nil where the copy is repaired and what was taken from it is here; how the work ended otherwise.
    func mend(
        at address: DiskAddress, by agent: any Agent, _ standing: inout Standing
    ) async throws(StepFailure) -> MachineOutcome? {
        let result = await Result { () async throws(StepFailure) in
            try await bringBack(to: agent)
            return try await mendUnlocking(at: address, by: agent, &standing)
        }
        await dropBrought(agent)
        if standing.isUnlocked { await forgetKeys(address, agent) }
        return try result.get()
    }

    private func mendUnlocking(
        at address: DiskAddress, by agent: any Agent, _ standing: inout Standing
    ) async throws(StepFailure) -> MachineOutcome? {
        let scan = try await scanUnlocking(address, agent, &standing)
        guard context.configuration.command != .scan else { return self.outcome(of: scan) }
        switch scan.outcome.kind {
        case .repairable:
            if let refused = refusal(of: scan) { return refused }
        case .collected:
            if let refused = refusal(of: scan) { return refused }
            return try await collect(scan, at: address, agent)
        default: return self.outcome(of: scan)
        }
        guard try await confirm(scan) else {
            return MachineOutcome(.declined, "The operator said no. Nothing was changed.")
        }
        standing.changed = true
        let applied = try await apply(scan, at: address, agent)
        guard applied.outcome.kind == .repaired else { return self.outcome(of: applied) }
        try await verify(scan, applied)
        try await quarantine(scan, agent)
        return nil
    }

    /// Copies files to the operator, and changes nothing: nobody need be asked.
    private func collect(
        _ scan: Salvor_V1_ScanResponse, at address: DiskAddress, _ agent: any Agent
    ) async throws(StepFailure) -> MachineOutcome {
        let applied = try await apply(scan, at: address, agent)
        guard applied.outcome.kind == .collected else { return self.outcome(of: applied) }
        try await quarantine(scan, agent)
        let archive = try await archive()
        return MachineOutcome(
            .collected, "\(scan.toTake.count) files were copied to \(archive). Nothing was changed.")
    }

    /// - Parameter isLast: nobody else needs the rescue VM any more.
    func leave(_ attached: Attached, isLast: Bool) async throws(StepFailure) {
        if context.provider.retiringFreesCopies, isLast {
            await HostGroup.retireHost(attached.host.name, provider: context.provider, ledger: context.ledger)
        }
        try await detach(attached.copy, from: attached.host)
    }

    /// Stop, swap, start, boot proof. Taken up again after a crash it does not repeat what is on record.
    /// - Returns: nil where the run was interrupted.
    func bringBack(_ copy: RepairCopy, records: StepRecords) async -> MachineOutcome? {
        do throws(StepFailure) {
            if !records.isDone(.swap) { try await stop() }
            let swap = try await swap(to: copy, records)
            let proof = try await proveBoot(records)
            switch proof.verdict {
            case .booted:
                return MachineOutcome(
                    .repaired, "Repaired, and seen to boot: \(printable(proof.evidence)).", copyChanged: true)
            case .notProven:
                return MachineOutcome(
                    .bootNotProven, "Repaired and started; its boot was not proven: \(printable(proof.evidence)).",
                    nextStep:
                        "Look at the machine. “salvor rollback \(context.ledger.run)” puts the original disk back.",
                    copyChanged: true)
            case .failed:
                return try await bootFailed(proof, swap, records)
            }
        } catch  where error.isInterruption || Task.isCancelled {
            return nil
        } catch {
            return await swapOrBootFailed(error, copy)
        }
    }

    private func bootFailed(
        _ proof: BootProof, _ swap: Swap, _ records: StepRecords
    ) async throws(StepFailure) -> MachineOutcome? {
        let seen = "Repaired, but seen to fail at boot: \(printable(proof.evidence))."
        guard context.configuration.onBootFailure == .swapBack else {
            return MachineOutcome(
                .bootFailed, "\(seen) The repaired disk was left in place.",
                nextStep: "“salvor rollback \(context.ledger.run)” puts the original disk back.", copyChanged: true)
        }
        try await swapBack(swap, records)
        return await afterDeletingCopy(
            MachineOutcome(
                .bootFailed, "\(seen) The original disk was put back.",
                nextStep: "Read the console's log; the machine has more wrong with it than the recipe mends.",
                copyChanged: true))
    }

    /// A swap whose answer was lost may have been made, so it is undone; a boot that could not be tried leaves the
    /// repaired disk in place, because nothing speaks against it.
    private func swapOrBootFailed(_ failure: StepFailure, _ copy: RepairCopy) async -> MachineOutcome? {
        var outcome = failed(failure, copyChanged: true)
        switch failure.step {
        case .swap:
            do throws(StepFailure) {
                try await swapBack(Swap(machine: machine.name, original: machine.osDisk, repaired: copy.disk), nil)
            } catch {
                if error.isInterruption { return nil }
                outcome.message +=
                    " It could not be made sure that the original disk is in place: \(error.error.message)"
                outcome.nextStep = "“salvor rollback \(context.ledger.run)” tries again."
                return outcome
            }
            return await afterDeletingCopy(outcome)
        case .boot:
            outcome.message += " The repaired disk is in place; the boot could not be watched."
            outcome.nextStep += " Start the machine, or “salvor rollback \(context.ledger.run)”."
            return outcome
        default:
            outcome.message += " The repaired disk may still be in place."
            outcome.nextStep = "“salvor rollback \(context.ledger.run)” puts the original disk back."
            return outcome
        }
    }

    func failed(_ failure: StepFailure, copyChanged: Bool) -> MachineOutcome {
        // What an agent's status says is part of the message already.
        let cause = failure.error.cause.flatMap { $0 is RPCError ? nil : " (\($0))" } ?? ""
        return MachineOutcome(
            .failed, failure.error.message + cause, nextStep: failure.error.nextStep, failedStep: failure.step,
            errorCode: failure.error.code, copyChanged: copyChanged)
    }

    /// - Returns: false where the copy would not come off its host; it goes with the host then.
    private func hasDetached(_ copy: RepairCopy, from host: RescueHost) async -> Bool {
        do throws(StepFailure) {
            try await detach(copy, from: host)
            return true
        } catch {
            return false
        }
    }

    /// The outcome, with a word on the copy where it could not be deleted; nil where the run was interrupted.
    func afterDeletingCopy(_ outcome: MachineOutcome) async -> MachineOutcome? {
        do throws(StepFailure) {
            try await deleteCopy()
            return outcome
        } catch  where error.isInterruption {
            return nil
        } catch {
            var outcome = outcome
            outcome.message += " The repair copy is still there: \(error.error.message)"
            return outcome
        }
    }
}
