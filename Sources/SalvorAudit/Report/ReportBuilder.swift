internal import SalvorDigest

extension Report {
    /// Makes the report of one run from its proven records.
    /// - Parameter madeAt: the time now.
    package init(_ reading: AuditReading, madeAt: WallTime) {
        var builder = ReportBuilder(reading: reading, madeAt: madeAt)
        for record in reading.records { builder.add(record) }
        self = builder.finished()
    }
}

extension Report.LogProof {
    init(_ verdict: AuditVerdict) {
        finding =
            switch verdict.finding {
            case .intact: .intact
            case .torn: .torn
            case .broken: .broken
            case .truncated: .truncated
            }
        isSound = verdict.isSound
        statement = verdict.statement
        firstBadLine = verdict.firstBadLine
        provenRecords = verdict.head.count
        lastSHA256 = verdict.head.sha256
        comparedWithJournal = verdict.comparedWithJournal
    }
}

/// Folds records, in the order of the log, into a report.
struct ReportBuilder {
    private var report: Report
    private var machines: [String: MachineReportBuilder] = [:]
    private var machineOrder: [String] = []
    private var hosts: [String: HostReport] = [:]
    private var hostOrder: [String] = []
    private var steps = StepBuilder()
    /// What the run made and has not cleaned up, in order; what the log itself says remains comes on top.
    private var made: [Made] = []
    private var announcedRemains: [RemainsReport] = []

    private struct Made {
        /// The rescue VM's name, for one of these: what cleans it up may know it by no other.
        var host: String?
        var report: RemainsReport

        /// By its identifier, or by the machine or rescue VM whose one copy or host it is: a run that goes on after a
        /// crash knows these for sure, and the identifier only where the provider's answer was kept.
        func isCleanedUp(by event: AuditEvent.CleanedUp, _ record: AuditRecord) -> Bool {
            if report.identifier == event.identifier { return true }
            guard report.resource == event.resource else { return false }
            return switch report.resource {
            case "repairCopy": record.machine != nil && report.machine == record.machine
            case "rescueHost": record.host != nil && host == record.host
            default: false
            }
        }
    }

    init(reading: AuditReading, madeAt: WallTime) {
        report = Report(
            run: reading.records.first?.run ?? "", madeAt: madeAt, log: Report.LogProof(reading.verdict),
            state: .unfinished)
    }

    mutating func add(_ record: AuditRecord) {
        if let machine = record.machine {
            if machines[machine] == nil {
                machines[machine] = MachineReportBuilder(name: machine)
                machineOrder.append(machine)
            }
            machines[machine]?.add(record)
        } else {
            steps.add(record)
        }
        addToRun(record)
        addToHost(record)
        addToRemains(record)
        if case .providerCalls(let event) = record.event {
            report.calls += event.calls.map {
                CallReport(
                    time: record.time, machine: record.machine, host: record.host, step: event.step, call: $0)
            }
        }
    }

    private mutating func addToRun(_ record: AuditRecord) {
        switch record.event {
        case .runStarted(let event):
            report.started = event
            report.startedAt = record.time
        case .runEnded(let event):
            report.state = .ended
            report.endedAt = record.time
            report.summary = event.summary
            report.exitCode = event.exitCode
        case .interrupted(let event):
            report.state = .interrupted
            remark(record, event.reason)
        case .resumed(let event):
            // What was said at an earlier end no longer holds.
            report.state = .unfinished
            report.endedAt = nil
            report.summary = nil
            report.exitCode = nil
            remark(record, "Resumed by \(event.operator.name) on \(event.operator.host), Salvor \(event.salvorVersion)")
        case .operatorDecision(let event): remark(record, "\(event.question) \(event.answer)")
        case .preflightRemark(let event): remark(record, event.remark)
        case .note(let event): remark(record, event.text)
        case .tornRecordDropped(let event):
            remark(record, "\(event.byteCount) bytes of an unfinished record were cut off, SHA-256 \(event.sha256)")
        case .logReplaced(let event):
            let kept = event.keptAs.map { "kept as \($0), SHA-256 \(event.sha256?.hex ?? "unknown")" } ?? "gone"
            remark(record, "An earlier audit log of this run did not verify and is \(kept): \(event.reason)")
        case .unknown(let kind, _):
            report.unknownRecords += 1
            remark(record, "A record that this version of Salvor cannot read: \(kind)")
        default: break
        }
    }

    private mutating func remark(_ record: AuditRecord, _ text: String) {
        report.remarks.append(
            RemarkReport(time: record.time, kind: record.event.kind, machine: record.machine, text: text))
    }

    private mutating func addToHost(_ record: AuditRecord) {
        guard let name = record.host else { return }
        if hosts[name] == nil {
            hosts[name] = HostReport(name: name)
            hostOrder.append(name)
        }
        switch record.event {
        case .hostStarted(let event):
            hosts[name]?.startedAt = record.time
            hosts[name]?.identifier = event.identifier
            hosts[name]?.acceleration = event.acceleration
            hosts[name]?.imageDigest = event.imageDigest
            hosts[name]?.details = event.details
        case .agentConnected(let event):
            hosts[name]?.agentVersion = event.agentVersion
            hosts[name]?.kernel = event.kernel
            hosts[name]?.certificateSHA256 = event.certificateSHA256
        default: break
        }
    }

    private mutating func addToRemains(_ record: AuditRecord) {
        switch record.event {
        case .copyMade(let event):
            made.append(
                Made(
                    report: RemainsReport(
                        machine: record.machine, resource: "repairCopy", identifier: event.copy.identifier,
                        why: "The log shows that it was made, and not that it was removed.", removal: "")))
        case .hostStarted(let event):
            made.append(
                Made(
                    host: record.host,
                    report: RemainsReport(
                        machine: nil, resource: "rescueHost", identifier: event.identifier,
                        why: "The log shows that it was started, and not that it was ended.", removal: "")))
        case .cleanedUp(let event):
            made.removeAll { $0.isCleanedUp(by: event, record) }
            announcedRemains.removeAll { $0.identifier == event.identifier }
        case .remains(let event):
            announcedRemains.removeAll { $0.identifier == event.identifier }
            announcedRemains.append(
                RemainsReport(
                    machine: record.machine, resource: event.resource, identifier: event.identifier, why: event.why,
                    removal: event.removal))
        default: break
        }
    }

    consuming func finished() -> Report {
        report.machines = machineOrder.compactMap { machines[$0]?.finished() }
        report.hosts = hostOrder.compactMap { hosts[$0] }
        report.steps = steps.steps
        report.remains = remains()
        report.totals = totals()
        return report
    }

    private func remains() -> [RemainsReport] {
        // A swapped-in copy is the machine's disk now; it remains because it is meant to.
        let inUse = Set(machines.values.compactMap { $0.report.swap?.repaired.identifier })
        let announced = Set(announcedRemains.map(\.identifier))
        return announcedRemains
            + made.map(\.report).filter { !announced.contains($0.identifier) && !inUse.contains($0.identifier) }
    }

    private func totals() -> Report.Totals {
        var totals = Report.Totals()
        totals.machines = report.machines.count
        totals.changingCalls = report.calls.count { $0.call.changes }
        for machine in report.machines {
            totals.outcomes[machine.outcome?.kind.rawValue ?? "unfinished", default: 0] += 1
            totals.bootProven += machine.bootIsProven ? 1 : 0
            totals.filesJudged += machine.files.count
            totals.filesQuarantined += machine.files.count { $0.quarantinedAt != nil }
            totals.filesDeleted += machine.files.count { $0.deletedAt != nil }
        }
        totals.resourcesRemaining = report.remains.count
        return totals
    }
}
