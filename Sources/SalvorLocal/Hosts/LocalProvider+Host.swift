package import SalvorCoordinatorCore
import SalvorQEMU
internal import SalvorSystem
import Synchronization
import SystemPackage

extension LocalProvider {
    private static let coordinatorAddress = "10.0.2.100"
    /// Where the coordinator is, or where the agent waits for it, as the rescue VM sees it.
    private static let linkPort = 7443
    static let configDiskName = "config.img"
    static let configDiskSerial = "salvor-config"

    /// The rescue VM sees one address and one port beside itself; its own address is fixed, so that no time goes into
    /// asking for one.
    package func route(toCoordinatorPort port: Int) -> HostRoute {
        if configuration.agentsListen {
            return HostRoute(listeningOn: UInt16(Self.linkPort), staticAddress: UserNetwork.guestAddress)
        }
        return HostRoute(
            coordinator: "\(Self.coordinatorAddress):\(Self.linkPort)", staticAddress: UserNetwork.guestAddress)
    }

    package func createHost(_ specification: HostSpecification) async throws(ProviderError) -> RescueHost {
        let acceleration = try await acceleration()
        let folder = state.host(specification.name)
        let machine = try await upMachine(specification, in: folder, acceleration: acceleration)
        let listenAddress = try await listenAddress(of: machine)
        return RescueHost(
            name: specification.name, identifier: folder.path.string, imageDigest: configuration.rescueImage?.digest,
            details: ["acceleration": acceleration.name, "process": "\(machine.process.pid)", "uuid": machine.uuid],
            listenAddress: listenAddress)
    }

    private func listenAddress(of machine: QEMUMachine) async throws(ProviderError) -> ListenAddress? {
        guard configuration.agentsListen else { return nil }
        let port = try await providing { () throws(QEMUError) in
            try await machine.hostPort(forwardedTo: Self.linkPort)
        }
        return ListenAddress(host: "127.0.0.1", port: port)
    }

    func network(of specification: HostSpecification) throws(QEMUError) -> UserNetwork {
        if configuration.agentsListen { return UserNetwork(hostForwards: [.toAnyFreePort(guestPort: Self.linkPort)]) }
        return UserNetwork(guestForwards: [
            .init(
                address: Self.coordinatorAddress, port: Self.linkPort,
                command: try relayCommand(coordinatorPort: specification.coordinatorPort))
        ])
    }

    /// Joins a connection of the rescue VM to the coordinator. Its messages go nowhere: standard error would be part of
    /// the connection. After one side has ended its sending, the other has half a minute to finish.
    func relayCommand(coordinatorPort: Int) throws(QEMUError) -> [String] {
        if let relay = configuration.relay { return relay(coordinatorPort) }
        let socat = try configuration.tools.find("socat", package: "socat")
        return [
            socat.string, "-lf", "/dev/null", "-b", "65536", "-t", "30", "STDIO,nodelay,quickack",
            "TCP4:127.0.0.1:\(coordinatorPort),nodelay",
        ]
    }

    /// The rescue VM, if it runs: by the connection that we have, or by what its folder says.
    func running(_ name: HostName) async throws(ProviderError) -> QEMUMachine? {
        if let known = hosts.withLock({ $0[name] }) {
            if known.process.isRunning { return known }
            hosts.withLock { _ = $0.removeValue(forKey: name) }
        }
        let folder = state.host(name)
        guard let found = try await providing({ () throws(QEMUError) in try await QEMUMachine.find(in: folder) }) else {
            return nil
        }
        hosts.withLock { $0[name] = found }
        return found
    }

    /// Returns when the disk is plugged in; the guest's kernel needs some moments more to show it.
    package func attach(_ copy: RepairCopy, to host: RescueHost) async throws(ProviderError) -> DiskAddress {
        guard let machine = try await running(host.name) else {
            throw ProviderError(
                .notFound, "The rescue VM \(host.name) is not running, so \(copy.disk.identifier) was not attached.",
                nextStep: "Resume the run: it starts another.")
        }
        let disk = try Self.disk(copy.disk)
        let serial = LocalNames.serial(of: copy.name)
        let sectorBytes = try await inventory.definition(named: copy.name.machine).sectorBytes
        try await providing { () throws(QEMUError) in
            let disk = try MachineDisk(file: disk.path, format: disk.format, serial: serial, sectorBytes: sectorBytes)
            try await machine.attachDisk(disk)
        }
        return .serial(serial)
    }

    package func detach(_ copy: RepairCopy, from host: RescueHost) async throws(ProviderError) {
        // A rescue VM that has ended holds no disk.
        guard let machine = try await running(host.name) else { return }
        do throws(QEMUError) {
            try await machine.detachDisk(serial: LocalNames.serial(of: copy.name))
        } catch {
            if !machine.process.isRunning { return }
            throw ProviderError(error)
        }
    }

    package func mayRun(_ host: RescueHost) async -> Bool {
        if let known = hosts.withLock({ $0[host.name] }) { return known.process.isRunning }
        return await Blocking.run { [state] in QEMUMachine.runningProcess(in: state.host(host.name)) != nil }
    }

    package func saveConsole(of host: RescueHost, to path: String) async -> Bool {
        let console = state.host(host.name).console
        return await Blocking.run {
            guard let bytes = try? PosixFile.read(console), !bytes.isEmpty else { return false }
            return (try? PosixFile.writeAtomically(bytes, to: FilePath(path))) != nil
        }
    }

    package func deleteHost(named name: HostName) async throws(ProviderError) {
        let folder = state.host(name)
        if let machine = hosts.withLock({ $0.removeValue(forKey: name) }) {
            try await providing { () throws(QEMUError) in _ = try await machine.quit() }
        }
        try await providing { () throws(QEMUError) in
            _ = try await QEMUMachine.end(in: folder)
            try await Blocking.run { [state] () throws(QEMUError) in
                try PosixFile.removeFolder(folder.path)
                state.removeEmptyFolders(ofRun: name.run)
            }
        }
    }

    package func resources(ofRun run: String) async throws(ProviderError) -> [ProviderResource] {
        await Blocking.run { [state] in
            var resources: [ProviderResource] = []
            for record in state.copyRecords(ofRun: run) {
                if PosixFile.exists(record.file) {
                    resources.append(ProviderResource(kind: .repairCopy, identifier: record.file.string))
                }
                let boot = state.boot(record.name.machine)
                if PosixFile.exists(boot.path) {
                    resources.append(ProviderResource(kind: .bootedMachine, identifier: boot.path.string))
                }
            }
            let hosts = state.hosts(ofRun: run)
            for name in PosixFile.names(in: hosts) {
                let folder = hosts.appending(name)
                resources.append(ProviderResource(kind: .rescueHost, identifier: folder.string))
                let config = folder.appending(Self.configDiskName)
                if PosixFile.exists(config) {
                    resources.append(ProviderResource(kind: .configDisk, identifier: config.string))
                }
            }
            return resources
        }
    }
}
