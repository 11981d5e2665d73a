package import SalvorCoordinatorCore

/// Where a provider is tried out: machines that can be rescued, and ways to see what became of them that do not ask the
/// provider.
package protocol ConformanceGround: Sendable {
    /// A provider that knows nothing yet, as after a crash or in another process.
    func provider() async throws -> any Provider

    /// Names of two machines that can be rescued.
    var machines: [String] { get }

    /// Whether something runs on a rescue VM that lets a disk go when it is told to.
    var rescueGuestsLetGo: Bool { get }

    /// What the machine's original disk holds, or what stands for it: it changes where somebody writes to the disk.
    func original(of machine: String) async throws -> String

    /// Identifier of the disk that the machine has now.
    func disk(of machine: String) async throws -> String

    /// Gives the machine a disk that no run has made.
    func giveStrangersDisk(to machine: String) async throws

    /// Everything that there is, of whatever run: to see that nothing was made.
    func everything() async throws -> Set<String>

    /// Where a console's log can be left.
    var consoleLog: String { get }
}
