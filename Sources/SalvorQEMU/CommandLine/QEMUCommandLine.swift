internal import SalvorJSON
import SystemPackage

/// What a machine is made of, and the argument vector that makes it. No shell ever sees it, and nothing in it is secret:
/// every user of the host can read a command line.
package struct QEMUCommandLine: Hashable, Sendable {
    /// For people: shown by `ps`.
    package var name: String
    package var acceleration: Acceleration
    package var memoryMiB: Int
    /// Under translation the guest gets one, whatever this is.
    package var cpus: Int
    package var firmware: Firmware
    /// In boot order.
    package var disks: [MachineDisk]
    /// Never started from, whatever is on them.
    package var dataDisks: [MachineDisk] = []
    /// What the SCSI disks among them are on, and others later.
    package var scsiControllers: [SCSIController] = []
    package var chipset = Chipset.q35
    /// How many disks can be plugged in while it runs.
    package var hotPlugPorts: Int
    package var network: UserNetwork?
    /// False ends QEMU where the guest would restart.
    package var restartsAllowed: Bool
    /// A VGA adapter that nobody looks at, for guests that do not start without one.
    package var graphics: Bool

    package init(
        name: String, acceleration: Acceleration, memoryMiB: Int, cpus: Int = 1, firmware: Firmware,
        disks: [MachineDisk] = [], hotPlugPorts: Int = 0, network: UserNetwork? = nil, restartsAllowed: Bool = false,
        graphics: Bool = false
    ) {
        self.name = name
        self.acceleration = acceleration
        self.memoryMiB = memoryMiB
        self.cpus = cpus
        self.firmware = firmware
        self.disks = disks
        self.hotPlugPorts = hotPlugPorts
        self.network = network
        self.restartsAllowed = restartsAllowed
        self.graphics = graphics
    }

    package enum Chipset: String, Hashable, Sendable {
        /// PCI Express, SATA.
        case q35
        /// PCI and IDE, for guests that look for their disk there. It has no hot-plug ports.
        case i440fx = "pc"
    }

    /// The largest number of ports that fits beside the other devices of a q35 machine.
    package static let mostHotPlugPorts = 64

    /// Bus ids of the hot-plug ports, in the order in which they are filled.
    package var portNames: [String] { (0..<hotPlugPorts).map(Self.portName) }

    package static func portName(_ index: Int) -> String { "port\(index)" }

    /// Arguments for `qemu-system-x86_64`, which is to be started in the machine's folder: control socket, console and
    /// process file are named relative to it, because a socket's address holds 107 bytes and no more.
    /// The guest does not run until it is told to (`-S`), so that no event of it comes before someone listens.
    /// - Parameter uuid: the machine's identity, by which its process is told from any other.
    package func arguments(uuid: String) -> [String] {
        var arguments = [
            "-nodefaults", "-no-user-config", "-display", "none", "-S", "-msg", "timestamp=on",
            "-name", "guest=" + OptionText.escaped(name),
            "-uuid", uuid,
            "-sandbox", sandbox,
            "-accel", acceleration.option,
            "-m", "size=\(memoryMiB)M",
            "-smp", "\(acceleration.processors(of: cpus))",
            "-rtc", "base=utc",
            "-pidfile", MachineFolder.pidName,
            "-chardev", "socket,id=qmp,path=\(MachineFolder.monitorName),server=on,wait=off",
            "-mon", "chardev=qmp,mode=control",
            "-chardev", "file,id=console,path=\(MachineFolder.consoleName)",
            "-serial", "chardev:console",
        ]
        arguments += ["-cpu", cpuModel]
        if !restartsAllowed { arguments.append("-no-reboot") }
        if graphics { arguments += ["-device", "VGA"] }
        arguments += firmwareArguments
        arguments += portArguments
        for controller in scsiControllers { arguments += ["-device", controller.device.text] }
        for (index, disk) in disks.enumerated() {
            arguments += ["-blockdev", disk.blockNode.text]
            arguments += [
                "-device", disk.device(port: bus(of: disk, at: index), bootIndex: bootsFromDisk ? index : nil).text,
            ]
        }
        for (index, disk) in dataDisks.enumerated() {
            arguments += ["-blockdev", disk.blockNode.text]
            arguments += ["-device", disk.device(port: bus(of: disk, at: disks.count + index)).text]
        }
        // SeaBIOS goes on to the disks that have no place in the order otherwise.
        if bootsFromDisk, !dataDisks.isEmpty || !scsiControllers.isEmpty { arguments += ["-boot", "strict=on"] }
        if let network {
            arguments += ["-netdev", network.netdev, "-device", network.device.text]
        }
        return arguments
    }

    /// Under TCG fancier models than QEMU's default only cost time, but for RDRAND: without it a Linux guest gathers its
    /// first random bytes from the clock's jitter, and whoever asks for one waits a second for that.
    private var cpuModel: String { acceleration == .kvm ? "host" : "qemu64,+rdrand" }

    private var bootsFromDisk: Bool {
        if case .direct = firmware { false } else { true }
    }

    private func bus(of disk: MachineDisk, at index: Int) -> String? {
        switch disk.bus {
        case .sata: "ide.\(index)"
        // Two to a channel.
        case .ide: "ide.\(index / 2)"
        case .virtio, .scsi: nil
        }
    }

    /// QEMU may start no program, unless a forward needs one for each connection: libslirp then calls setsid, which
    /// `elevateprivileges=deny` (and `children`) forbids. The filter itself still keeps every child from gaining
    /// privileges.
    private var sandbox: String {
        let spawns = network.map { !$0.guestForwards.isEmpty } ?? false
        return "on,obsolete=deny,resourcecontrol=deny," + (spawns ? "spawn=allow" : "elevateprivileges=deny,spawn=deny")
    }

    private var firmwareArguments: [String] {
        switch firmware {
        case .direct(let kernel, let initramfs, let append):
            var arguments = ["-machine", chipset.rawValue, "-kernel", kernel.string, "-append", append]
            if let initramfs { arguments += ["-initrd", initramfs.string] }
            return arguments
        case .bios:
            return ["-machine", chipset.rawValue]
        case .uefi(let code, _):
            let codeNode: JSONValue = [
                "driver": "raw", "node-name": "uefi-code", "read-only": true,
                "file": ["driver": "file", "filename": .string(code.string), "read-only": true],
            ]
            let variables: JSONValue = [
                "driver": "raw", "node-name": "uefi-variables",
                "file": ["driver": "file", "filename": .string(MachineFolder.variablesName)],
            ]
            return [
                "-machine", "\(chipset.rawValue),pflash0=uefi-code,pflash1=uefi-variables",
                "-blockdev", codeNode.text, "-blockdev", variables.text,
            ]
        }
    }

    /// Eight ports share a slot of the root bus. They reserve no I/O space: there is too little for all of them, and
    /// modern virtio needs none.
    private var portArguments: [String] {
        (0..<hotPlugPorts).flatMap { index -> [String] in
            let port: JSONValue = [
                "driver": "pcie-root-port", "id": .string(Self.portName(index)), "bus": "pcie.0",
                "addr": .string("0x\(String(0x10 + index / 8, radix: 16)).\(index % 8)"), "multifunction": true,
                "chassis": .integer(Int64(index + 1)), "slot": .integer(Int64(index + 1)), "io-reserve": 0,
            ]
            return ["-device", port.text]
        }
    }
}
