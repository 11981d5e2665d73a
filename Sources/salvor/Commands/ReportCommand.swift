internal import ArgumentParser
internal import FoundationEssentials
internal import SalvorAudit
internal import SalvorCoordinatorCore

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Makes reports from the audit log of a run.", subcommands: [Export.self])

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case json
        case csv
        case html
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract: "Writes the report of a run: what was found, judged, done, and how each machine ended.",
            discussion: """
                The report says whether the audit log is whole: its records are chained by their digests, and the \
                journal knows the last one.

                Examples:
                  salvor report export --format html -o report.html          of the newest run
                  salvor report export 20261122-223015-k3f9 --format csv -o findings.csv
                """)

        @Argument(help: ArgumentHelp("The run. Default: the newest.", valueName: "run"))
        var run: String?

        @Option(help: "json for programs, csv for tables, html for people.")
        var format: Format

        @Option(
            name: [.customShort("o"), .customLong("to")],
            help: ArgumentHelp("The file to write.", valueName: "file"))
        var file: String

        @Option(help: ArgumentHelp("Folder that holds the journal and the runs.", valueName: "folder"))
        var state: String?

        func run() async throws {
            try await ending { [self] in
                var shared = SharedOptions()
                shared.state = state
                let context = try RunContext(shared)
                let journal = try await Journal.open(context.state)
                let record = try await record(in: journal)
                let reading = try AuditReading.read(
                    path: context.state.run(record.id).auditLog, head: record.auditHead)
                let report = Report(reading, madeAt: .now)
                let text =
                    switch format {
                    case .json: try report.json()
                    case .csv: report.csv()
                    case .html: report.html()
                    }
                try write(text)
                StandardStreams.note("\(file): \(reading.verdict.statement)")
                return reading.verdict.isSound ? .success : .stateUnusable
            }
        }

        private func record(in journal: Journal) async throws -> RunRecord {
            if let run { return try await journal.run(run) }
            guard let newest = try await journal.runs().first else {
                throw CommandFailure(
                    .noSuchMachine, "There is no run to report on.", nextStep: "Run salvor rescue or salvor scan first."
                )
            }
            return newest
        }

        private func write(_ text: String) throws {
            do {
                try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
            } catch {
                throw CommandFailure(
                    .unexpected, "\(file) cannot be written (\(error)).",
                    nextStep: "Name a file in a folder that is there and may be written.")
            }
        }
    }
}
