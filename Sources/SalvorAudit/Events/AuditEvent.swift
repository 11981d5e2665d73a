package import SalvorJSON

/// What happened, as the audit log keeps it.
///
/// Each case carries one payload type. No payload has room for a token, a key or a password: what the log may say is
/// decided here, by type. Strings that came from a guest (paths, labels, console output) are kept raw; whoever prints
/// them uses ``printable(_:)``.
///
/// The set grows. A reader keeps what it does not know as ``unknown(kind:data:)``, and so does a writer that copies it.
package enum AuditEvent: Hashable, Sendable {
    case runStarted(RunStarted)
    case machineFound(MachineFound)
    case originalDigest(OriginalDigest)
    case preflightRemark(PreflightRemark)
    case stepStarted(StepStarted)
    case stepDone(StepDone)
    case stepFailed(StepFailed)
    case providerCalls(ProviderCalls)
    case copyMade(CopyMade)
    case hostStarted(HostStarted)
    case agentConnected(AgentConnected)
    case diskAttached(DiskAttached)
    case windowsFound(WindowsFound)
    case fileJudged(FileJudged)
    case fileQuarantined(FileQuarantined)
    case fileDeleted(FileDeleted)
    case fileWritten(FileWritten)
    case volumeChanged(VolumeChanged)
    case verified(Verified)
    case swapped(Swapped)
    case swappedBack(SwappedBack)
    case bootProof(BootProof)
    case cleanedUp(CleanedUp)
    case remains(Remains)
    case operatorDecision(OperatorDecision)
    case interrupted(Interrupted)
    case resumed(Resumed)
    case outcome(Outcome)
    case runEnded(RunEnded)
    case note(Note)
    case tornRecordDropped(TornRecordDropped)
    case logReplaced(LogReplaced)
    /// Written by another version of Salvor: a kind that this one does not know, or a known kind that it cannot read.
    case unknown(kind: String, data: JSONValue)
}

/// What one kind of event carries.
package protocol AuditPayload: Hashable, Sendable, Codable {
    /// The kind's name in the log. Never changed and never given to another payload once a log has been written.
    static var kind: String { get }
    /// Whether the record must be on the disk before the log goes on: true for all that announces or reports an effect.
    static var announcesEffect: Bool { get }
}

extension AuditPayload {
    package static var announcesEffect: Bool { true }
}

extension AuditEvent {
    /// The payload, nil for an unknown event.
    package var payload: (any AuditPayload)? {
        switch self {
        case .runStarted(let payload): payload
        case .machineFound(let payload): payload
        case .originalDigest(let payload): payload
        case .preflightRemark(let payload): payload
        case .stepStarted(let payload): payload
        case .stepDone(let payload): payload
        case .stepFailed(let payload): payload
        case .providerCalls(let payload): payload
        case .copyMade(let payload): payload
        case .hostStarted(let payload): payload
        case .agentConnected(let payload): payload
        case .diskAttached(let payload): payload
        case .windowsFound(let payload): payload
        case .fileJudged(let payload): payload
        case .fileQuarantined(let payload): payload
        case .fileDeleted(let payload): payload
        case .fileWritten(let payload): payload
        case .volumeChanged(let payload): payload
        case .verified(let payload): payload
        case .swapped(let payload): payload
        case .swappedBack(let payload): payload
        case .bootProof(let payload): payload
        case .cleanedUp(let payload): payload
        case .remains(let payload): payload
        case .operatorDecision(let payload): payload
        case .interrupted(let payload): payload
        case .resumed(let payload): payload
        case .outcome(let payload): payload
        case .runEnded(let payload): payload
        case .note(let payload): payload
        case .tornRecordDropped(let payload): payload
        case .logReplaced(let payload): payload
        case .unknown: nil
        }
    }

    /// The kind's name in the log.
    package var kind: String {
        if case .unknown(let kind, _) = self { return kind }
        return payload.map { type(of: $0).kind } ?? ""
    }

    /// See ``AuditPayload/announcesEffect``; what is not understood is kept as if it did.
    package var announcesEffect: Bool { payload.map { type(of: $0).announcesEffect } ?? true }
}
