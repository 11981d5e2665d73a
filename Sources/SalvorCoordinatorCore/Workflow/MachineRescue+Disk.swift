internal import SalvorSystem
internal import SalvorAudit

/// The steps that the provider carries out.
extension MachineRescue {
    private var subject: StepSubject { StepSubject(machine: machine.name, attempt: attempt) }

    private func subject(_ host: RescueHost) -> StepSubject {
        StepSubject(machine: machine.name, host: host.name, attempt: attempt)
    }

    func preflight() async throws(StepFailure) {
        _ = try await context.ledger.perform(
            .preflight, on: subject,
            events: { (remarks: [String]) in
                remarks.map { .preflightRemark(AuditEvent.PreflightRemark(remark: $0)) }
            }
        ) {
            try await context.provider.preflight(machine)
        }
    }

    func stop() async throws(StepFailure) {
        guard context.provider.mustStopMachines else { return }
        _ = try await context.ledger.perform(.stop, on: subject) {
            try await context.provider.stop(machine)
            return Nothing()
        }
    }

    func copyDisk() async throws(StepFailure) -> RepairCopy {
        try await context.copies.run { () async throws(StepFailure) in
            try await context.ledger.perform(
                .copy, on: subject,
                change: ResourceChange(kind: .copy, name: machine.name, atIntent: .intended, whenDone: .made),
                events: { copy in
                    [
                        .copyMade(
                            AuditEvent.CopyMade(
                                original: machine.osDisk.identity, copy: copy.disk.identity,
                                dependsOnOriginal: copy.dependsOnOriginal))
                    ]
                }
            ) {
                try await context.provider.copyDisk(of: machine, to: name)
            }
        }
    }

    func attach(_ copy: RepairCopy, to host: RescueHost) async throws(StepFailure) -> DiskAddress {
        try await context.ledger.perform(
            .attach, on: subject(host),
            events: { [.diskAttached(AuditEvent.DiskAttached(address: $0.shown))] }
        ) {
            try await context.provider.attach(copy, to: host)
        }
    }

    func detach(_ copy: RepairCopy, from host: RescueHost) async throws(StepFailure) {
        _ = try await context.ledger.perform(.detach, on: subject(host)) {
            try await context.provider.detach(copy, from: host)
            return Nothing()
        }
    }

    func swap(to copy: RepairCopy, _ records: StepRecords) async throws(StepFailure) -> Swap {
        if let swap: Swap = try records.recorded(.swap) { return swap }
        return try await context.ledger.perform(
            .swap, on: subject,
            change: ResourceChange(kind: .copy, name: machine.name, atIntent: nil, whenDone: .inUse),
            events: { swap in
                [
                    .swapped(
                        AuditEvent.Swapped(
                            original: swap.original.identity, repaired: swap.repaired.identity,
                            wayBack: "salvor rollback \(context.ledger.run)"))
                ]
            }
        ) {
            try await context.provider.swap(machine, to: copy)
        }
    }

    func proveBoot(_ records: StepRecords) async throws(StepFailure) -> BootProof {
        if let proof: BootProof = try records.recorded(.boot) { return proof }
        return try await context.boots.run { () async throws(StepFailure) in
            try await context.ledger.perform(
                .boot, on: subject,
                events: { proof in
                    [
                        .bootProof(
                            AuditEvent.BootProof(
                                verdict: AuditEvent.BootVerdict(rawValue: proof.verdict.rawValue),
                                evidence: proof.evidence, took: .seconds(proof.seconds),
                                consoleLog: proof.consoleLog))
                    ]
                }
            ) {
                try await context.provider.startAndProveBoot(
                    machine, consoleLog: context.directory.consoleLog(of: machine.name))
            }
        }
    }

    /// - Parameter records: nil where it is to be done whatever is on record.
    func swapBack(_ swap: Swap, _ records: StepRecords?) async throws(StepFailure) {
        if let records, let _: Nothing = try records.recorded(.swapBack) { return }
        _ = try await context.ledger.perform(
            .swapBack, on: subject,
            change: ResourceChange(kind: .copy, name: machine.name, atIntent: nil, whenDone: .made),
            events: { _ in
                [
                    .swappedBack(
                        AuditEvent.SwappedBack(original: swap.original.identity, repaired: swap.repaired.identity))
                ]
            }
        ) {
            try await context.provider.swapBack(swap)
            return Nothing()
        }
    }

    func deleteCopy() async throws(StepFailure) {
        _ = try await context.ledger.perform(
            .deleteCopy, on: subject,
            change: ResourceChange(kind: .copy, name: machine.name, atIntent: nil, whenDone: .gone),
            events: { _ in
                [.cleanedUp(AuditEvent.CleanedUp(resource: "repairCopy", identifier: machine.name))]
            }
        ) {
            try await context.provider.deleteCopy(named: name)
            return Nothing()
        }
    }
}

extension OSDisk {
    var identity: AuditEvent.DiskIdentity {
        AuditEvent.DiskIdentity(identifier: identifier, format: format, sizeBytes: sizeBytes)
    }
}

extension DiskAddress {
    var shown: String {
        switch self {
        case .serial(let serial): "serial \(serial)"
        case .lun(let lun): "lun \(lun)"
        case .diskGUID(let guid): "disk GUID \(guid)"
        }
    }
}
