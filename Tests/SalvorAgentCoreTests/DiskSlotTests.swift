import FoundationEssentials
import Glibc
import SalvorMessages
import SwiftProtobuf
import Testing

@testable import SalvorAgentCore

/// Which LUN a disk has, by where it is plugged in: sysfs trees of Azure's sizes and of QEMU's machines.
struct DiskSlotTests {
    private static let vmbus = "devices/LNXSYSTM:00/LNXSYBUS:00/ACPI0004:00/VMBUS:00"
    private static let firstController = "f8b3781a-1e82-4818-a1c3-63d806ec15bb"
    private static let secondController = "f8b3781b-1e82-4818-a1c3-63d806ec15bb"
    private static let thirdController = "f8b3781c-1e82-4818-a1c3-63d806ec15bb"

    private struct Tree {
        let scratch: Scratch

        init() throws { scratch = try Scratch() }

        func write(_ path: String, _ text: String) throws {
            let full = "\(scratch.path)/\(path)"
            try FileManager.default.createDirectory(
                atPath: String(full[..<(try #require(full.lastIndex(of: "/")))]), withIntermediateDirectories: true)
            try Data(Array((text + "\n").utf8)).write(to: URL(filePath: full))
        }

        /// - Parameter controller: below the root of sysfs.
        func addSCSI(_ name: String, controller: String, address: String) throws {
            let host = address.split(separator: ":")[0]
            let target = address.split(separator: ":").dropLast().joined(separator: ":")
            let device = "\(controller)/host\(host)/target\(target)/\(address)"
            try write("sys/\(device)/vendor", "Msft")
            try write("sys/class/block/\(name)/size", "8192")
            try write("dev/\(name)", "")
            try #require(
                symlink("../../../\(device)", "\(scratch.path)/sys/class/block/\(name)/device") == 0)
        }

        func addVMBus(_ name: String, channel: String, address: String) throws {
            try write("sys/\(DiskSlotTests.vmbus)/\(channel)/device_id", "{\(channel)}")
            try addSCSI(name, controller: "\(DiskSlotTests.vmbus)/\(channel)", address: address)
        }

        func addNVMe(_ name: String, namespace: String, model: String) throws {
            try write("sys/class/block/\(name)/size", "8192")
            try write("sys/class/block/\(name)/nsid", namespace)
            try write("sys/class/block/\(name)/device/model", model)
            try write("dev/\(name)", "")
        }

        func disks() async throws -> [Salvor_V1_Disk] {
            try write("proc/self/mountinfo", "")
            try write("proc/swaps", "Filename")
            try write("blkid", "")
            return try await SystemDisks(
                tools: AgentTools(blkid: "/bin/true"), sysfs: "\(scratch.path)/sys", proc: "\(scratch.path)/proc",
                devices: "\(scratch.path)/dev"
            ).disks()
        }

        /// Name of the disk that a LUN means, or the error.
        func resolve(lun: UInt32) async throws -> Result<String, AgentError> {
            let disks = try await disks()
            return Result { () throws(AgentError) in
                let disk = try Salvor_V1_DiskSelector.with { $0.lun = lun }.resolve(among: disks)
                return String(disk.device.split(separator: "/").last ?? "")
            }
        }
    }

    private static let noSuchDisk = AgentError(.noSuchDisk, "", next: "")

    @Test(
        "Generation 1: the machine's two disks are on IDE, and LUN 0 is the first data disk, in whatever order they came"
    )
    func firstGeneration() async throws {
        let tree = try Tree()
        try tree.addVMBus("sdc", channel: "00000000-0000-8899-0000-000000000000", address: "0:0:0:0")
        try tree.addVMBus("sda", channel: "00000000-0001-8899-0000-000000000000", address: "1:0:1:0")
        #expect(try await tree.resolve(lun: 0) == .failure(Self.noSuchDisk))
        try tree.addVMBus("sdb", channel: Self.secondController, address: "3:0:0:0")
        try tree.addVMBus("sdd", channel: Self.secondController, address: "3:0:0:63")
        #expect(try await tree.resolve(lun: 0) == .success("sdb"))
        #expect(try await tree.resolve(lun: 63) == .success("sdd"))
        #expect(try await tree.disks().filter(\.rescueSystem).map(\.device.last) == ["a", "c"])
    }

    @Test("Generation 2: LUN 0 and 1 of the first controller are never meant, even while no data disk is there")
    func secondGeneration() async throws {
        let tree = try Tree()
        try tree.addVMBus("sda", channel: Self.firstController, address: "0:0:0:0")
        try tree.addVMBus("sdb", channel: Self.firstController, address: "0:0:0:1")
        for lun: UInt32 in [0, 1] { #expect(try await tree.resolve(lun: lun) == .failure(Self.noSuchDisk)) }
        try tree.addVMBus("sdc", channel: Self.secondController, address: "1:0:0:1")
        #expect(try await tree.resolve(lun: 1) == .success("sdc"))
        #expect(try await tree.resolve(lun: 0) == .failure(Self.noSuchDisk))
        try tree.addVMBus("sdd", channel: Self.thirdController, address: "2:0:0:7")
        #expect(try await tree.resolve(lun: 7) == .success("sdd"))
        let disks = try await tree.disks()
        #expect(disks.map(\.hasLun) == [false, false, true, true])
        #expect(disks.map(\.rescueSystem) == [true, true, false, false])
    }

    @Test("NVMe: namespace 1 is the machine's own disk, n + 2 is LUN n, and local disks have none")
    func nvme() async throws {
        let tree = try Tree()
        let remote = "MSFT NVMe Accelerator v1.0              "
        try tree.addNVMe("nvme0n1", namespace: "1", model: remote)
        try tree.addNVMe("nvme1n1", namespace: "1", model: "Microsoft NVMe Direct Disk v2           ")
        try tree.addNVMe("nvme2n2", namespace: "2", model: "Microsoft NVMe Direct Disk")
        for lun: UInt32 in [0, 1, 2] { #expect(try await tree.resolve(lun: lun) == .failure(Self.noSuchDisk)) }
        try tree.addNVMe("nvme0n2", namespace: "2", model: remote)
        try tree.addNVMe("nvme0n13", namespace: "13", model: remote)
        #expect(try await tree.resolve(lun: 0) == .success("nvme0n2"))
        #expect(try await tree.resolve(lun: 11) == .success("nvme0n13"))
        #expect(
            try await tree.disks().filter(\.rescueSystem).compactMap { $0.device.split(separator: "/").last }
                == ["nvme0n1", "nvme1n1", "nvme2n2"])
    }

    @Test(
        "An Azure controller that is not known yet gives no LUN, rather than a wrong one", arguments: ["1", "2", "9"])
    func unknownController(namespace: String) async throws {
        let tree = try Tree()
        try tree.addNVMe("nvme0n1", namespace: namespace, model: "MSFT NVMe Accelerator v2.0")
        let disk = try #require(try await tree.disks().first)
        #expect(!disk.hasLun && !disk.rescueSystem)
    }

    @Test("Other machines: the SCSI address, or the namespace, and two controllers with one LUN are ambiguous")
    func elsewhere() async throws {
        let tree = try Tree()
        let slot = "devices/pci0000:00/0000:00:0a.0/virtio2"
        try tree.addSCSI("sda", controller: slot, address: "0:0:0:3")
        try tree.addNVMe("nvme0n1", namespace: "4", model: "QEMU NVMe Ctrl")
        #expect(try await tree.resolve(lun: 3) == .success("sda"))
        #expect(try await tree.resolve(lun: 4) == .success("nvme0n1"))
        try tree.addSCSI("sdb", controller: "devices/pci0000:00/0000:00:0b.0/virtio3", address: "1:0:0:3")
        #expect(try await tree.resolve(lun: 3) == .failure(AgentError(.severalDisks, "", next: "")))
    }
}
