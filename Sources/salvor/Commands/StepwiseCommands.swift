internal import ArgumentParser
internal import FoundationEssentials
internal import SalvorCoordinatorCore

struct CreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Copies a machine's OS disk and attaches the copy to a rescue VM: the first step of three.",
        discussion: """
            For those who know `az vm repair`, or want to look between the steps; `salvor rescue` does all of it. Then \
            `salvor run` repairs the copy, and `salvor restore` makes it the machine's disk. The rescue VM waits for \
            --coordinator-timeout and then powers itself off; `salvor resume` makes another. `salvor rollback` gives up.

            Examples:
              salvor create -g web -n vm1 --advertise 10.1.0.9 --repair-vm-name vm1-rescue
              salvor create -n web-01 --inventory fleet
            """)

    @Option(
        name: [.customShort("n"), .long],
        help: ArgumentHelp("The broken machine, by its name in its group or its definition.", valueName: "name"))
    var name: String

    @Option(help: ArgumentHelp("What the rescue VM is to be called on Azure.", valueName: "name"))
    var repairVmName: String?

    @Option(help: ArgumentHelp("What the copy of the disk is to be called on Azure.", valueName: "name"))
    var copyDiskName: String?

    @OptionGroup var provider: ProviderOptions

    @Option(
        help: ArgumentHelp(
            "A rescue VM that has not heard from salvor for so long powers itself off.", valueName: "seconds"))
    var coordinatorTimeout = 4 * 3600

    @Flag(help: "Accepted for scripts written for az vm repair: there is nothing to ask yet.")
    var yes = false

    @Flag(help: "Log to standard error what the coordinator does.")
    var verbose = false

    @OptionGroup var shared: SharedOptions

    func validate() throws {
        // The agent's certificate is good for twelve hours.
        guard (1...43_200).contains(coordinatorTimeout) else {
            throw ValidationError("--coordinator-timeout takes 1 to 43200 seconds.")
        }
        for (option, name, limit) in [("--repair-vm-name", repairVmName, 64), ("--copy-disk-name", copyDiskName, 80)] {
            guard let name else { continue }
            guard provider.kind == .azure else { throw ValidationError("\(option) is for machines on Azure.") }
            guard Self.isResourceName(name, atMost: limit) else {
                throw ValidationError(
                    "\(option) takes 1 to \(limit) letters, digits, “-” and “_”, not “\(name)”.")
            }
        }
    }

    private static func isResourceName(_ name: String, atMost limit: Int) -> Bool {
        (1...limit).contains(name.utf8.count) && name.first != "-" && name.first != "_"
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
    }

    @OptionGroup var consent: ConsentOptions

    func run() async throws {
        try await ending { [self] in
            let began = RunClock.system.monotonic()
            try provider.requireWayBack()
            var configuration = RunConfiguration(.create, machines: [name])
            configuration.coordinatorTimeoutSeconds = coordinatorTimeout
            provider.configure(&configuration)
            consent.configure(&configuration)
            if provider.kind == .azure {
                configuration.settings["repair-vm-name"] = repairVmName
                configuration.settings["copy-disk-name"] = copyDiskName
                // They may come with `run`.
                configuration.settings["keys-given"] = "true"
            }
            let context = try RunContext(shared)
            let recipe = try consent.grant(BuiltInRecipes(context.installation).read(nil))
            let asked = configuration
            let result = try await context.with(
                provider.kind.rawValue, asked, renderer: ProgressRenderer(), verbose: verbose
            ) { dependencies in
                try await StepwiseRescue.create(
                    asked, recipe: recipe, dependencies: dependencies, commandBegan: began)
            }
            try RunResultOutput(result).print(shared.output)
            return result.exitCode
        }
    }
}

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Repairs the copy that `salvor create` made: the second step of three.",
        discussion: """
            Asks, with the files it would delete, before it changes the copy. Can be given again, with another recipe or \
            with keys.

            Examples:
              salvor run -g web -n vm1
              salvor run -g web -n vm1 --recipe my-recipe.yaml --yes
            """)

    @OptionGroup var options: StepwiseOptions

    @Option(
        help: ArgumentHelp(
            "The repair: a YAML file, or the name of a recipe that comes with salvor. Default: as before; at first "
                + "crowdstrike-291.", valueName: "recipe"))
    var recipe: String?

    @OptionGroup var consent: ConsentOptions

    @OptionGroup var keys: KeyOptions

    func run() async throws {
        try await ending { [self] in
            let context = try RunContext(options.shared)
            // What was agreed to belongs to a recipe: to the one that is named here, or the built-in one.
            let recipe =
                recipe == nil && consent.consent.isEmpty
                ? nil
                : try consent.grant(BuiltInRecipes(context.installation).read(recipe))
            return try await options.takeUp(keys: keys) { run, dependencies in
                try await StepwiseRescue.repair(
                    run, recipe: recipe, assumeYes: options.yes, dependencies: dependencies)
            }
        }
    }
}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Makes the repaired copy the machine's OS disk, and ends the rescue VM: the last step of three.",
        discussion: """
            Asks first. Starts the machine and proves that it boots. The original disk is kept: `salvor rollback` puts it \
            back, `salvor cleanup --originals` deletes it.

            Examples:
              salvor restore -g web -n vm1
              salvor restore -g web -n vm1 --yes --output json
            """)

    @OptionGroup var options: StepwiseOptions

    func run() async throws {
        try await ending { [self] in
            try await options.takeUp { run, dependencies in
                try await StepwiseRescue.restore(run, assumeYes: options.yes, dependencies: dependencies)
            }
        }
    }
}
