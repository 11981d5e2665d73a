package import SalvorCoordinatorCore
import SalvorQEMU
internal import SalvorSystem
import SystemPackage

extension LocalProvider {
    private static let throwAwayName = "throw-away.qcow2"
    /// What is kept of a console for the report: its end says how it ended.
    private static let consoleBytes = 4 << 20

    /// Starts the machine from the disk that its definition names and watches its boot probe, with a network that leads
    /// nowhere. Afterwards the machine is powered off, by ACPI and within bounds: the operator starts it for good in
    /// their own way.
    ///
    /// A machine that no swap has changed is started on a throw-away layer, because its disk is an original.
    package func startAndProveBoot(
        _ machine: Machine, consoleLog: String
    ) async throws(ProviderError) -> BootProof {
        let definition = try await inventory.definition(named: machine.name)
        let acceleration = try await acceleration()
        let folder = state.boot(machine.name)
        // One that a crash has left runs from the same disk.
        try await providing { () throws(QEMUError) in _ = try await QEMUMachine.end(in: folder) }
        let proof: BootProof
        do throws(ProviderError) {
            proof = try await boot(definition, acceleration: acceleration, in: folder, consoleLog: FilePath(consoleLog))
        } catch {
            _ = try? await QEMUMachine.end(in: folder)
            _ = try? await Blocking.run { () throws(QEMUError) in try PosixFile.removeFolder(folder.path) }
            throw error
        }
        try await providing { () throws(QEMUError) in
            try await Blocking.run { () throws(QEMUError) in try PosixFile.removeFolder(folder.path) }
        }
        return proof
    }

    private func boot(
        _ definition: MachineDefinition, acceleration: Acceleration, in folder: MachineFolder, consoleLog: FilePath
    ) async throws(ProviderError) -> BootProof {
        let clock = ContinuousClock()
        let began = clock.now
        let hostPort = try probePort(definition.bootProbe)
        let commandLine = try await commandLine(
            definition, acceleration: acceleration, in: folder, hostPort: hostPort)
        let limit = Duration.seconds(definition.bootProbe.timeoutSeconds)
        let (outcome, time, lastLines) = try await providing { () throws(QEMUError) in
            let machine = try await QEMUMachine.start(commandLine, in: folder, tools: configuration.tools, paused: true)
            let watch = BootWatch(
                machine: machine, probe: definition.bootProbe.kind, hostPort: hostPort,
                restartLimit: configuration.restartLimit)
            let outcome = try await watch.outcome(within: limit)
            let time = clock.now - began
            let isProven = if case .ready = outcome { true } else { false }
            try await machine.shutDown(grace: isProven ? configuration.powerOffGrace : .zero)
            try await Blocking.run { () throws(QEMUError) in
                try PosixFile.makeFolder(consoleLog.removingLastComponent())
                try PosixFile.writeAtomically(
                    PosixFile.tail(folder.console, limit: Self.consoleBytes), to: consoleLog)
            }
            return (outcome, time, await machine.console.lastLines(5))
        }
        return Self.proof(
            outcome, after: time, limit: limit, lastLines: lastLines, consoleLog: consoleLog)
    }

    static func proof(
        _ outcome: BootOutcome?, after time: Duration, limit: Duration, lastLines: [String], consoleLog: FilePath
    ) -> BootProof {
        let last =
            lastLines.isEmpty ? "the console is empty" : "last on the console: \(lastLines.joined(separator: " | "))"
        let seconds = (time.seconds * 10).rounded() / 10
        let (verdict, evidence): (BootProof.Verdict, String) =
            switch outcome {
            case .ready(let what): (.booted, what)
            case .restartLoop(let count): (.failed, "restart loop: \(count) restarts in \(seconds) s; \(last)")
            case .panicked: (.failed, "the guest's kernel panicked; \(last)")
            case .ended(let how): (.failed, "\(how) before it was ready; \(last)")
            case .unwatchable(let why): (.notProven, "\(why); \(last)")
            case nil: (.notProven, "not ready within \(limit.seconds) s; \(last)")
            }
        return BootProof(
            verdict: verdict, evidence: evidence, seconds: time.seconds, consoleLog: consoleLog.string)
    }

    private func probePort(_ probe: MachineDefinition.BootProbe) throws(ProviderError) -> Int? {
        guard case .tcp = probe.kind else { return nil }
        do {
            return try LoopbackPort.free()
        } catch {
            throw ProviderError(
                .failed, "No port of 127.0.0.1 is free for the boot probe.", nextStep: "Resume the run later.",
                cause: error)
        }
    }

    private func commandLine(
        _ definition: MachineDefinition, acceleration: Acceleration, in folder: MachineFolder, hostPort: Int?
    ) async throws(ProviderError) -> QEMUCommandLine {
        var network: UserNetwork?
        if case .tcp(let port) = definition.bootProbe.kind, let hostPort {
            network = UserNetwork(
                card: definition.firmware == .direct ? .virtio : .e1000e,
                hostForwards: [.init(hostPort: hostPort, guestPort: port)])
        }
        let disk = try await bootDisk(definition, in: folder)
        return try await providing { () throws(QEMUError) in
            QEMUCommandLine(
                name: definition.name, acceleration: acceleration, memoryMiB: definition.memoryMiB,
                cpus: definition.cpus, firmware: definition.qemuFirmware,
                disks: [
                    try MachineDisk(
                        file: disk.path, format: disk.format, serial: "os-disk", bus: definition.bus,
                        sectorBytes: definition.sectorBytes)
                ],
                network: network, restartsAllowed: true, graphics: definition.firmware != .direct)
        }
    }

    private func bootDisk(
        _ definition: MachineDefinition, in folder: MachineFolder
    ) async throws(ProviderError) -> MachineDefinition.Disk {
        if definition.originalDisk != nil { return definition.disk }
        let layer = folder.path.appending(Self.throwAwayName)
        let image = image
        try await providing { () throws(QEMUError) in
            try await Blocking.run { () throws(QEMUError) in
                try PosixFile.removeFolder(folder.path)
                try PosixFile.makeFolder(folder.path)
            }
            try await image.createOverlay(
                layer, backing: definition.disk.path, backingFormat: definition.disk.format)
        }
        return MachineDefinition.Disk(path: layer, format: .qcow2)
    }
}
