internal import SalvorAudit
internal import SalvorCoordinatorCore

/// What `--dry-run` prints.
struct DryRunOutput: Encodable {
    struct Machine: Encodable {
        var machine: String
        var disk: String
        var steps: [String]
        var remarks: [String]
        var objection: String?
    }

    var machines: [Machine]

    init(_ plan: DryRun) {
        machines = plan.lines.map {
            Machine(
                machine: $0.machine.name, disk: $0.machine.osDisk.identifier, steps: $0.steps, remarks: $0.remarks,
                objection: $0.objection)
        }
    }

    func print(_ format: OutputFormat) throws {
        switch format {
        case .json: StandardStreams.print(try JSONOutput.render(self))
        case .table: StandardStreams.print(text)
        }
    }

    private var text: String {
        machines.map { machine in
            var lines = ["\(printable(machine.machine)):"]
            if let objection = machine.objection { lines.append("  cannot be rescued: \(printable(objection))") }
            lines += machine.steps.enumerated().map { "  \($0.offset + 1). \($0.element)" }
            lines += machine.remarks.map { "  note: \(printable($0))" }
            return lines.joined(separator: "\n")
        }.joined(separator: "\n") + "\nNothing was done."
    }
}
