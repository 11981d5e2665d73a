internal import ArgumentParser
internal import SalvorCoordinatorCore

/// How the commands after `salvor create` name the machine, and so the run: as `az vm repair` does.
struct StepwiseOptions: ParsableArguments {
    @Option(
        name: [.customShort("n"), .long],
        help: ArgumentHelp("The broken machine, as it was named to `salvor create`.", valueName: "name"))
    var name: String

    @Option(name: [.customShort("g"), .long], help: ArgumentHelp("Its resource group.", valueName: "name"))
    var resourceGroup: String?

    @Flag(help: "Do not ask before what changes something.")
    var yes = false

    @Flag(help: "Log to standard error what the coordinator does.")
    var verbose = false

    @OptionGroup var shared: SharedOptions

    /// Takes up the run that has the machine, with the provider that it was made with.
    func takeUp(
        keys: KeyOptions? = nil, _ work: @Sendable (String, RunDependencies) async throws -> RunResult
    ) async throws -> SalvorCoordinatorCore.ExitCode {
        let context = try RunContext(shared)
        let record = try await StepwiseRescue.run(for: name, group: resourceGroup, in: context.state)
        let result = try await context.with(record, keys: keys, verbose: verbose) { try await work(record.id, $0) }
        try RunResultOutput(result).print(shared.output)
        return result.exitCode
    }
}
