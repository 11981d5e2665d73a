internal import SalvorAudit
internal import SalvorCoordinatorCore

/// What `salvor plan` and `--dry-run` print.
struct DryRunOutput: Encodable {
    struct Machine: Encodable {
        var machine: String
        var disk: String
        var steps: [String]
        var remarks: [String]
        var objection: String?
    }

    var machines: [Machine]
    /// nil where no machine can be rescued.
    var plan: ProviderPlan?

    init(_ plan: DryRun) {
        machines = plan.lines.map {
            Machine(
                machine: $0.machine.name, disk: $0.machine.osDisk.identifier, steps: $0.steps, remarks: $0.remarks,
                objection: $0.objection)
        }
        self.plan = plan.plan
    }

    func print(_ format: OutputFormat) throws {
        switch format {
        case .json: StandardStreams.print(try JSONOutput.render(self))
        case .table: StandardStreams.print(text)
        }
    }

    private var text: String {
        var blocks = machines.map { machine in
            var lines = ["\(printable(machine.machine)):"]
            if let objection = machine.objection { lines.append("  cannot be rescued: \(printable(objection))") }
            lines += machine.steps.enumerated().map { "  \($0.offset + 1). \($0.element)" }
            lines += machine.remarks.map { "  note: \(printable($0))" }
            return lines.joined(separator: "\n")
        }
        if let plan { blocks.append(plan.text) }
        return (blocks + ["Nothing was done."]).joined(separator: "\n")
    }
}

extension ProviderPlan {
    fileprivate var text: String {
        var table = TextTable("TIMES", "CHANGE", "OF", "WHAT FOR")
        for change in changes {
            table.add(change.times, change.verb, printable(change.resource), printable(change.purpose))
        }
        var lines = ["", table.rendered, total]
        if let time {
            lines.append("Time: \(Self.minutes(time.leastSeconds)) to \(Self.minutes(time.mostSeconds)) minutes.")
        }
        for cost in costs {
            let price = cost.dollars.map { "\(Self.cents($0)) USD" } ?? "price not known"
            lines.append("Cost: \(price)\(cost.per == .day ? " a day" : ""): \(printable(cost.what))")
        }
        return (lines + remarks).joined(separator: "\n")
    }

    private var total: String {
        let least = changes.reduce(0) { $0 + $1.least }
        let most = changes.reduce(0) { $0 + $1.most }
        return least == most ? "\(most) changes." : "\(least) to \(most) changes."
    }

    private static func minutes(_ seconds: Int) -> String { String(max(1, (seconds + 30) / 60)) }

    /// Two places; what is less than a cent is not nothing.
    private static func cents(_ dollars: Double) -> String {
        let cents = Int((dollars * 100).rounded(.up))
        return "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)"
    }
}

extension PlannedChange {
    fileprivate var times: String { least == most ? String(least) : "\(least) to \(most)" }
}
