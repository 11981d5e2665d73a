internal import SalvorQEMU
internal import SystemPackage

/// What a machine of Azure is made of in QEMU.
extension QEMUHypervisor {
    /// Where guests reach the ports of this computer that they may reach.
    package static let hostAddress = "160.0.2.100"
    /// One network in which libslirp can stand for all of Azure's own addresses: 169.254.169.254 and 168.63.129.16 lie in
    /// it, and it must be of four bits at least. The guest is 160.0.2.15 in it, whatever its interface's private address.
    static let network = "160.0.0.0/4"
    static let metadataSocketName = "metadata.sock"
    private static let metadataAddresses = ["169.254.169.254", "168.63.129.16"]

    /// The second generation's alone.
    static let osController = SCSIController(name: "os-scsi", slot: 9)
    static let dataController = SCSIController(name: "data-scsi", slot: 10)

    func commandLine(
        of machine: RealMachine, osDisk: MachineDisk, dataDisks: [MachineDisk]
    ) async throws(QEMUError) -> QEMUCommandLine {
        let probe = AccelerationProbe(
            tools: configuration.tools, cache: configuration.folder.removingLastComponent().appending("acceleration"))
        var commandLine = QEMUCommandLine(
            name: machine.name, acceleration: try await probe.acceleration(), memoryMiB: configuration.memoryMiB,
            cpus: configuration.cpus, firmware: machine.generation == .first ? .bios : .debianUEFI, disks: [osDisk],
            network: try network(of: machine), restartsAllowed: true, graphics: true)
        commandLine.dataDisks = dataDisks
        commandLine.chipset = machine.generation == .first ? .i440fx : .q35
        commandLine.scsiControllers =
            machine.generation == .first ? [Self.dataController] : [Self.osController, Self.dataController]
        return commandLine
    }

    private func network(of machine: RealMachine) throws(QEMUError) -> UserNetwork {
        let socat = try configuration.tools.find("socat", package: "socat").string
        // Its messages go nowhere: standard error would be part of the connection. QEMU runs in the machine's folder.
        func relay(to target: String) -> [String] { [socat, "-lf", "/dev/null", "-t", "30", "STDIO", target] }
        var network = UserNetwork()
        network.prefix = Self.network
        network.macAddress = machine.hardwareAddress.map { $0.replacing("-", with: ":") }
        network.guestForwards =
            Self.metadataAddresses.map {
                .init(address: $0, port: 80, command: relay(to: "UNIX-CONNECT:\(Self.metadataSocketName)"))
            }
            + configuration.reachablePorts.map {
                .init(address: Self.hostAddress, port: $0, command: relay(to: "TCP4:127.0.0.1:\($0),nodelay"))
            }
        if let address = machine.privateAddress {
            network.hostForwards = configuration.inboundPorts.map {
                .init(hostAddress: address, hostPort: $0, guestPort: $0)
            }
        }
        return network
    }

    func osDisk(of machine: RealMachine) async throws(ARMError) -> MachineDisk {
        try await disk(
            machine.osDisk, of: machine, on: machine.generation == .first ? .ide : .scsi(Self.osController, lun: 0))
    }

    func dataDisk(of machine: RealMachine, _ lun: Int) async throws(ARMError) -> MachineDisk {
        guard let disk = machine.dataDisks[lun] else {
            throw ARMError(500, "InternalExecutionError", "VM '\(machine.name)' has no data disk at LUN \(lun).")
        }
        return try await self.disk(disk, of: machine, on: .scsi(Self.dataController, lun: lun))
    }

    private func disk(
        _ disk: RealMachine.Disk, of machine: RealMachine, on bus: MachineDisk.Bus
    ) async throws(ARMError) -> MachineDisk {
        let path = try await configuration.contents.materialise(disk.content, bytes: disk.bytes)
        do {
            return try MachineDisk(file: FilePath(path), format: .raw, serial: Self.serial(of: disk), bus: bus)
        } catch {
            throw ARMError(error, of: machine.name)
        }
    }

    /// Tells a machine's disks apart: of a content's id, which is a UUID, what fits.
    static func serial(of disk: RealMachine.Disk) -> String {
        String(disk.content.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }.prefix(MachineDisk.longestSerial))
    }
}
