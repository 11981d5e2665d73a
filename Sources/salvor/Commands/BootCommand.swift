internal import ArgumentParser
internal import FoundationEssentials
internal import SalvorAudit
internal import SalvorCoordinatorCore
internal import SalvorLocal

struct BootCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "boot",
        abstract: "Starts a machine, watches its boot probe, and shuts it down again.",
        discussion: """
            Says whether the machine boots with the disk that it has now. Exit code 14: it was seen to fail; 15: neither \
            was seen.

            Example:
              salvor boot web-01 --inventory fleet
            """)

    @Argument(help: ArgumentHelp("The machine.", valueName: "name"))
    var name: String

    @OptionGroup var inventory: InventoryOptions

    @Option(help: ArgumentHelp("Where to leave what the machine's console printed.", valueName: "file"))
    var console: String?

    @OptionGroup var shared: SharedOptions

    func run() async throws {
        try await ending { [self] in
            let context = try RunContext(shared)
            let provider = try await context.localProvider(inventory: inventory.inventory)
            let machine = try await provider.machine(named: name)
            let log = console.map { RunContext.absolute($0) } ?? "\(context.state.path)/boots/\(name).log"
            try FileManager.default.createDirectory(
                atPath: URL(fileURLWithPath: log).deletingLastPathComponent().path, withIntermediateDirectories: true)
            StandardStreams.note("\(printable(machine.name)): starting from \(printable(machine.osDisk.identifier)) …")
            let proof = try await provider.startAndProveBoot(machine, consoleLog: log)
            switch shared.output {
            case .json: StandardStreams.print(try JSONOutput.render(proof))
            case .table:
                StandardStreams.print(
                    "\(printable(machine.name)): \(proof.verdict.rawValue): \(printable(proof.evidence))")
            }
            return switch proof.verdict {
            case .booted: .success
            case .failed: .bootFailed
            case .notProven: .bootNotProven
            }
        }
    }
}
