internal import SalvorAudit
internal import SalvorCoordinatorCore

/// What rescue, scan, resume and rollback print when they end.
struct RunResultOutput: Encodable {
    struct Machine: Encodable {
        var machine: String
        var disk: String
        var outcome: MachineOutcome?
        var secondsUntilVerified: Double?
        var phases: [Phase]
        var quarantine: String
        var consoleLog: String
    }

    struct Phase: Encodable {
        var step: String
        var seconds: Double
    }

    var run: String
    var command: String
    var exitCode: Int32
    var seconds: Double
    var machines: [Machine]
    var hosts: [Phase]
    var remarks: [String]
    var auditLog: String

    private let result: RunResult

    private enum CodingKeys: CodingKey {
        case run, command, exitCode, seconds, machines, hosts, remarks, auditLog
    }

    init(_ result: RunResult) {
        self.result = result
        run = result.run
        command = result.command.rawValue
        exitCode = result.exitCode.rawValue
        seconds = result.took.inSeconds
        machines = result.machines.map { machine in
            Machine(
                machine: machine.machine.name, disk: machine.machine.osDisk.identifier, outcome: machine.outcome,
                secondsUntilVerified: machine.untilVerified?.inSeconds, phases: machine.phases.map(Phase.init),
                quarantine: machine.quarantine, consoleLog: machine.consoleLog)
        }
        hosts = result.hostPhases.map(Phase.init)
        remarks = result.remarks
        auditLog = result.auditLog
    }

    func print(_ format: OutputFormat) throws {
        switch format {
        case .json: StandardStreams.print(try JSONOutput.render(self))
        case .table: StandardStreams.print(table)
        }
    }

    private var table: String {
        var table = TextTable("MACHINE", "OUTCOME", "WHAT HAPPENED")
        for machine in result.machines {
            table.add(
                printable(machine.machine.name), machine.outcome?.kind.phrase ?? "interrupted",
                printable(machine.outcome?.message ?? "The run was interrupted before this machine was done."))
        }
        var lines = [table.rendered]
        for machine in result.machines {
            guard let next = machine.outcome?.nextStep, !next.isEmpty else { continue }
            lines.append("\(printable(machine.machine.name)): next: \(printable(next))")
        }
        lines += remarks.map { printable($0) }
        lines.append("Run \(run), \(result.took.seconds) s.")
        lines.append("Report: salvor report export \(run) --format html -o report.html")
        // Between the steps of a rescue the outcome so far says what comes next.
        if result.isInterrupted, result.machines.contains(where: { $0.outcome == nil }) {
            lines.append("Interrupted: salvor resume \(run) finishes it.")
        }
        return lines.joined(separator: "\n")
    }
}

extension RunResultOutput.Phase {
    init(_ phase: PhaseTime) {
        self.init(step: phase.step.rawValue, seconds: Double(phase.milliseconds) / 1000)
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
