internal import SalvorJSON
package import SalvorQEMU
internal import SalvorSystem
internal import Synchronization
package import SystemPackage

/// Machines in QEMU, a folder each. They outlive the emulator, and are found again by their folders.
package final class QEMUHypervisor: Hypervisor {
    package struct Configuration: Sendable {
        /// Holds a folder for each machine.
        package var folder: FilePath
        package var contents: DiskContents
        /// What each machine gets of this computer, whatever its size says.
        package var memoryMiB: Int
        package var cpus: Int
        /// Ports of 127.0.0.1 that guests reach, at ``QEMUHypervisor/hostAddress``.
        package var reachablePorts: [Int]
        /// Ports of guests that this computer reaches at their private addresses, which it has to have itself, and has to
        /// dial from 127.0.0.1: guests have no router, and QEMU shows them that as an address on their own link.
        package var inboundPorts: [Int]
        /// What on the console shows that a guest is ready; nil for the report to the wire server alone.
        package var isReady: (@Sendable (String) -> Bool)?
        /// How long a guest may take to power off before it is ended.
        package var grace: Duration
        package var tools: QEMUTools

        package init(
            folder: FilePath, contents: DiskContents, memoryMiB: Int = 512, cpus: Int = 1, reachablePorts: [Int] = [],
            inboundPorts: [Int] = [],
            isReady: (@Sendable (String) -> Bool)? = nil, grace: Duration = .seconds(30),
            tools: QEMUTools = QEMUTools()
        ) {
            self.folder = folder
            self.contents = contents
            self.memoryMiB = memoryMiB
            self.cpus = cpus
            self.reachablePorts = reachablePorts
            self.inboundPorts = inboundPorts
            self.isReady = isReady
            self.grace = grace
            self.tools = tools
        }
    }

    let configuration: Configuration
    package let events: AsyncStream<MachineEvent>
    private let tell: AsyncStream<MachineEvent>.Continuation
    private let running = Mutex<[String: QEMUMachine]>([:])
    /// What of a console is handed out; Azure keeps as much.
    private static let longestLog = 1 << 20

    package init(_ configuration: Configuration) {
        self.configuration = configuration
        (events, tell) = AsyncStream.makeStream()
    }

    func folder(of id: String) -> MachineFolder { MachineFolder(configuration.folder.appending(id)) }

    package func metadataSocket(of id: String) -> String {
        folder(of: id).path.appending(Self.metadataSocketName).string
    }

    // MARK: Power

    package func start(_ machine: RealMachine) async throws(ARMError) {
        if try await find(machine.id, machine.name) != nil { return }
        let osDisk = try await osDisk(of: machine)
        var dataDisks: [MachineDisk] = []
        for lun in machine.dataDisks.keys.sorted() { dataDisks.append(try await dataDisk(of: machine, lun)) }
        try await Self.reporting(machine.name) { () async throws(QEMUError) in
            let commandLine = try await self.commandLine(of: machine, osDisk: osDisk, dataDisks: dataDisks)
            let started = try await QEMUMachine.start(
                commandLine, in: self.folder(of: machine.id), tools: self.configuration.tools)
            self.tell.yield(.restarted(machine.id))
            self.watch(started, machine.id)
        }
    }

    package func powerOff(_ id: String, gracefully: Bool) async throws(ARMError) {
        let machine = try? await find(id, id)
        try await Self.reporting(id) { () async throws(QEMUError) in
            if let machine {
                try await machine.shutDown(grace: gracefully ? self.configuration.grace : .zero)
            } else {
                // One that does not answer is ended all the same.
                try await QEMUMachine.end(in: self.folder(of: id))
            }
        }
    }

    package func remove(_ id: String) async throws(ARMError) {
        try await powerOff(id, gracefully: false)
        let folder = folder(of: id).path
        try await Self.reporting(id) { () async throws(QEMUError) in
            try await Blocking.run { () throws(QEMUError) in try PosixFile.removeFolder(folder) }
        }
    }

    // MARK: Disks

    package func adjust(_ machine: RealMachine) async throws(ARMError) {
        guard let present = try await find(machine.id, machine.name) else { return }
        let osSerial = Self.serial(of: machine.osDisk)
        let serials = try await Self.reporting(machine.name) { () async throws(QEMUError) in
            try await present.diskSerials()
        }
        guard serials.contains(osSerial) else {
            // An OS disk is not exchanged under a guest that runs.
            try await powerOff(machine.id, gracefully: true)
            return try await start(machine)
        }
        let wanted = machine.dataDisks.mapValues(Self.serial)
        let known = try await Self.reporting(machine.name) { () async throws(QEMUError) in
            let known = try await present.diskSerials(on: Self.dataController)
            for (lun, serial) in known where wanted[lun] != serial { try await present.detachDisk(serial: serial) }
            return known
        }
        for lun in wanted.keys.sorted() where known[lun] != wanted[lun] {
            let disk = try await dataDisk(of: machine, lun)
            try await Self.reporting(machine.name) { () async throws(QEMUError) in try await present.attachDisk(disk) }
        }
    }

    // MARK: What runs

    package func known() async -> [String] {
        let folder = configuration.folder
        return await Blocking.run { PosixFile.names(in: folder) }
    }

    package func adopt(_ id: String) async throws(ARMError) -> Bool { try await find(id, id) != nil }

    package func isRunning(_ id: String) async -> Bool {
        if let machine = running.withLock({ $0[id] }) { return machine.process.isRunning }
        return await QEMUMachine.isRunning(in: folder(of: id))
    }

    package func consoleLog(_ id: String) async -> [UInt8] {
        let file = folder(of: id).console
        return await Blocking.run { PosixFile.tail(file, limit: Self.longestLog) }
    }

    package func screenshot(_ id: String) async throws(ARMError) -> [UInt8]? {
        guard let machine = try await find(id, id) else { return nil }
        return try await Self.reporting(id) { () async throws(QEMUError) in try await machine.screenshot() }
    }

    /// The machine, if it runs: by the connection that there is, or by what its folder says.
    private func find(_ id: String, _ name: String) async throws(ARMError) -> QEMUMachine? {
        if let known = running.withLock({ $0[id] }), known.process.isRunning { return known }
        return try await Self.reporting(name) { () async throws(QEMUError) in
            guard let found = try await QEMUMachine.find(in: self.folder(of: id)) else { return nil }
            self.watch(found, id)
            return found
        }
    }

    /// Tells what becomes of a machine, from now until its end.
    private func watch(_ machine: QEMUMachine, _ id: String) {
        running.withLock { $0[id] = machine }
        tell.yield(.started(id))
        let (tell, isReady) = (tell, configuration.isReady)
        let resets = machine.monitor.events()
        Task.detached {
            await withTaskGroup { group in
                group.addTask {
                    for await event in resets where event.name == "RESET" && event.data["guest"]?.bool == true {
                        tell.yield(.restarted(id))
                    }
                }
                if let isReady {
                    group.addTask {
                        if (try? await machine.console.firstLine(where: isReady)) != nil {
                            tell.yield(.ready(id))
                        }
                    }
                }
                while await !machine.process.waitForExit(atMost: .seconds(3600)) {}
                group.cancelAll()
            }
            machine.monitor.close()
            self.running.withLock { if $0[id] === machine { $0[id] = nil } }
            tell.yield(.ended(id))
        }
    }

    private static func reporting<Value: Sendable>(
        _ machine: String, _ body: () async throws(QEMUError) -> Value
    ) async throws(ARMError) -> Value {
        do {
            return try await body()
        } catch {
            throw ARMError(error, of: machine)
        }
    }
}
