internal import ArgumentParser
internal import SalvorAudit
internal import SalvorCoordinatorCore

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Lists the runs, the newest first, and how each machine ended.",
        discussion: """
            Examples:
              salvor status
              salvor status 20261122-223015-k3f9 --output json
            """)

    @Argument(help: ArgumentHelp("One run alone.", valueName: "run"))
    var run: String?

    @OptionGroup var shared: SharedOptions

    func run() async throws {
        try await ending { [self] in
            let context = try RunContext(shared)
            let journal = try await Journal.open(context.state)
            var summaries = try await journal.summaries(in: context.state)
            if let run {
                let record = try await journal.run(run)
                summaries = [try await journal.summary(of: record, in: context.state)]
            }
            switch shared.output {
            case .json: StandardStreams.print(try JSONOutput.render(StatusOutput(summaries)))
            case .table: StandardStreams.print(Self.table(summaries))
            }
            return .success
        }
    }

    private static func table(_ summaries: [RunSummary]) -> String {
        guard !summaries.isEmpty else { return "No runs yet." }
        var table = TextTable("RUN", "COMMAND", "STATE", "MACHINE", "OUTCOME")
        for run in summaries {
            for machine in run.machines {
                let outcome =
                    machine.outcome.map { $0.kind.phrase } ?? machine.lastStep.map { "at: \($0.phrase)" } ?? "not begun"
                table.add(run.run, run.command.rawValue, run.activity.rawValue, printable(machine.machine), outcome)
            }
        }
        return table.rendered
    }
}

/// `salvor status --output json`.
struct StatusOutput: Encodable {
    struct Run: Encodable {
        var run: String
        var command: String
        var recipe: String
        var state: String
        var started: String
        var ended: String?
        var exitCode: Int32?
        var machines: [Machine]
    }

    struct Machine: Encodable {
        var machine: String
        var lastStep: String?
        var outcome: MachineOutcome?
    }

    var runs: [Run]

    init(_ summaries: [RunSummary]) {
        runs = summaries.map { summary in
            Run(
                run: summary.run, command: summary.command.rawValue, recipe: summary.recipe,
                state: summary.activity.rawValue, started: summary.started.rfc3339, ended: summary.ended?.rfc3339,
                exitCode: summary.exitCode?.rawValue,
                machines: summary.machines.map {
                    Machine(machine: $0.machine, lastStep: $0.lastStep?.rawValue, outcome: $0.outcome)
                })
        }
    }
}
