internal import Logging
internal import SalvorAudit
internal import SalvorMessages

/// The machines that share one rescue VM, and that VM's life.
struct HostGroup: Sendable {
    let name: HostName
    let members: [MachineRescue]
    let context: RunContext
    let switchboard: any AgentSwitchboard
    let logger: Logger

    private struct End: Sendable {
        var rescue: MachineRescue
        /// nil where the run was interrupted.
        var outcome: MachineOutcome?
        var copyIsStuck: Bool
    }

    /// - Parameter record: keeps a machine's outcome, as soon as it is final.
    func run(record: @escaping @Sendable (Machine, MachineOutcome) async -> Void) async {
        let lease = HostLease(
            name: name, configuration: context.configuration, machines: members.map(\.machine),
            provider: context.provider,
            switchboard: switchboard, ledger: context.ledger,
            consoleLog: context.directory.consoleLog(of: name.host))
        await withTaskCancellationHandler {
            let onHost = Countdown(members.count)
            await withTaskGroup(of: End?.self) { group in
                for rescue in members {
                    group.addTask { await Self.run(rescue, on: lease, leaving: onHost, record: record) }
                }
                group.addTask {
                    // The host goes as soon as nothing is on it; the boots need no rescue VM.
                    await withTaskGroup { side in
                        side.addTask { await log(lease) }
                        await onHost.wait()
                        side.cancelAll()
                        await Self.end(
                            lease, switchboard: switchboard, provider: context.provider, ledger: context.ledger)
                    }
                    return nil
                }
                var stuck: [End] = []
                for await end in group {
                    if let end, end.copyIsStuck { stuck.append(end) }
                }
                for end in stuck {
                    guard let outcome = end.outcome, let final = await end.rescue.afterDeletingCopy(outcome) else {
                        continue
                    }
                    await record(end.rescue.machine, final)
                }
            }
        } onCancel: {
            lease.cancel()
        }
    }

    private static func run(
        _ rescue: MachineRescue, on lease: HostLease, leaving onHost: Countdown,
        record: @Sendable (Machine, MachineOutcome) async -> Void
    ) async -> End {
        let result = await rescue.repair(on: lease, leaving: onHost)
        await onHost.pass()
        switch result {
        case .interrupted: return End(rescue: rescue, outcome: nil, copyIsStuck: false)
        case .ended(let outcome, let copyIsStuck):
            // A stuck copy can go once its host has gone.
            if !copyIsStuck { await record(rescue.machine, outcome) }
            return End(rescue: rescue, outcome: outcome, copyIsStuck: copyIsStuck)
        case .repaired(let copy):
            let outcome = await rescue.bringBack(copy, records: StepRecords())
            if let outcome { await record(rescue.machine, outcome) }
            return End(rescue: rescue, outcome: outcome, copyIsStuck: false)
        }
    }

    /// Ends the host, in an interrupted run as well: a task of its own is not cancelled with the run's.
    static func end(
        _ lease: HostLease, switchboard: any AgentSwitchboard, provider: any Provider, ledger: RunLedger
    ) async {
        lease.cancel()
        await lease.settled()
        await switchboard.release(lease.name)
        _ = await Task { await deleteHost(lease.name, provider: provider, ledger: ledger) }.value
    }

    /// Begins to end the host that its last copy is about to leave, which saves the call that would detach it.
    static func retireHost(_ name: HostName, provider: any Provider, ledger: RunLedger) async {
        // Where it cannot be done the copy is detached as any other is, and the host is ended afterwards.
        _ = try? await ledger.perform(.retireHost, on: StepSubject(machine: nil, host: name)) {
            try await provider.retireHost(named: name)
            return Nothing()
        }
    }

    /// - Returns: whether the host is gone.
    @discardableResult
    static func deleteHost(_ name: HostName, provider: any Provider, ledger: RunLedger) async -> Bool {
        do throws(StepFailure) {
            _ = try await ledger.perform(
                .deleteHost, on: StepSubject(machine: nil, host: name),
                change: ResourceChange(kind: .host, name: "\(name.number)", atIntent: nil, whenDone: .gone),
                events: { _ in [.cleanedUp(AuditEvent.CleanedUp(resource: "rescueHost", identifier: name.description))]
                }
            ) {
                try await provider.deleteHost(named: name)
                return Nothing()
            }
            return true
        } catch {
            return false
        }
    }

    /// Passes on what the agent logs. Best effort: the work does not depend on it.
    private func log(_ lease: HostLease) async {
        do {
            let agent = try await lease.agent()
            let logger = logger
            let host = name.host
            try await agent.logs { record in
                // A peer's words: bounded, and none of them can take the place of ours.
                let facts = record.metadata.sorted { $0.key < $1.key }.prefix(16).map {
                    "\(printable($0.key.prefix(64)))=\(printable($0.value.prefix(512)))"
                }
                logger.debug(
                    "\(([printable(record.message)] + facts).joined(separator: " "))",
                    metadata: ["host": "\(host)", "level": "\(printable(record.level))"])
            }
        } catch {
            logger.debug("no more logs from \(name.host): \(error)")
        }
    }
}
