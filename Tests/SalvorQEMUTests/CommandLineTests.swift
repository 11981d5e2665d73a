import SalvorJSON
import SystemPackage
import Testing

@testable import SalvorQEMU

@Suite("Command line")
struct CommandLineTests {
    private let uuid = "01234567-89ab-4cde-8f01-23456789abcd"

    private func machine(_ change: (inout QEMUCommandLine) -> Void = { _ in }) -> [String] {
        var line = QEMUCommandLine(
            name: "a,b", acceleration: .tcg(reason: "test"), memoryMiB: 512, firmware: .bios)
        change(&line)
        return line.arguments(uuid: uuid)
    }

    private func value(_ option: String, in arguments: [String]) -> String? {
        arguments.firstIndex(of: option).map { arguments[$0 + 1] }
    }

    @Test("A machine carries its identity, and a comma in its name ends nothing")
    func identity() {
        let arguments = machine()
        #expect(value("-uuid", in: arguments) == uuid)
        #expect(value("-name", in: arguments) == "guest=a,,b")
        #expect(arguments.contains("-no-reboot"))
        #expect(!machine { $0.restartsAllowed = true }.contains("-no-reboot"))
    }

    @Test("A guest has the processors that it is to have, and under translation one")
    func processors() {
        #expect(value("-smp", in: machine { $0.cpus = 4 }) == "1")
        let accelerated = machine {
            $0.cpus = 4
            $0.acceleration = .kvm
        }
        #expect(value("-smp", in: accelerated) == "4")
    }

    @Test("QEMU may start programs only where a forward needs one")
    func sandbox() {
        #expect(value("-sandbox", in: machine())?.hasSuffix("spawn=deny") == true)
        let forwarding = machine {
            $0.network = UserNetwork(guestForwards: [.init(port: 7443, command: ["socat"])])
        }
        #expect(value("-sandbox", in: forwarding)?.hasSuffix("spawn=allow") == true)
        #expect(value("-sandbox", in: machine { $0.network = UserNetwork() })?.hasSuffix("spawn=deny") == true)
    }

    @Test("The network is closed but for what is forwarded")
    func network() {
        let network = UserNetwork(
            guestForwards: [.init(port: 7443, command: ["/a b/relay", "it's,so"])],
            hostForwards: [.init(hostPort: 4000, guestPort: 22)])
        #expect(
            network.netdev
                == "user,id=net0,ipv6=off,restrict=on,"
                + #"guestfwd=tcp:10.0.2.100:7443-cmd:'/a b/relay' 'it'\''s,,so',"#
                + "hostfwd=tcp:127.0.0.1:4000-:22")
    }

    @Test("Hot-plug ports share slots eight by eight and reserve no I/O space")
    func ports() throws {
        let arguments = machine { $0.hotPlugPorts = 9 }
        let ports = try zip(arguments, arguments.dropFirst()).filter { $0.0 == "-device" }
            .map { try JSONValue.parse($0.1.utf8) }
        #expect(ports.count == 9)
        #expect(ports[7]["addr"] == "0x10.7")
        #expect(ports[8]["addr"] == "0x11.0")
        #expect(ports.allSatisfy { $0["io-reserve"] == 0 })
        #expect(Set(ports.compactMap { $0["chassis"]?.integer }).count == 9)
    }

    @Test("Disks boot in their order, and a read-only one is read-only down to the file")
    func disks() throws {
        let first = try MachineDisk(file: "/d/a,b.raw", format: .raw, serial: "one")
        let second = try MachineDisk(file: "/d/c.qcow2", format: .qcow2, readOnly: true, serial: "two", bus: .sata)
        let arguments = machine { $0.disks = [first, second] }
        let nodes = try zip(arguments, arguments.dropFirst()).filter { $0.0 == "-blockdev" }
            .map { try JSONValue.parse($0.1.utf8) }
        #expect(nodes[0]["file"]?["filename"] == "/d/a,b.raw")
        #expect(nodes[1]["read-only"] == true)
        #expect(nodes[1]["file"]?["read-only"] == true)
        #expect(first.device(bootIndex: 0)["bootindex"] == 0)
        #expect(second.device()["driver"] == "ide-hd")
        #expect(second.nodeName.utf8.count <= 31)
    }

    @Test("SCSI disks are told apart by LUN, and what is a data disk is never started from")
    func scsi() throws {
        let controller = SCSIController(name: "data", slot: 10)
        let os = try MachineDisk(file: "/d/os", format: .raw, serial: "os", bus: .ide)
        let data = try MachineDisk(file: "/d/data", format: .raw, serial: "data", bus: .scsi(controller, lun: 63))
        let arguments = machine {
            $0.chipset = .i440fx
            $0.disks = [os]
            $0.dataDisks = [data]
            $0.scsiControllers = [controller]
        }
        let devices = try zip(arguments, arguments.dropFirst()).filter { $0.0 == "-device" }
            .map { try JSONValue.parse($0.1.utf8) }
        #expect(value("-machine", in: arguments) == "pc")
        #expect(value("-boot", in: arguments) == "strict=on")
        #expect(devices.map { $0["driver"]?.string } == ["virtio-scsi-pci", "ide-hd", "scsi-hd"])
        #expect(devices[0]["addr"] == "0xa")
        #expect(devices[1]["bus"] == "ide.0" && devices[1]["bootindex"] == 0)
        #expect(devices[2]["bus"] == "data.0" && devices[2]["lun"] == 63 && devices[2]["scsi-id"] == 0)
        #expect(devices[2]["bootindex"] == nil)
        #expect(throws: QEMUError(.invalidArgument, "")) {
            try MachineDisk(file: "/d", format: .raw, serial: "s", bus: .scsi(controller, lun: 256))
        }
    }

    @Test("A network can have addresses of its own choosing, and its card a hardware address")
    func chosenNetwork() {
        var network = UserNetwork(guestForwards: [.init(address: "169.254.169.254", port: 80, command: ["/relay"])])
        network.prefix = "160.0.0.0/4"
        network.macAddress = "00:0d:3a:12:34:56"
        #expect(
            network.netdev
                == "user,id=net0,ipv6=off,restrict=on,net=160.0.0.0/4,guestfwd=tcp:169.254.169.254:80-cmd:'/relay'")
        #expect(network.device["mac"] == "00:0d:3a:12:34:56")
    }

    @Test(
        "A serial that a guest would not see in full is refused",
        arguments: ["", "has space", "ä", "a/b", String(repeating: "x", count: 21)])
    func serials(serial: String) {
        #expect(throws: QEMUError(.invalidArgument, "")) {
            try MachineDisk(file: "/d", format: .raw, serial: serial)
        }
    }

    @Test("A disk without an absolute path is refused, because QEMU runs elsewhere")
    func relativePath() {
        #expect(throws: QEMUError(.invalidArgument, "")) { try MachineDisk(file: "d", format: .raw, serial: "s") }
    }

    @Test("Direct boot hands kernel, initramfs and command line over as they are")
    func directBoot() {
        let arguments = machine {
            $0.firmware = .direct(kernel: "/k", initramfs: "/i", append: "console=ttyS0 a,b")
            $0.acceleration = .kvm
        }
        #expect(value("-kernel", in: arguments) == "/k")
        #expect(value("-initrd", in: arguments) == "/i")
        #expect(value("-append", in: arguments) == "console=ttyS0 a,b")
        #expect(value("-accel", in: arguments) == "kvm")
        #expect(value("-cpu", in: arguments) == "host")
    }

    @Test("Under translation a guest has random bytes at once")
    func randomness() {
        let arguments = machine { $0.acceleration = .tcg(reason: "test") }
        #expect(value("-cpu", in: arguments) == "qemu64,+rdrand")
    }

    @Test("A new identity is a random UUID of version 4")
    func identities() {
        let made = (0..<50).map { _ in MachineFolder.newUUID() }
        #expect(made.allSatisfy { MachineFolder.isUUID($0) && Array($0)[14] == "4" && "89ab".contains(Array($0)[19]) })
        #expect(Set(made).count == 50)
    }
}
