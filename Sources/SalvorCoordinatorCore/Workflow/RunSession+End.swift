internal import SalvorAudit

extension RunSession {
    /// Brings the run to its end, or marks it interrupted, and says what is left over.
    func end(as state: RunRecord.State) async throws(CoordinatorError) -> RunResult {
        let records = try await journal.machines(ofRun: record.id)
        let isInterrupted = state != .rolledBack && records.contains { $0.outcome == nil }
        var result = try await result(records, isInterrupted: isInterrupted)
        if !isInterrupted { result.remarks = await leftovers() }

        if isInterrupted {
            try await ledger.append(.interrupted(AuditEvent.Interrupted(reason: "The run was interrupted.")))
        } else {
            try await ledger.append(
                .runEnded(AuditEvent.RunEnded(summary: result.summary, exitCode: result.exitCode.rawValue)))
        }
        try await journal.setState(
            isInterrupted ? .interrupted : state, ofRun: record.id, exitCode: result.exitCode,
            ended: isInterrupted ? nil : dependencies.clock.wall(), auditHead: ledger.audit.head)
        ledger.audit.close()
        return result
    }

    /// What is on record of the run.
    func result(_ records: [MachineRecord], isInterrupted: Bool) async throws(CoordinatorError) -> RunResult {
        let phases = try await journal.phases(ofRun: record.id)
        let intents = try await journal.intents(ofRun: record.id)
        return RunResult(
            run: record.id, command: record.configuration.command,
            machines: records.map { record in
                let name = record.machine.name
                return RunResult.MachineResult(
                    machine: record.machine, outcome: record.outcome,
                    phases: phases.filter { $0.machine == name },
                    untilVerified: Self.untilVerified(intents, machine: name),
                    quarantine: directory.quarantine(of: name), consoleLog: directory.consoleLog(of: name))
            },
            hostPhases: phases.filter { $0.machine == nil }, remarks: [], isInterrupted: isInterrupted,
            auditLog: directory.auditLog, took: dependencies.clock.monotonic() - ledger.commandBegan)
    }

    private static func untilVerified(_ intents: [IntentRecord], machine: String) -> Duration? {
        let verified = intents.last { $0.machine == machine && $0.step == .verify && $0.conclusion?.result == .done }
        // A later attempt counts from its own command, which is not what was asked.
        guard let verified, verified.attempt == 1, let text = verified.conclusion?.value,
            let record = try? JSONText.decode(VerifiedRecord.self, from: text)
        else { return nil }
        return .milliseconds(record.millisecondsSinceCommand)
    }

    /// Compares what the provider still has of the run with what is meant to stay.
    private func leftovers() async -> [String] {
        do {
            let inUse = try await disksInUse()
            var remarks: [String] = []
            for resource in try await dependencies.provider.resources(ofRun: record.id) {
                // A machine's own disk, and a machine that runs, are what the run is for.
                switch resource.kind {
                case .bootedMachine: continue
                case .repairCopy where inUse.contains(resource.identifier): continue
                case .repairCopy, .rescueHost, .configDisk: break
                }
                try await ledger.append(
                    .remains(
                        AuditEvent.Remains(
                            resource: resource.kind.rawValue, identifier: resource.identifier,
                            why: "it could not be removed", removal: "salvor rollback \(record.id)")))
                remarks.append("Left over: \(resource.kind.rawValue) \(printable(resource.identifier)).")
            }
            return remarks
        } catch {
            return ["What is left over could not be found out: \(error)"]
        }
    }

    /// The identifiers of the copies that are their machines' OS disks now.
    private func disksInUse() async throws(CoordinatorError) -> Set<String> {
        let names = Set(
            try await journal.resources(ofRun: record.id).filter { $0.kind == .copy && $0.state == .inUse }.map(\.name))
        let swaps = try await journal.intents(ofRun: record.id).compactMap { intent -> Swap? in
            guard intent.step == .swap, intent.conclusion?.result == .done, let text = intent.conclusion?.value else {
                return nil
            }
            return try? JSONText.decode(Swap.self, from: text)
        }
        return Set(swaps.filter { names.contains($0.machine) }.map(\.repaired.identifier))
    }
}
