internal import SalvorDigest

/// Folds the records about one machine into its part of the report.
struct MachineReportBuilder {
    private(set) var report: MachineReport
    private var steps = StepBuilder()

    init(name: String) { report = MachineReport(name: name) }

    mutating func add(_ record: AuditRecord) {
        steps.add(record)
        switch record.event {
        case .machineFound(let event):
            report.definition = event.definition
            report.disk = event.disk
            report.details = event.details
        case .originalDigest(let event):
            if report.originalSHA256 == nil {
                report.originalSHA256 = event.sha256
            } else {
                report.originalSHA256After = event.sha256
            }
        case .diskAttached(let event):
            report.attachment = .init(host: record.host, address: event.address, device: event.device)
        case .windowsFound(let event):
            report.installations.removeAll {
                $0.volumeNumber == event.volumeNumber && $0.systemRoot == event.systemRoot
            }
            report.installations.append(event)
        case .fileJudged(let event): judge(event)
        case .fileQuarantined(let event):
            change(event.path) { $0.quarantinedAt = event.storedAt }
        case .fileDeleted(let event):
            change(event.path) { $0.deletedAt = record.time }
        case .fileWritten(let event):
            change(event.path) {
                $0.writtenAt = record.time
                $0.resultSHA256 = event.sha256
            }
        case .verified(let event):
            report.verifications.removeAll { $0.volumeNumber == event.volumeNumber }
            report.verifications.append(event)
        case .copyMade(let event): report.copy = event
        case .swapped(let event): report.swap = event
        case .swappedBack: report.swap = nil
        case .bootProof(let event):
            report.bootProof = .init(
                verdict: event.verdict, evidence: event.evidence, milliseconds: event.milliseconds,
                consoleLog: event.consoleLog, time: record.time)
        case .outcome(let event): report.outcome = event
        default: break
        }
        if let text = Self.action(record) { report.actions.append(.init(time: record.time, text: text)) }
    }

    consuming func finished() -> MachineReport {
        report.steps = steps.steps
        return report
    }

    /// Scan and Apply both judge, and so does a resumed run: the last judgement stands, and what became of the file stays.
    private mutating func judge(_ event: AuditEvent.FileJudged) {
        var file = FileReport(
            rule: event.rule, volumeNumber: event.volumeNumber, path: event.path, sizeBytes: event.sizeBytes,
            sha256: event.sha256, header: event.header, times: event.times, verdict: event.verdict,
            reason: event.reason, action: event.action)
        let same = report.files.firstIndex { $0.path == event.path && $0.volumeNumber == event.volumeNumber }
        guard let same else {
            report.files.append(file)
            return
        }
        file.quarantinedAt = report.files[same].quarantinedAt
        file.deletedAt = report.files[same].deletedAt
        file.writtenAt = report.files[same].writtenAt
        file.resultSHA256 = report.files[same].resultSHA256
        report.files[same] = file
    }

    private mutating func change(_ path: GuestPath, _ body: (inout FileReport) -> Void) {
        guard let index = report.files.firstIndex(where: { $0.path == path }) else { return }
        body(&report.files[index])
    }

    /// What the event did to the machine or for it, in a sentence; nil for an event that did nothing.
    private static func action(_ record: AuditRecord) -> String? {
        switch record.event {
        case .copyMade(let event):
            let form =
                event.dependsOnOriginal
                ? "which holds only what differs from the original" : "independent of the original"
            return "Copied the disk to \(event.copy.identifier) (\(event.copy.format)), \(form)."
        case .diskAttached(let event):
            return "Attached the copy to \(record.host ?? "the rescue VM") as \(event.address)."
        case .volumeChanged(let event): return "Changed volume \(event.volumeNumber): \(event.what)"
        case .fileQuarantined(let event):
            return "Fetched what was there, \(event.path.display), into the quarantine: \(event.storedAt)."
        case .fileDeleted(let event): return "Deleted \(event.path.display) from the copy."
        case .fileWritten(let event):
            return "Wrote \(counted(Int(event.sizeBytes), "byte")) to \(event.path.display) on the copy."
        case .verified(let event):
            let tables = event.tablesUnchanged ? "partition tables unchanged" : "partition tables CHANGED"
            let written =
                event.writtenFiles.flatMap { $0 == 0 ? nil : "\(counted(Int($0), "file")) as written, " } ?? ""
            return
                "Verified volume \(event.volumeNumber) with a read-only mount: \(counted(Int(event.absentFiles), "file")) gone, \(written)"
                + "\(counted(Int(event.unchangedFiles), "kept file")) unchanged, \(tables)."
        case .swapped(let event):
            return
                "Made \(event.repaired.identifier) the machine's disk; the original stays at \(event.original.identifier)."
        case .swappedBack(let event): return "Put the original disk \(event.original.identifier) back."
        case .bootProof(let event):
            switch event.verdict {
            case .booted: return "Started the machine and saw it boot."
            case .failed: return "Started the machine and saw it fail to boot."
            default: return "Started the machine; whether it boots was not seen in time."
            }
        case .cleanedUp(let event): return "Removed \(event.resource) \(event.identifier)."
        default: return nil
        }
    }
}
