internal import SalvorAudit
internal import SalvorDigest

/// What `create` left for the commands after it, by the journal: a copy where an agent can work on it.
struct CreatedMachine: Sendable {
    enum Standing: Sendable {
        case untouched
        /// Verified, and what was taken from it is in the quarantine.
        case repaired
        /// A repair was begun, and did not come to that end.
        case halfRepaired
    }

    let record: MachineRecord
    let attached: MachineRescue.Attached
    /// SHA-256 of the certificate that the agent was given.
    let certificate: Digest
    let standing: Standing
    let steps: StepRecords

    /// nil where the machine's present attempt has no copy on a rescue VM.
    init?(_ record: MachineRecord, _ intents: [IntentRecord]) {
        let own = intents.filter { $0.machine == record.machine.name && $0.attempt == record.attempt }
        func lastDone(_ step: StepName, _ intents: [IntentRecord]) -> IntentRecord? {
            intents.last { $0.step == step && $0.conclusion?.result == .done }
        }
        guard let attach = lastDone(.attach, own), let copy: RepairCopy = lastDone(.copy, own)?.recordedValue(),
            let address: DiskAddress = attach.recordedValue()
        else { return nil }
        let ofHost = intents.filter { $0.machine == nil && $0.host == attach.host }
        guard let host: RescueHost = lastDone(.host, ofHost)?.recordedValue(),
            let agent: AgentIdentity = lastDone(.connect, ofHost)?.recordedValue()
        else { return nil }
        self.record = record
        attached = MachineRescue.Attached(copy: copy, host: host, address: address)
        certificate = agent.certificate
        steps = StepRecords(intents, machine: record.machine.name, attempt: record.attempt)
        standing = Self.standing(own)
    }

    /// By the last repair alone: one that failed undoes the success of those before it.
    private static func standing(_ intents: [IntentRecord]) -> Standing {
        guard let begun = intents.lastIndex(where: { $0.step == .apply }) else { return .untouched }
        let since = intents[begun...].filter { $0.conclusion?.result == .done }.map(\.step)
        return [.apply, .verify, .quarantine].allSatisfy(since.contains) ? .repaired : .halfRepaired
    }
}

extension IntentRecord {
    fileprivate func recordedValue<Value: Decodable>() -> Value? {
        conclusion?.value.flatMap { try? JSONText.decode(from: $0) }
    }
}
