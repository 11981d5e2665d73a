internal import ArgumentParser
internal import SalvorMessages

/// `salvor`: the coordinator, on the operator's machine.
@main
struct Salvor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "salvor",
        abstract: "Brings back Windows virtual machines that no longer boot.",
        discussion: """
            Copies a broken machine's OS disk, repairs the copy in a small Linux rescue VM, swaps it in, and proves that \
            the machine boots. The original disk is never written to.

            Examples:
              salvor doctor                                          what is missing on this machine
              salvor image build                                     the rescue VM's kernel and initramfs, once
              salvor scan web-01 --inventory fleet                   looks, and changes nothing
              salvor plan web-01 --inventory fleet                   what a rescue would change, take and cost
              salvor rescue web-01 web-02 --inventory fleet          asks before it deletes anything
              salvor report export RUN --format html -o report.html

            `salvor exit-codes` lists what its exit codes mean.
            """,
        version: SalvorVersion.current,
        subcommands: [
            DiscoverCommand.self, PlanCommand.self, RescueCommand.self, ScanCommand.self, CreateCommand.self,
            RunCommand.self, RestoreCommand.self, ResumeCommand.self, RollbackCommand.self, UndoCommand.self,
            CleanupCommand.self,
            StatusCommand.self, ReportCommand.self, RecipeCommand.self, BootCommand.self,
            ImageCommand.self, DoctorCommand.self, ExitCodesCommand.self,
        ])
}
