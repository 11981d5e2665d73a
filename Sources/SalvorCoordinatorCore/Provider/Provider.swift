/// Where the machines live: local QEMU, Azure, ….
///
/// Every operation that changes something is idempotent by the name that it is given: called again with the same name,
/// after a crash or a lost answer, it finds its own work and returns what the first call would have. What a provider
/// cannot do it says with ``ProviderError/Code/unsupported``. No operation writes to an original disk, and
/// ``deleteOriginal(of:)`` alone deletes one.
package protocol Provider: Sendable {
    /// `local`, `azure`, …; goes into journal and report.
    var kind: String { get }

    /// Every machine that can be named, sorted by name.
    func machines() async throws(ProviderError) -> [Machine]

    /// - Throws: ``ProviderError/Code/notFound`` with the names that come close.
    func machine(named name: String) async throws(ProviderError) -> Machine

    /// What stands in the way of a rescue, found without changing anything. Throws the first finding that forbids it.
    /// - Returns: remarks for the operator, none of which forbids it.
    func preflight(_ machine: Machine) async throws(ProviderError) -> [String]

    /// What a rescue of these machines would change, and what it would take, found without changing anything.
    func plan(for rescue: PlannedRescue) async throws(ProviderError) -> ProviderPlan

    /// Where keys of encrypted disks are to be had, where the provider keeps them itself; asked before all others.
    var keySource: (any KeySource)? { get }

    /// Copies the machine's OS disk, the original opened read-only and kept from others' writes meanwhile.
    func copyDisk(of machine: Machine, to name: CopyName) async throws(ProviderError) -> RepairCopy

    /// How a rescue VM and a coordinator that listens on `port` of this machine come together; `port` says nothing where
    /// the coordinator dials.
    func route(toCoordinatorPort port: Int) -> HostRoute

    /// True where a machine must be stopped before its disk can be swapped: then ``stop(_:)`` is a step of its own.
    var mustStopMachines: Bool { get }

    /// Brings the machine into a state in which its OS disk can be copied whole and swapped; does nothing where it is in
    /// one. ``startAndProveBoot(_:consoleLog:)`` starts it.
    func stop(_ machine: Machine) async throws(ProviderError)

    /// Starts a rescue VM. Returns as soon as copies can be attached, which may be before its agent has called.
    func createHost(_ specification: HostSpecification) async throws(ProviderError) -> RescueHost

    /// Whether a rescue VM may still come to something: false where it is known to have ended.
    func mayRun(_ host: RescueHost) async -> Bool

    /// Saves what a rescue VM has printed, where that can be had: asked for before one is ended whose agent never called.
    /// - Returns: whether something was saved.
    func saveConsole(of host: RescueHost, to path: String) async -> Bool

    /// - Returns: how the agent will know the disk.
    func attach(_ copy: RepairCopy, to host: RescueHost) async throws(ProviderError) -> DiskAddress

    func detach(_ copy: RepairCopy, from host: RescueHost) async throws(ProviderError)

    /// True where copies come off a rescue VM that is being ended: the last ones need not be detached by a call of their
    /// own then.
    var retiringFreesCopies: Bool { get }

    /// Begins to end a rescue VM, whose agent has nothing mounted any more; ``deleteHost(named:)`` waits for the end, and
    /// ``detach(_:from:)`` until a copy is free.
    func retireHost(named name: HostName) async throws(ProviderError)

    /// Makes the repair copy the machine's OS disk, atomically, and keeps the original.
    func swap(_ machine: Machine, to copy: RepairCopy) async throws(ProviderError) -> Swap

    /// Undoes a swap; does nothing where the machine has its original disk.
    func swapBack(_ swap: Swap) async throws(ProviderError)

    /// Starts the machine and watches until its boot is proven, has failed, or the deadline has passed. An unproven boot
    /// is a ``BootProof`` as well, not an error.
    /// - Parameter consoleLog: where to leave what the machine printed, for the report.
    func startAndProveBoot(_ machine: Machine, consoleLog: String) async throws(ProviderError) -> BootProof

    /// Ends a rescue VM and all that was made for it, attached copies excepted. Succeeds where nothing is left to end.
    func deleteHost(named name: HostName) async throws(ProviderError)

    /// Succeeds where there is no such copy; refuses a copy that a machine uses as its OS disk.
    func deleteCopy(named name: CopyName) async throws(ProviderError)

    /// Deletes the original disk of a machine that runs well with the repaired one. Succeeds where it is gone.
    /// - Throws: ``ProviderError/Code/conflict`` where the machine has another disk than the repaired one, does not run well
    ///   at this moment, or the original is used by anything; the original stays then.
    func deleteOriginal(of swap: Swap) async throws(ProviderError)

    /// What exists of a run, so that nothing outlives it unnoticed.
    func resources(ofRun run: String) async throws(ProviderError) -> [ProviderResource]
}

extension Provider {
    package var keySource: (any KeySource)? { nil }

    package var mustStopMachines: Bool { false }
    package func stop(_ machine: Machine) async throws(ProviderError) {}

    package func mayRun(_ host: RescueHost) async -> Bool { true }

    package func saveConsole(of host: RescueHost, to path: String) async -> Bool { false }

    package var retiringFreesCopies: Bool { false }
    package func retireHost(named name: HostName) async throws(ProviderError) {}

    package func deleteOriginal(of swap: Swap) async throws(ProviderError) {
        throw ProviderError(
            .unsupported, "The original disk \(swap.original.identifier) of \(swap.machine) is not Salvor's to delete.",
            nextStep: "Delete it by hand, where nothing is built on it any more.")
    }
}
