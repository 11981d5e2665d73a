internal import Foundation
internal import SalvorAudit
internal import SalvorDigest
internal import SalvorMessages
internal import SalvorSystem
internal import Synchronization

/// The steps that the agent carries out.
extension MachineRescue {
    /// What came of an Apply.
    struct Applied: Sendable {
        var outcome: Salvor_V1_Outcome
        var deleted: [Salvor_V1_FileDeleted] = []
        var verified: [Salvor_V1_VerifiedVolume] = []
    }

    func scan(_ address: DiskAddress, _ agent: any Agent) async throws(StepFailure) -> Salvor_V1_ScanResponse {
        let response = try await context.ledger.perform(
            .scan, on: subject(agent), recording: { try JSONText.encode(EndRecord($0.outcome)) }
        ) {
            try await agent.scan(address, of: machine.name, recipe: recipe)
        }
        do throws(CoordinatorError) {
            for event in response.auditEvents { try await context.ledger.append(event, subject(agent), by: .agent) }
        } catch {
            throw StepFailure(step: .scan, error: error, isInterruption: false)
        }
        return response
    }

    /// Waits for the scans of all machines and for the operator.
    func confirm(_ scan: Salvor_V1_ScanResponse) async throws(StepFailure) -> Bool {
        let plan = RepairPlan(
            machine: machine.name, originalDisk: machine.osDisk,
            changes: scan.toChange.map { finding in
                RepairPlan.Change(
                    path: GuestPath(finding.path), action: finding.action.auditCode, sizeBytes: finding.sizeBytes,
                    sha256: finding.digest,
                    verdict: finding.verdict.auditCode, reason: finding.reason)
            },
            volumeChanges: scan.volumeChanges)
        return try await context.ledger.perform(
            .confirm, on: StepSubject(machine: machine.name, attempt: attempt)
        ) {
            await context.gate.submit(plan)
        }
    }

    func apply(
        _ scan: Salvor_V1_ScanResponse, at address: DiskAddress, _ agent: any Agent
    ) async throws(StepFailure) -> Applied {
        let subject = subject(agent)
        let request = applyRequest(scan, at: address)
        return try await context.ledger.perform(
            .apply, on: subject, recording: { try JSONText.encode(EndRecord($0.outcome)) }
        ) {
            let seen = Mutex(Applied(outcome: Salvor_V1_Outcome()))
            let ledger = context.ledger
            let outcome = try await agent.apply(request, to: machine.name) { event in
                seen.withLock { $0.note(event) }
                for record in event.auditEvents { try await ledger.append(record, subject, by: .agent) }
                if let detail = event.progressDetail { ledger.tell(.apply, subject, .advanced(detail: detail)) }
            }
            return seen.withLock { applied in
                applied.outcome = outcome
                return applied
            }
        }
    }

    /// Compares what was to be done with what the agent saw after it.
    func verify(_ scan: Salvor_V1_ScanResponse, _ applied: Applied) async throws(StepFailure) {
        let ledger = context.ledger
        _ = try await ledger.perform(.verify, on: StepSubject(machine: machine.name, attempt: attempt)) {
            try RepairCheck(machine: machine.name, expected: scan.toChange).check(verified: applied.verified)
            let since = ledger.clock.monotonic() - ledger.commandBegan
            return VerifiedRecord(millisecondsSinceCommand: since.wholeMilliseconds)
        }
    }

    /// Takes over what the agent has removed. Only what is stored here, checked, is forgotten there.
    func quarantine(_ scan: Salvor_V1_ScanResponse, _ agent: any Agent) async throws(StepFailure) {
        let folder = context.directory.quarantine(of: machine.name)
        _ = try await context.ledger.perform(
            .quarantine, on: subject(agent),
            events: { (files: [QuarantineManifest.File]) in
                files.map { file in
                    .fileQuarantined(
                        AuditEvent.FileQuarantined(
                            path: file.path, sizeBytes: file.sizeBytes, sha256: file.sha256,
                            storedAt: "\(folder)/\(file.storedAs)"))
                }
            }
        ) {
            let store = QuarantineStore(folder: folder, run: context.ledger.run, machine: machine.name)
            try await agent.fetchQuarantine(quarantineID, of: machine.name, into: store)
            let files = await store.files
            try RepairCheck(machine: machine.name, expected: scan.toChange).check(scan.toTake, stored: files)
            try await agent.discardQuarantine(quarantineID, of: machine.name)
            return files
        }
    }

    /// Puts what was collected into one archive.
    /// - Returns: its path.
    func archive() async throws(StepFailure) -> String {
        let folder = context.directory.quarantine(of: machine.name)
        do throws(CoordinatorError) {
            let files = try await QuarantineStore.files(in: folder).filter { $0.action == .collect }
            return try await Blocking.run { () throws(CoordinatorError) in try QuarantineArchive.make(files, in: folder)
            }
        } catch {
            throw StepFailure(step: .quarantine, error: error, isInterruption: false)
        }
    }

    /// [a-z0-9-], 1 to 64 characters, whatever the machine is called: apply.proto.
    var quarantineID: String {
        "\(attempt)-\(SHA256.digest(of: Array("\(context.ledger.run)/\(machine.name)".utf8)).hex.prefix(32))"
    }

    private func subject(_ agent: any Agent) -> StepSubject {
        StepSubject(machine: machine.name, host: agent.host, attempt: attempt)
    }

    private func applyRequest(_ scan: Salvor_V1_ScanResponse, at address: DiskAddress) -> Salvor_V1_ApplyRequest {
        var request = Salvor_V1_ApplyRequest()
        request.disk = address.selector
        request.recipe = recipe
        request.expected = scan.findings
        request.quarantineID = quarantineID
        return request
    }

    /// The run's recipe; of an undo, with what this machine's files are put back from.
    private var recipe: Salvor_V1_Recipe {
        guard context.configuration.undoes != nil else { return context.recipe }
        var recipe = context.recipe
        recipe.putBackFrom = putBackID
        return recipe
    }

    private var putBackID: String { "back-\(quarantineID)".prefix(64).description }

    /// Brings to the rescue VM what an earlier run took from this machine, where this run undoes that one.
    func bringBack(to agent: any Agent) async throws(StepFailure) {
        guard let undone = context.configuration.undoes else { return }
        _ = try await context.ledger.perform(.store, on: subject(agent)) {
            let source = try await QuarantineSource.open(
                context.state.run(undone).quarantine(of: machine.name), run: undone, machine: machine.name)
            try await agent.storeQuarantine(putBackID, of: machine.name, from: source)
            return Nothing()
        }
    }

    /// Best effort: what was brought to the rescue VM goes with it at the latest.
    func dropBrought(_ agent: any Agent) async {
        guard context.configuration.undoes != nil else { return }
        try? await agent.discardQuarantine(putBackID, of: machine.name)
    }

    func outcome(of scan: Salvor_V1_ScanResponse) -> MachineOutcome {
        MachineOutcome(scan.outcome, during: .scan)
    }

    func outcome(of applied: Applied) -> MachineOutcome {
        MachineOutcome(applied.outcome, during: .apply)
    }
}

/// The time at which a machine's disk was unmounted and verified.
struct VerifiedRecord: Codable, Sendable {
    var millisecondsSinceCommand: Int
}

/// How a scan or an apply ended, as the journal keeps it.
private struct EndRecord: Codable, Sendable {
    var kind: Int
    var message: String

    init(_ outcome: Salvor_V1_Outcome) {
        kind = outcome.kind.rawValue
        message = outcome.message
    }
}

extension MachineRescue.Applied {
    fileprivate mutating func note(_ event: Salvor_V1_ApplyEvent) {
        switch event.event {
        case .deleted(let file): deleted.append(file)
        case .verified(let volume): verified.append(volume)
        default: break
        }
    }
}
