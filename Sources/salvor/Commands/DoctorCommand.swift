internal import ArgumentParser
internal import SalvorCoordinatorCore
internal import SalvorLocal

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Says what is missing on this machine, and how to mend it.",
        discussion: """
            Example:
              salvor doctor --inventory fleet
            """)

    @OptionGroup var inventory: InventoryOptions
    @OptionGroup var shared: SharedOptions

    func run() async throws {
        try await ending { [self] in
            let context = try RunContext(shared)
            let provider = try await context.localProvider(inventory: inventory.inventory)
            let found = await provider.prerequisites()
            try Self.print(found, shared.output)
            return found.contains { $0.state == .missing } ? .toolMissing : .success
        }
    }

    private struct Output: Encodable {
        var name: String
        var state: String
        var detail: String
        var remedy: String?
    }

    private static func print(_ found: [Prerequisite], _ format: OutputFormat) throws {
        switch format {
        case .json:
            let output = found.map {
                Output(name: $0.name, state: $0.state.rawValue, detail: $0.detail, remedy: $0.remedy)
            }
            StandardStreams.print(try JSONOutput.render(output))
        case .table:
            var table = TextTable("WHAT", "STATE", "FOUND", "TO MEND IT")
            for one in found { table.add(one.name, one.state.rawValue, one.detail, one.remedy ?? "") }
            StandardStreams.print(table.rendered)
        }
    }
}
