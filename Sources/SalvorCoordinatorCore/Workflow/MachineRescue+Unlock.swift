internal import SalvorAudit
internal import SalvorMessages

/// Volumes that are locked: the sources of keys are asked, one after the other, until the disk can be looked at.
extension MachineRescue {
    func scanUnlocking(
        _ address: DiskAddress, _ agent: any Agent, _ standing: inout Standing
    ) async throws(StepFailure) -> Salvor_V1_ScanResponse {
        var response = try await scan(address, agent)
        var tried: [String] = []
        for source in context.keySources where response.outcome.kind == .locked {
            let answer = try await unlock(response, address, agent, source)
            guard let answer else { continue }
            tried += answer.volumes.map { "Volume \($0.volume.volumeNumber): \($0.message)" }
            guard answer.volumes.contains(where: { $0.result == .unlocked }) else { continue }
            standing.isUnlocked = true
            response = try await scan(address, agent)
        }
        if response.outcome.kind == .locked, !tried.isEmpty {
            response.outcome.message += " " + tried.joined(separator: " ")
        }
        return response
    }

    /// Keys are held for as long as they are needed. Best effort: they go with the rescue VM at the latest.
    func forgetKeys(_ address: DiskAddress, _ agent: any Agent) async {
        do throws(CoordinatorError) {
            try await agent.forgetKeys(of: address, on: machine.name)
        } catch {
            context.ledger.tell(
                nil, StepSubject(machine: machine.name, host: agent.host, attempt: attempt),
                .remark("The agent could not be told to forget the keys of the disk. \(error.message)"))
        }
    }

    /// - Returns: nil where the source has no key for any of the volumes.
    private func unlock(
        _ scan: Salvor_V1_ScanResponse, _ address: DiskAddress, _ agent: any Agent, _ source: any KeySource
    ) async throws(StepFailure) -> Salvor_V1_UnlockResponse? {
        let request = KeyRequest(
            machine: machine, volumes: scan.encrypted.filter { !$0.unlocked }.map { KeyRequest.Volume($0) })
        let subject = StepSubject(machine: machine.name, host: agent.host, attempt: attempt)
        // The journal learns whether, and never with what.
        return try await context.ledger.perform(
            .unlock, on: subject,
            recording: { answer in try JSONText.encode(answer?.volumes.map { $0.result.rawValue } ?? []) },
            events: { answer in
                guard let answer else { return [.note(AuditEvent.Note(text: "\(source.name) has no key."))] }
                return answer.volumes.map {
                    .note(
                        AuditEvent.Note(
                            text: "Volume \($0.volume.volumeNumber), with keys from \(source.name): \($0.message)"))
                }
            }
        ) {
            let keys = try await source.keys(for: request)
            return keys.isEmpty ? nil : try await agent.unlock(address, of: machine.name, with: keys)
        }
    }
}

extension KeyRequest.Volume {
    init(_ volume: Salvor_V1_EncryptedVolume) {
        self.init(
            number: volume.volumeNumber, partitionGUID: volume.partitionGuid, volumeGUID: volume.volumeGuid,
            protectors: volume.protectors.map { KeyRequest.Protector(guid: $0.guid, kind: ProtectorKind($0.kind)) })
    }
}

extension ProtectorKind {
    init(_ kind: Salvor_V1_KeyProtector.Kind) {
        self =
            switch kind {
            case .clearKey: .clearKey
            case .tpm: .tpm
            case .startupKey: .startupKey
            case .tpmAndStartupKey: .tpmAndStartupKey
            case .tpmAndPin: .tpmAndPIN
            case .recoveryPassword: .recoveryPassword
            case .smartCard: .smartCard
            case .password: .password
            case .unknown, .unspecified, .UNRECOGNIZED: .unknown
            }
    }
}
