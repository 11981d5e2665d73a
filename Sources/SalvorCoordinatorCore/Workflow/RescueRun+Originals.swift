internal import SalvorAudit

/// What became of one original disk.
package struct OriginalCleanup: Hashable, Sendable, Codable {
    package enum State: String, Hashable, Sendable, Codable {
        case deleted
        /// By an earlier cleanup.
        case alreadyDeleted
        /// It was not to be deleted, or could not be.
        case kept
    }

    package var machine: String
    package var disk: String
    package var state: State
    /// Why it is kept, and what to do next; nil for one that is gone.
    package var reason: String?
    package var exitCode: Int32
}

extension RescueRun {
    /// Deletes the original disks of a finished run, each only where its machine runs well with the repaired one.
    /// After that there is no way back, so the operator is asked.
    /// - Returns: one for each machine of the run.
    /// - Throws: ``CoordinatorError/Code/declined``, and ``CoordinatorError/Code/conflict`` for a run that is not over or was
    ///   rolled back; nothing was changed then.
    package static func cleanUpOriginals(
        _ run: String, assumeYes: Bool, dependencies: RunDependencies
    ) async throws(CoordinatorError) -> [OriginalCleanup] {
        let session = try await RunSession.take(
            up: run, dependencies: dependencies, commandBegan: dependencies.clock.monotonic())
        guard session.record.state == .finished else {
            throw CoordinatorError(
                .conflict,
                "Run \(run) is not finished, so its original disks are still needed: it is \(session.record.state.rawValue).",
                nextStep: "“salvor resume \(run)” finishes a run. One that was rolled back uses its original disks.")
        }
        let records = try await session.journal.machines(ofRun: run)
        let intents = try await session.journal.intents(ofRun: run)
        let looks = records.map { OriginalLook($0, intents) }
        let swaps = looks.compactMap(\.swap)
        guard !swaps.isEmpty else { return looks.map(\.result) }
        try await session.recordResumption()
        if !assumeYes {
            let question = ConfirmationQuestion.deleteOriginals(run: run, swaps: swaps)
            guard await session.ledger.ask(question, dependencies.confirmation) else {
                try await session.endCleanup("the original disks are kept")
                throw CoordinatorError(
                    .declined, "The original disks of run \(run) were not deleted.",
                    nextStep: "Everything is as it was before.")
            }
        }
        var results: [OriginalCleanup] = []
        for look in looks { results.append(await session.deleteOriginal(look)) }
        let deleted = results.count { $0.state == .deleted }
        try await session.endCleanup("\(deleted) original disk(s) deleted")
        return results
    }
}

/// What the records say of a machine's original disk.
private struct OriginalLook: Sendable {
    let record: MachineRecord
    /// Of the disk that may be deleted.
    var swap: Swap?
    var result: OriginalCleanup

    init(_ record: MachineRecord, _ intents: [IntentRecord]) {
        self.record = record
        let machine = record.machine
        result = OriginalCleanup(
            machine: machine.name, disk: machine.osDisk.identifier, state: .kept, exitCode: ExitCode.success.rawValue)
        if intents.hasDeletedOriginal(of: machine.name) {
            result.state = .alreadyDeleted
            return
        }
        let steps = StepRecords(intents, machine: machine.name, attempt: record.attempt)
        guard !steps.isDone(.swapBack), let swap: Swap = try? steps.recorded(.swap) else {
            result.reason = "The run did not leave the machine with a repaired disk, so that it uses the original."
            return
        }
        self.swap = swap
    }
}

extension RunSession {
    /// The run is as finished as it was.
    fileprivate func endCleanup(_ summary: String) async throws(CoordinatorError) {
        let exitCode = record.exitCode ?? .success
        try await ledger.append(.runEnded(AuditEvent.RunEnded(summary: summary, exitCode: exitCode.rawValue)))
        try await journal.setState(
            .finished, ofRun: record.id, exitCode: exitCode, ended: record.ended, auditHead: ledger.audit.head)
        ledger.audit.close()
    }

    fileprivate func deleteOriginal(_ look: OriginalLook) async -> OriginalCleanup {
        var result = look.result
        guard let swap = look.swap else { return result }
        let provider = dependencies.provider
        do throws(StepFailure) {
            _ = try await ledger.perform(
                .deleteOriginal, on: StepSubject(machine: swap.machine, attempt: look.record.attempt),
                events: { _ in
                    [.cleanedUp(AuditEvent.CleanedUp(resource: "originalDisk", identifier: swap.original.identifier))]
                }
            ) {
                try await provider.deleteOriginal(of: swap)
                return Nothing()
            }
            result.state = .deleted
        } catch {
            result.reason = error.error.description
            result.exitCode = ExitCode(error.error).rawValue
        }
        return result
    }
}

extension [IntentRecord] {
    func hasDeletedOriginal(of machine: String) -> Bool {
        contains { $0.machine == machine && $0.step == .deleteOriginal && $0.conclusion?.result == .done }
    }
}
