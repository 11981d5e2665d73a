internal import ArgumentParser
internal import SalvorCoordinatorCore

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Says what a rescue would change, how long it would take and cost, and what stands in its way.",
        discussion: """
            Changes nothing, and puts nothing on record. `salvor rescue --dry-run` says the same.

            Examples:
              salvor plan web-01 web-02 --inventory fleet
              salvor plan --provider azure -g web vm1 vm2 --output json
            """)

    @OptionGroup var options: RunOptions

    func run() async throws {
        try await ending { [self] in try await options.plan(options.configuration(.rescue)) }
    }
}

extension RunOptions {
    /// Prints what a run of this configuration would do.
    func plan(_ configuration: RunConfiguration) async throws -> SalvorCoordinatorCore.ExitCode {
        let context = try RunContext(shared)
        let recipe = try readRecipe(context)
        let plan = try await context.with(
            provider.kind.rawValue, configuration, renderer: ProgressRenderer(), verbose: verbose
        ) { dependencies in
            try await DryRun.plan(configuration, recipe: recipe, provider: dependencies.provider)
        }
        try DryRunOutput(plan).print(shared.output)
        return plan.exitCode
    }
}
