internal import ArgumentParser
internal import FoundationEssentials

/// How results are printed.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table
    case json
}

/// What every command takes.
struct SharedOptions: ParsableArguments {
    @Option(help: "table for people, json for programs.")
    var output: OutputFormat = .table

    @Option(
        help: ArgumentHelp(
            "Folder that holds the journal, the runs and their reports.",
            discussion: "Default: $SALVOR_HOME, or salvor below $XDG_STATE_HOME or ~/.local/state.",
            valueName: "folder"))
    var state: String?
}

/// Where the machines are.
struct InventoryOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Folder with a YAML file for each machine.", valueName: "folder"))
    var inventory: String = "."
}
