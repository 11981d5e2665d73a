/// What machines run on, when they are real. Everything can be asked for twice: after a crash it is.
package protocol Hypervisor: Sendable {
    /// Starts a machine. One that runs is left as it is.
    func start(_ machine: RealMachine) async throws(ARMError)
    /// Gives a machine that runs its present disks: those of other LUNs are taken out, and for another OS disk it is
    /// stopped and started. A machine that does not run needs nothing.
    func adjust(_ machine: RealMachine) async throws(ARMError)
    /// Ends a machine; one that does not run is as good as ended. What the guest has not written is lost, unless it was
    /// asked first.
    /// - Parameter gracefully: asks the guest to power off, and waits for it within bounds.
    func powerOff(_ id: String, gracefully: Bool) async throws(ARMError)
    /// Ends a machine and forgets what was kept of it.
    func remove(_ id: String) async throws(ARMError)

    /// Machines of which something is kept, running or not.
    func known() async -> [String]
    /// Takes over a machine that an earlier emulator has left running.
    /// - Returns: false for one that does not run.
    func adopt(_ id: String) async throws(ARMError) -> Bool
    func isRunning(_ id: String) async -> Bool

    /// The end of what the guest has printed on its serial port since it was started.
    func consoleLog(_ id: String) async -> [UInt8]
    /// A PNG file of what is on the screen.
    /// - Returns: nil for a machine that does not run.
    func screenshot(_ id: String) async throws(ARMError) -> [UInt8]?

    /// Where the guest's requests to its metadata service and wire server arrive: the path of a socket to listen on.
    func metadataSocket(of id: String) -> String
    /// What becomes of machines. For one reader.
    var events: AsyncStream<MachineEvent> { get }
}

/// What a hypervisor tells of a machine, by its id.
package enum MachineEvent: Sendable, Hashable {
    /// It runs, from now on or already.
    case started(String)
    /// Its guest starts anew: for the first time, or because it has restarted itself.
    case restarted(String)
    /// Its console shows that it is ready.
    case ready(String)
    /// It does not run any more, for whatever reason.
    case ended(String)
}
