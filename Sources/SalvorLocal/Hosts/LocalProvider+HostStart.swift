import SalvorCoordinatorCore
import SalvorQEMU
internal import SalvorSystem
import Synchronization
import SystemPackage

extension LocalProvider {
    /// The rescue VM, once disks can be plugged in: they must not come while the rescue image looks at its devices. Costs
    /// a start no time, because it says that they are up before it starts the agent.
    ///
    /// One that does not come up is ended and started again: a guest that QEMU has let hang costs a minute, not the run.
    func upMachine(
        _ specification: HostSpecification, in folder: MachineFolder, acceleration: Acceleration
    ) async throws(ProviderError) -> QEMUMachine {
        var limits = configuration.rescueStartLimits[...]
        while true {
            let machine = try await runningOrStarted(specification, in: folder, acceleration: acceleration)
            let limit = limits.popFirst() ?? .zero
            let isUp = await isUp(machine, within: limit)
            if Task.isCancelled {
                throw ProviderError(QEMUError(.cancelled, "The start of \(specification.name.host) was cancelled."))
            }
            if isUp { return machine }
            // What ends of its own accord does so each time.
            guard machine.process.isRunning, !limits.isEmpty else { throw await notUp(machine, within: limit) }
            try await providing { () throws(QEMUError) in _ = try await machine.quit() }
        }
    }

    private func runningOrStarted(
        _ specification: HostSpecification, in folder: MachineFolder, acceleration: Acceleration
    ) async throws(ProviderError) -> QEMUMachine {
        let machine: QEMUMachine
        if let running = try await running(specification.name) {
            // A crash may have come between the start and the first instruction.
            try await providing { () throws(QEMUError) in try await running.run() }
            machine = running
        } else {
            machine = try await start(specification, in: folder, acceleration: acceleration)
        }
        hosts.withLock { $0[specification.name] = machine }
        return machine
    }

    private func start(
        _ specification: HostSpecification, in folder: MachineFolder, acceleration: Acceleration
    ) async throws(ProviderError) -> QEMUMachine {
        let image = try await requireRescueImage()
        let disk = folder.path.appending(Self.configDiskName)
        do {
            // What a crash has left of an earlier attempt: its token is spent or its process never was.
            try await Blocking.run { () throws(QEMUError) in
                try PosixFile.removeFolder(folder.path)
                try PosixFile.makeFolder(folder.path)
            }
            try await configuration.makeConfigDisk(specification, disk)
        } catch let error as QEMUError {
            throw ProviderError(error)
        } catch {
            throw ProviderError(
                .failed, "The config disk of \(specification.name) could not be made.",
                nextStep: "Run `salvor doctor`, then resume the run.", cause: error)
        }
        return try await providing { () throws(QEMUError) in
            let commandLine = QEMUCommandLine(
                name: "salvor \(specification.name)", acceleration: acceleration,
                memoryMiB: configuration.rescueHardware.memoryMiB, cpus: configuration.rescueHardware.cpus,
                firmware: .direct(
                    kernel: image.kernel, initramfs: image.initramfs,
                    append: RescueHardware.kernelCommandLine(acceleration)),
                disks: [try MachineDisk(file: disk, format: .raw, readOnly: true, serial: Self.configDiskSerial)],
                hotPlugPorts: max(1, specification.machines.count),
                network: try network(of: specification))
            return try await QEMUMachine.start(commandLine, in: folder, tools: configuration.tools)
        }
    }

    private func isUp(_ machine: QEMUMachine, within limit: Duration) async -> Bool {
        let prefix = configuration.rescueReadyPrefix
        let line = await within(limit) {
            await withTaskGroup(of: String?.self) { group in
                group.addTask { try? await machine.console.firstLine { $0.hasPrefix(prefix) } }
                group.addTask {
                    _ = await machine.process.waitForExit(atMost: limit)
                    return nil
                }
                defer { group.cancelAll() }
                return await group.next() ?? nil
            }
        }
        return line.flatMap(\.self) != nil
    }

    private func notUp(_ machine: QEMUMachine, within limit: Duration) async -> ProviderError {
        let last = await machine.console.lastLines(3).joined(separator: " | ")
        let words = last.isEmpty ? "Its console is empty." : "Last on its console: \(last)"
        let starts = configuration.rescueStartLimits.count
        return ProviderError(
            QEMUError(
                .timedOut,
                machine.process.isRunning
                    ? "The rescue VM was started \(starts) times and did not come up, the last time within \(limit). \(words)"
                    : "The rescue VM ended while it was starting. \(words)"))
    }
}
