/// What the operator asked for. Kept in the journal, so that a resumed run does the same.
package struct RunConfiguration: Hashable, Sendable, Codable {
    package enum Command: String, Hashable, Sendable, Codable {
        case rescue
        /// Copies, looks, and cleans up.
        case scan
        /// A rescue in three commands: ``StepwiseRescue``.
        case create
        /// Puts back what another run took: ``RunConfiguration/undoes``.
        case undo
    }

    /// What to do with a machine that was seen to fail at boot with its repaired disk.
    package enum BootFailurePolicy: String, Hashable, Sendable, Codable {
        /// Put the original disk back: the state that the operator knows, with the evidence as it was.
        case swapBack
        case keepRepaired
    }

    package var command: Command
    package var machines: [String]
    /// Do not ask before what changes something.
    package var assumeYes = false
    /// Stop each machine before its disk is copied, where it runs, instead of before the swap: nothing that it writes
    /// meanwhile is lost then, and it stands still for longer.
    package var stopsFirst = false
    /// Repair a disk whose Windows has another computer name than the machine.
    package var acceptsOtherComputerName = false
    package var onBootFailure = BootFailurePolicy.swapBack
    /// Repair copies that one rescue VM serves at most.
    package var hostCapacity = 16
    /// Machines whose disks are copied, and whose boots are watched, at the same time.
    package var concurrentCopies = 4
    package var concurrentBoots = 4
    /// How long a rescue VM may take until its agent calls.
    package var agentCallsWithinSeconds = 300
    /// When a rescue VM powers off by itself, the coordinator having been out of reach.
    package var coordinatorTimeoutSeconds = 600
    /// Where the machines are defined, for the report.
    package var inventory: String?
    /// What the provider was opened with, by the names of the command's options, so that a resume opens the same.
    /// Nothing secret.
    package var settings: [String: String] = [:]

    /// The run whose quarantine is put back.
    package var undoes: String?

    package init(_ command: Command, machines: [String]) {
        self.command = command
        self.machines = machines
    }
}
