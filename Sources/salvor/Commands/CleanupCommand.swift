internal import ArgumentParser
internal import SalvorAudit
internal import SalvorCoordinatorCore

struct CleanupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cleanup",
        abstract: "Deletes the original disks of a finished run, which a rescue keeps.",
        discussion: """
            Each only where its machine runs well with the repaired disk at that moment: running, its agent ready. There \
            is no way back afterwards, so it asks first.

            Example:
              salvor cleanup --originals 20261122-223015-k3f9
            """)

    @OptionGroup var options: RecordedRunOptions

    @Flag(help: "What is to be deleted: the original disks.")
    var originals = false

    @Flag(help: "Do not ask.")
    var yes = false

    func validate() throws {
        guard originals else { throw ValidationError("Say what is to be deleted: --originals.") }
    }

    func run() async throws {
        try await ending { [self] in
            let results = try await options.with {
                try await RescueRun.cleanUpOriginals(options.run, assumeYes: yes, dependencies: $0)
            }
            switch options.shared.output {
            case .json: StandardStreams.print(try JSONOutput.render(results))
            case .table: StandardStreams.print(Self.table(results))
            }
            let codes = Set(results.map(\.exitCode))
            return codes.count == 1
                ? codes.first.flatMap { SalvorCoordinatorCore.ExitCode(rawValue: $0) } ?? .success : .someFailed
        }
    }

    private static func table(_ results: [OriginalCleanup]) -> String {
        var table = TextTable("MACHINE", "ORIGINAL DISK", "STATE", "WHY")
        for result in results {
            table.add(
                printable(result.machine), printable(result.disk), result.state.phrase, printable(result.reason ?? ""))
        }
        return table.rendered
    }
}

extension OriginalCleanup.State {
    /// For people.
    fileprivate var phrase: String {
        switch self {
        case .deleted: "deleted"
        case .alreadyDeleted: "deleted before"
        case .kept: "kept"
        }
    }
}
