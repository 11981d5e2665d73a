internal import ArgumentParser
internal import SalvorCoordinatorCore

/// What takes up a run that is on record.
struct RecordedRunOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The run, as `salvor status` lists it.", valueName: "run"))
    var run: String

    @Option(help: ArgumentHelp("Folder of the machines, if it is not where it was.", valueName: "folder"))
    var inventory: String?

    @Flag(help: "Log to standard error what the coordinator does.")
    var verbose = false

    @OptionGroup var shared: SharedOptions

    func takeUp(
        keys: KeyOptions? = nil, _ work: @Sendable (RunDependencies) async throws -> RunResult
    ) async throws -> SalvorCoordinatorCore.ExitCode {
        let result = try await with(keys: keys, work)
        try RunResultOutput(result).print(shared.output)
        return result.exitCode
    }

    func with<Value: Sendable>(
        keys: KeyOptions? = nil, _ work: @Sendable (RunDependencies) async throws -> Value
    ) async throws -> Value {
        let context = try RunContext(shared)
        var record = try await Journal.open(context.state).run(run)
        if let inventory { record.configuration.inventory = inventory }
        return try await context.with(record, keys: keys, verbose: verbose, work)
    }
}

extension RunContext {
    /// Opens the provider that a run was made with, as it was opened then.
    func with<Value: Sendable>(
        _ record: RunRecord, keys: KeyOptions?, verbose: Bool,
        _ work: @Sendable (RunDependencies) async throws -> Value
    ) async throws -> Value {
        let renderer = ProgressRenderer()
        let keySources = try keys?.sources(renderer) ?? []
        return try await with(
            record.provider, record.configuration, renderer: renderer, verbose: verbose
        ) { dependencies in
            var dependencies = dependencies
            dependencies.keySources = keySources
            return try await work(dependencies)
        }
    }
}

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Finishes a run that was stopped, by Ctrl-C, a crash or a power cut.",
        discussion: """
            A machine whose repaired copy was ready goes on from there; every other one begins anew with a new copy. \
            A run of `salvor create` makes copy and rescue VM anew, unless a repaired copy waits for `salvor restore`.
            Keys of encrypted disks are not on record: give them again.

            Example:
              salvor resume 20261122-223015-k3f9
            """)

    @OptionGroup var options: RecordedRunOptions

    @OptionGroup var keys: KeyOptions

    func run() async throws {
        try await ending { [self] in
            try await options.takeUp(keys: keys) { try await RescueRun.resume(options.run, dependencies: $0) }
        }
    }
}

struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Undoes a run: the original disks come back, copies and rescue VMs go.",
        discussion: """
            What a machine has written since its disk was swapped goes with the copy, so it asks first.

            Example:
              salvor rollback 20261122-223015-k3f9
            """)

    @OptionGroup var options: RecordedRunOptions

    @Flag(help: "Do not ask.")
    var yes = false

    func run() async throws {
        try await ending { [self] in
            try await options.takeUp {
                try await RescueRun.rollback(options.run, assumeYes: yes, dependencies: $0)
            }
        }
    }
}
