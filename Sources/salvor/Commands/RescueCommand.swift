internal import ArgumentParser
internal import FoundationEssentials
internal import SalvorCoordinatorCore

/// What rescue and scan have in common.
struct RunOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The machines, by the names in their definitions.", valueName: "name"))
    var names: [String]

    @OptionGroup var provider: ProviderOptions

    @Option(
        help: ArgumentHelp(
            "The repair: a YAML file, or the name of a recipe that comes with salvor (salvor recipe list). Default: "
                + "crowdstrike-291.", valueName: "recipe"))
    var recipe: String?

    @Option(
        help: ArgumentHelp(
            "A rescue VM that has not heard from salvor for so long powers itself off.", valueName: "seconds"))
    var coordinatorTimeout = 600

    @OptionGroup var consent: ConsentOptions

    @OptionGroup var keys: KeyOptions

    @Flag(help: "Log to standard error what the coordinator does.")
    var verbose = false

    @OptionGroup var shared: SharedOptions

    func validate() throws {
        guard (1...86_400).contains(coordinatorTimeout) else {
            throw ValidationError("--coordinator-timeout takes 1 to 86400 seconds.")
        }
    }

    func readRecipe(_ context: RunContext) throws -> Recipe {
        try consent.grant(BuiltInRecipes(context.installation).read(recipe))
    }

    func configuration(_ command: RunConfiguration.Command) -> RunConfiguration {
        var configuration = RunConfiguration(command, machines: names)
        configuration.coordinatorTimeoutSeconds = coordinatorTimeout
        provider.configure(&configuration)
        consent.configure(&configuration)
        if keys.areGiven { configuration.settings["keys-given"] = "true" }
        return configuration
    }

    func run(_ configuration: RunConfiguration) async throws -> SalvorCoordinatorCore.ExitCode {
        let began = RunClock.system.monotonic()
        try provider.requireWayBack()
        let context = try RunContext(shared)
        let recipe = try readRecipe(context)
        let renderer = ProgressRenderer()
        let keySources = try keys.sources(renderer)
        let result = try await context.with(
            provider.kind.rawValue, configuration, renderer: renderer, verbose: verbose
        ) { dependencies in
            var dependencies = dependencies
            dependencies.keySources = keySources
            return try await RescueRun(
                configuration: configuration, recipe: recipe, dependencies: dependencies, commandBegan: began
            ).run()
        }
        try RunResultOutput(result).print(shared.output)
        return result.exitCode
    }
}

struct RescueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rescue",
        abstract: "Repairs a copy of each machine's OS disk, swaps it in, and proves that the machine boots.",
        discussion: """
            Asks once, with the files it would delete, before anything is changed. The original disks are only read, \
            and kept. A machine for which there is nothing to repair keeps its disk.

            Examples:
              salvor rescue web-01 --inventory fleet
              salvor rescue web-01 web-02 --inventory fleet --yes --output json
              salvor rescue web-01 --inventory fleet --dry-run
              salvor rescue web/vm1 --provider azure --advertise 10.1.0.9
              salvor rescue web/vm1 --provider azure --listen
            """)

    @OptionGroup var options: RunOptions

    @Flag(help: "Do not ask before what changes something.")
    var yes = false

    @Flag(help: "Say what would be done, and do none of it.")
    var dryRun = false

    @Flag(help: "Keep the repaired disk in place even where the machine is seen to fail at boot with it.")
    var keepRepaired = false

    func run() async throws {
        try await ending { [self] in
            var configuration = options.configuration(.rescue)
            configuration.assumeYes = yes
            if keepRepaired { configuration.onBootFailure = .keepRepaired }
            return dryRun ? try await options.plan(configuration) : try await options.run(configuration)
        }
    }
}

struct ScanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan",
        abstract: "Looks at a copy of each machine's OS disk, says what a rescue would repair, and changes nothing.",
        discussion: """
            Examples:
              salvor scan web-01 --inventory fleet
              salvor scan web-01 --inventory fleet --output json
            """)

    @OptionGroup var options: RunOptions

    func run() async throws {
        try await ending { [self] in try await options.run(options.configuration(.scan)) }
    }
}
