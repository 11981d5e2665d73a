import ArgumentParser
import AzureEmulator
import Foundation
import SystemPackage

/// What machines run on.
struct MachineOptions: ParsableArguments {
    enum Choice: String, ExpressibleByArgument, CaseIterable { case none, qemu }

    @Option(
        help: ArgumentHelp(
            "none: machines are simulated. qemu: each is started in QEMU from its disks, and runs on when the emulator ends: "
                + "delete it, or start the emulator again."))
    var hypervisor = Choice.none

    @Option(
        help: ArgumentHelp(
            "The memory that each machine gets of this computer. Its size says what clients are shown, not this.",
            valueName: "MiB"))
    var guestMemory = 512

    @Option(help: "The processors that each machine gets of this computer, whatever its size says.")
    var guestCpus = 1

    @Option(
        help: ArgumentHelp(
            "How long a guest may take to power off before it is ended.", valueName: "seconds"))
    var guestGrace = 30

    @Option(
        help: ArgumentHelp(
            "A port of 127.0.0.1 that guests reach, at \(QEMUHypervisor.hostAddress) and the same port. They reach nothing "
                + "else but Azure's own addresses. Can be repeated.", valueName: "port"))
    var reachable: [Int] = []

    @Option(
        help: ArgumentHelp(
            "A port of guests that this computer reaches at their private addresses. It must have these itself: "
                + "`ip route add local 10.1.0.0/16 dev lo src 127.0.0.1` in a network namespace does that. Can be repeated.",
            valueName: "port"))
    var inbound: [Int] = []

    @Option(
        help: ArgumentHelp(
            "What on a machine's console shows that its agent is ready, where the guest does not report it.",
            valueName: "regular expression"))
    var readyWhen: String?

    func validate() throws {
        guard (64...1_048_576).contains(guestMemory) else { throw ValidationError("A machine gets 64 MiB or more.") }
        guard (1...64).contains(guestCpus) else { throw ValidationError("A machine gets 1 to 64 processors.") }
        guard (0...3600).contains(guestGrace) else { throw ValidationError("A guest gets 0 to 3600 seconds.") }
        for ports in [reachable, inbound] {
            guard ports.allSatisfy((1...65_535).contains), Set(ports).count == ports.count else {
                throw ValidationError("--reachable and --inbound take ports of 1 to 65535, each named once.")
            }
        }
        _ = try pattern()
    }

    /// - Returns: nil where machines are simulated.
    func hypervisor(_ contents: DiskContents, _ folder: StateFolder) throws -> QEMUHypervisor? {
        guard hypervisor == .qemu else { return nil }
        var configuration = QEMUHypervisor.Configuration(
            folder: FilePath(folder.path("machines")), contents: contents, memoryMiB: guestMemory, cpus: guestCpus,
            reachablePorts: reachable, inboundPorts: inbound, grace: .seconds(guestGrace))
        if let pattern = try pattern() { configuration.isReady = { pattern.matches($0) } }
        return QEMUHypervisor(configuration)
    }

    /// A regular expression that was read once. Unchecked: nothing changes it, and matching does not either.
    private struct Pattern: @unchecked Sendable {
        let regex: Regex<AnyRegexOutput>

        func matches(_ line: String) -> Bool { ((try? regex.firstMatch(in: line)) ?? nil) != nil }
    }

    private func pattern() throws -> Pattern? {
        guard let readyWhen else { return nil }
        do {
            return Pattern(regex: try Regex(readyWhen))
        } catch {
            throw ValidationError("'\(readyWhen)' is no regular expression: \(error)")
        }
    }
}
