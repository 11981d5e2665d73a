internal import ArgumentParser
internal import SalvorCoordinatorCore

struct UndoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: "Puts back what a run deleted or wrote over, with times and attributes.",
        discussion: """
            A run of its own: it copies the disk that each machine has now, puts the files back on the copy, verifies, \
            swaps it in and proves that the machine boots. What has been written since the rescue stays, and a file that \
            has changed since is left as it is. `salvor rollback` puts back the whole original disk instead.

            Examples:
              salvor undo 20261122-223015-k3f9
              salvor undo 20261122-223015-k3f9 web-01 --yes --output json
            """)

    @OptionGroup var options: RecordedRunOptions

    @Argument(
        help: ArgumentHelp("Some of the run's machines. Default: all that it took a file from.", valueName: "name"))
    var names: [String] = []

    @OptionGroup var keys: KeyOptions

    @Flag(help: "Do not ask before what changes something.")
    var yes = false

    func run() async throws {
        try await ending { [self] in
            try await options.takeUp(keys: keys) {
                try await RescueRun.undo(options.run, machines: names, assumeYes: yes, dependencies: $0).run()
            }
        }
    }
}
