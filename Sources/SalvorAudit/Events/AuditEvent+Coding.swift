internal import SalvorJSON

extension AuditEvent {
    /// How each known kind is read.
    private static let readers: [String: @Sendable (any Decoder) throws -> AuditEvent] = [
        RunStarted.kind: { .runStarted(try RunStarted(from: $0)) },
        MachineFound.kind: { .machineFound(try MachineFound(from: $0)) },
        OriginalDigest.kind: { .originalDigest(try OriginalDigest(from: $0)) },
        PreflightRemark.kind: { .preflightRemark(try PreflightRemark(from: $0)) },
        StepStarted.kind: { .stepStarted(try StepStarted(from: $0)) },
        StepDone.kind: { .stepDone(try StepDone(from: $0)) },
        StepFailed.kind: { .stepFailed(try StepFailed(from: $0)) },
        ProviderCalls.kind: { .providerCalls(try ProviderCalls(from: $0)) },
        CopyMade.kind: { .copyMade(try CopyMade(from: $0)) },
        HostStarted.kind: { .hostStarted(try HostStarted(from: $0)) },
        AgentConnected.kind: { .agentConnected(try AgentConnected(from: $0)) },
        DiskAttached.kind: { .diskAttached(try DiskAttached(from: $0)) },
        WindowsFound.kind: { .windowsFound(try WindowsFound(from: $0)) },
        FileJudged.kind: { .fileJudged(try FileJudged(from: $0)) },
        FileQuarantined.kind: { .fileQuarantined(try FileQuarantined(from: $0)) },
        FileDeleted.kind: { .fileDeleted(try FileDeleted(from: $0)) },
        FileWritten.kind: { .fileWritten(try FileWritten(from: $0)) },
        VolumeChanged.kind: { .volumeChanged(try VolumeChanged(from: $0)) },
        Verified.kind: { .verified(try Verified(from: $0)) },
        Swapped.kind: { .swapped(try Swapped(from: $0)) },
        SwappedBack.kind: { .swappedBack(try SwappedBack(from: $0)) },
        BootProof.kind: { .bootProof(try BootProof(from: $0)) },
        CleanedUp.kind: { .cleanedUp(try CleanedUp(from: $0)) },
        Remains.kind: { .remains(try Remains(from: $0)) },
        OperatorDecision.kind: { .operatorDecision(try OperatorDecision(from: $0)) },
        Interrupted.kind: { .interrupted(try Interrupted(from: $0)) },
        Resumed.kind: { .resumed(try Resumed(from: $0)) },
        Outcome.kind: { .outcome(try Outcome(from: $0)) },
        RunEnded.kind: { .runEnded(try RunEnded(from: $0)) },
        Note.kind: { .note(try Note(from: $0)) },
        TornRecordDropped.kind: { .tornRecordDropped(try TornRecordDropped(from: $0)) },
        LogReplaced.kind: { .logReplaced(try LogReplaced(from: $0)) },
    ]

    /// Every kind that this version knows.
    package static var knownKinds: Set<String> { Set(readers.keys) }

    /// Reads the data of one event. What this version cannot read becomes ``unknown(kind:data:)`` and keeps its data.
    package init(kind: String, data decoder: any Decoder) throws {
        if let read = Self.readers[kind], let event = try? read(decoder) {
            self = event
        } else {
            self = .unknown(kind: kind, data: try JSONValue(from: decoder))
        }
    }

    /// Writes the data of this event, without its kind.
    package func encodeData(to encoder: any Encoder) throws {
        if case .unknown(_, let data) = self {
            try data.encode(to: encoder)
        } else {
            try payload?.encode(to: encoder)
        }
    }
}
