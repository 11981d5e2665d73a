import FoundationEssentials
import Glibc
import GRPCCore
import SalvorMessages
import SwiftProtobuf
import Testing

@testable import SalvorAgentCore
@testable import SalvorImage

/// A machine of files: sysfs, /proc, device nodes, and a blkid that prints what it is told.
private struct PaperMachine {
    let scratch: Scratch
    private var listing = ""

    init() throws { scratch = try Scratch() }

    func write(_ path: String, _ bytes: [UInt8]) throws {
        let full = "\(scratch.path)/\(path)"
        try FileManager.default.createDirectory(
            atPath: String(full[..<(try #require(full.lastIndex(of: "/")))]), withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: full))
    }

    /// - Parameter blkid: what blkid prints of it, below its name.
    mutating func add(_ name: String, of disk: String? = nil, _ attributes: [String: String], blkid: String? = nil)
        throws
    {
        let place = "sys/class/block/" + (disk.map { "\($0)/\(name)" } ?? name)
        for (attribute, text) in attributes { try write("\(place)/\(attribute)", Array((text + "\n").utf8)) }
        if let disk {
            try #require(symlink("\(disk)/\(name)", "\(scratch.path)/sys/class/block/\(name)") == 0)
        } else if attributes["device/serial"] == nil, attributes["virtual"] == nil {
            try write("\(place)/device/driver", [])
        }
        try write("dev/\(name)", [UInt8](repeating: 0, count: 512))
        if let blkid { listing += "DEVNAME=\(scratch.path)/dev/\(name)\n\(blkid)\n\n" }
    }

    /// - Parameter serial: of the one disk to look into; nil for all.
    func disks(mounts: String = "", swaps: String = "", serial: String? = nil) async throws -> [Salvor_V1_Disk] {
        try write("proc/self/mountinfo", Array(mounts.utf8))
        try write("proc/swaps", Array(("Filename\n" + swaps).utf8))
        try write("listing", Array(listing.utf8))
        let script = "#!/bin/sh\necho \"$@\" >\(scratch.path)/arguments\nexec cat \(scratch.path)/listing\n"
        try write("blkid", Array(script.utf8))
        try #require(chmod("\(scratch.path)/blkid", 0o755) == 0)
        return try await SystemDisks(
            tools: AgentTools(blkid: "\(scratch.path)/blkid"), sysfs: "\(scratch.path)/sys",
            proc: "\(scratch.path)/proc",
            devices: "\(scratch.path)/dev"
        ).disks { serial == nil || $0.serial == serial }
    }
}

/// The first sectors of a GPT disk: protective MBR, header, and entries by number.
private func gpt(sectorBytes: Int = 512, _ partitions: [Int: (type: [UInt8], guid: [UInt8], label: String)]) -> [UInt8]
{
    var disk = [UInt8](repeating: 0, count: 34 * sectorBytes)
    func put(_ bytes: some Collection<UInt8>, at offset: Int) {
        disk.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
    put([0x55, 0xAA], at: 510)
    put([0xEE], at: 450)
    put("EFI PART".utf8, at: sectorBytes)
    put(0x10...0x1F, at: sectorBytes + 56)
    put([2], at: sectorBytes + 72)
    put([128], at: sectorBytes + 80)
    put([128], at: sectorBytes + 84)
    for (number, partition) in partitions {
        let entry = 2 * sectorBytes + (number - 1) * 128
        put(partition.type, at: entry)
        put(partition.guid, at: entry + 16)
        put(
            partition.label.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] },
            at: entry + 56)
    }
    return disk
}

struct InventoryTests {
    @Test("A disk is told with all that sysfs, its table and blkid know of it", arguments: [512, 4096])
    func describe(sectorBytes: Int) async throws {
        var machine = try PaperMachine()
        try machine.add(
            "vdb",
            [
                "size": "2048000", "ro": "0", "queue/logical_block_size": "\(sectorBytes)",
                "queue/physical_block_size": "4096", "serial": "vm-17-os", "dev": "254:16",
            ])
        try machine.add(
            "vdb3", of: "vdb", ["partition": "3", "start": "34816", "size": "1000000", "dev": "254:19"],
            blkid: "LABEL=Local\\ \\\"C\\\\\nBLOCK_SIZE=512\nUUID=01D5\nTYPE=ntfs")
        try machine.add("vdb1", of: "vdb", ["partition": "1", "start": "2048", "size": "32768", "dev": "254:17"])
        try machine.add("loop0", ["size": "8", "virtual": "1"])
        try machine.add("sr0", ["size": "8"])
        try machine.add("vdc", ["size": "0"])
        try machine.write(
            "dev/vdb",
            gpt(
                sectorBytes: sectorBytes,
                [3: (Array(0x20...0x2F), Array(0x30...0x3F), "Basic data partition, long: 36 units.")]))
        let disks = try await machine.disks()
        #expect(disks.map(\.device) == ["\(machine.scratch.path)/dev/vdb"])
        let disk = try #require(disks.first)
        #expect(disk.serial == "vm-17-os")
        #expect(disk.sizeBytes == 2_048_000 * 512)
        #expect(disk.logicalSectorBytes == sectorBytes)
        #expect(disk.physicalSectorBytes == 4096)
        #expect(disk.partitionTable == .gpt)
        #expect(disk.tableID == "13121110-1514-1716-1819-1a1b1c1d1e1f")
        #expect(!disk.rescueSystem)
        #expect(!disk.hasLun)
        #expect(disk.volumes.map(\.number) == [1, 3])
        #expect(disk.volumes.first?.fileSystem == "")
        let volume = try #require(disk.volumes.last)
        #expect(volume.device == "\(machine.scratch.path)/dev/vdb3")
        #expect(volume.startBytes == 34816 * 512)
        #expect(volume.sizeBytes == 1_000_000 * 512)
        #expect(volume.partitionType == "23222120-2524-2726-2829-2a2b2c2d2e2f")
        #expect(volume.partitionGuid == "33323130-3534-3736-3839-3a3b3c3d3e3f")
        #expect(volume.partitionLabel == "Basic data partition, long: 36 units")
        #expect(volume.label == #"Local "C\"#)
        #expect(volume.fileSystem == "ntfs")
        #expect(volume.uuid == "01D5")
    }

    @Test("A SCSI disk has its serial from page 0x80 and its LUN from its address; an NVMe disk its namespace")
    func scsiAndNVMe() async throws {
        var machine = try PaperMachine()
        try machine.add("nvme0n1", ["size": "8", "nsid": "2", "device/serial": " NV-1  "], blkid: "TYPE=BitLocker")
        try machine.write("sys/class/block/sda/size", Array("8\n".utf8))
        try machine.write("sys/devices/2:0:0:7/vpd_pg80", [0, 0x80, 0, 8] + Array("  ABC12 ".utf8))
        try #require(symlink("../../../devices/2:0:0:7", "\(machine.scratch.path)/sys/class/block/sda/device") == 0)
        let disks = try await machine.disks()
        #expect(disks.map(\.serial) == ["NV-1", "ABC12"])
        #expect(disks.map(\.lun) == [2, 7])
        #expect(disks.map(\.partitionTable) == [.none, .none])
        #expect(disks.first?.volumes.map(\.fileSystem) == ["BitLocker"])
        #expect(disks.first?.volumes.map(\.number) == [0])
    }

    @Test("Only what is on the wanted disk is looked at, and the others are there all the same")
    func wanted() async throws {
        var machine = try PaperMachine()
        for (name, serial) in [("vdb", "copy-1"), ("vdc", "copy-2")] {
            try machine.add(name, ["size": "80000", "serial": serial])
            try machine.add(
                "\(name)1", of: name, ["partition": "1", "start": "2048", "size": "2048"], blkid: "TYPE=ntfs")
        }
        let disks = try await machine.disks(serial: "copy-2")
        #expect(disks.map(\.serial) == ["copy-1", "copy-2"])
        #expect(disks.map { $0.volumes.map(\.fileSystem) } == [[""], ["ntfs"]])
        let devices = "\(machine.scratch.path)/dev"
        let arguments = try String(contentsOfFile: "\(machine.scratch.path)/arguments", encoding: .utf8)
        #expect(arguments == "-c /dev/null -o export \(devices)/vdc \(devices)/vdc1\n")
    }

    @Test("An MBR disk has its signature and the types of its partitions")
    func mbr() async throws {
        var machine = try PaperMachine()
        try machine.add("sda", ["size": "80000"])
        try machine.add("sda1", of: "sda", ["partition": "1", "start": "2048", "size": "2048"])
        var boot = [UInt8](repeating: 0, count: 512)
        boot.replaceSubrange(440..<444, with: [4, 3, 2, 0xA1])
        boot[450] = 7
        boot.replaceSubrange(510..<512, with: [0x55, 0xAA])
        try machine.write("dev/sda", boot)
        let disk = try #require(try await machine.disks().first)
        #expect(disk.partitionTable == .mbr)
        #expect(disk.tableID == "a1020304")
        #expect(disk.volumes.map(\.partitionType) == ["0x07"])
        #expect(disk.volumes.map(\.partitionGuid) == ["a1020304-01"])
    }

    @Test(
        "A GPT that lies about its entries is a GPT without entries",
        arguments: [(80, 0xFF), (84, 1), (79, 0xFF), (72, 0xFF)])
    func lyingTable(offset: Int, byte: UInt8) throws {
        let scratch = try Scratch()
        var disk = gpt([1: (Array(0x20...0x2F), Array(0x30...0x3F), "x")])
        for place in offset..<min(offset + 4, 88) { disk[512 + place] = byte }
        try Data(disk).write(to: URL(filePath: "\(scratch.path)/disk"))
        let table = PartitionTable.read("\(scratch.path)/disk", sectorBytes: 512)
        #expect(table.kind == .gpt)
        #expect(table[1] == PartitionTable.Entry())
        #expect(table[0] == PartitionTable.Entry())
    }

    @Test("Disks that the rescue system is configured by, mounted from, swaps to or stands upon are its own")
    func rescueSystem() async throws {
        var machine = try PaperMachine()
        for (index, name) in ["vda", "vdb", "vdc", "vdd", "vde", "vdf"].enumerated() {
            try machine.add(
                name, ["size": "8", "dev": "254:\(16 * index)"],
                blkid: name == "vda" ? "LABEL=SALVORCFG\nTYPE=vfat" : "LABEL=SALVORCFG2\nTYPE=vfat")
        }
        try machine.write("sys/class/block/vdd/holders/dm-0", [])
        try machine.write("sys/class/block/dm-0/dev", Array("253:0\n".utf8))
        let disks = try await machine.disks(
            mounts: """
                36 35 254:16 / /boot rw - ext4 /dev/vdb rw
                37 35 253:0 / / rw - ext4 /dev/dm-0 rw
                38 35 254:64 / /run/salvor/mnt/volume-1 rw - fuseblk /dev/vde rw

                """, swaps: "/dev/vdc partition 1 0 -2\n")
        #expect(
            disks.filter(\.rescueSystem).map(\.device)
                == ["vda", "vdb", "vdc", "vdd"].map { "\(machine.scratch.path)/dev/\($0)" })
    }

    @Test("The disk of a rescue image is the rescue system's own, although nothing of it is mounted")
    func rescueDisk() async throws {
        let guid = try #require(DiskGUID(RescueDisk.diskGUID))
        let table = GUIDPartitionTable(
            disk: guid, partition: DiskGUID(digest: 0..<16), name: "Salvor rescue system", diskSectors: 80_000,
            bootCode: [])
        var machine = try PaperMachine()
        for (name, serial) in [("vda", "own"), ("vdb", "copy")] {
            try machine.add(name, ["size": "80000", "serial": serial])
            try machine.add(
                "\(name)1", of: name, ["partition": "1", "start": "2048", "size": "75904"], blkid: "TYPE=vfat")
        }
        try machine.write("dev/vda", table.head)
        var copy = table.head
        copy[512 + 56] ^= 1
        try machine.write("dev/vdb", copy)
        // It is known before anything is looked into: that comes later, and for the disk that is meant alone.
        for serial in [nil, "own", "copy"] {
            let disks = try await machine.disks(serial: serial)
            #expect(disks.map(\.rescueSystem) == [true, false])
        }
        let own = try #require(try await machine.disks().first)
        #expect(own.tableID == RescueSystem.diskGUID)
        #expect(own.volumes.map(\.partitionLabel) == ["Salvor rescue system"])
        let selector = Salvor_V1_DiskSelector.with { $0.serial = "own" }
        #expect(throws: AgentError(.rescueDisk, "", next: "")) { try selector.resolve(among: [own]) }
    }

    @Test("A listing with a hostile label is read as one device, whatever the label says")
    func hostileLabel() {
        let listing = FileSystemListing(
            Array("DEVNAME=/dev/a\nLABEL=x^JDEVNAME\\=/dev/b\\\\\nTYPE=ntfs\n\nTYPE\n=\nDEVNAME=/dev/c\nUUID=1\n".utf8))
        #expect(listing["/dev/a"] == .init(type: "ntfs", label: "x^JDEVNAME=/dev/b\\", uuid: ""))
        #expect(listing["/dev/b"] == .init())
        #expect(listing["/dev/c"].uuid == "1")
    }

    @Test("A missing blkid is said to be missing")
    func missingTool() async throws {
        var machine = try PaperMachine()
        try machine.add("vda", ["size": "8"])
        await #expect(throws: AgentError(.toolMissing, "", next: "")) {
            try await SystemDisks(
                tools: AgentTools(blkid: "/nonexistent/blkid"), sysfs: "\(machine.scratch.path)/sys"
            ).disks()
        }
    }

    @Test("The disks of this very machine are listed without an error")
    func realMachine() async throws {
        _ = try await SystemDisks().disks()
    }

    @Test("A tool that does not end is killed, and one that says too much is an error")
    func tools() async {
        await #expect(throws: AgentError(.toolTimedOut, "", next: "")) {
            _ = try await runTool("sleep", ["60"], timeout: .milliseconds(100))
        }
        await #expect(throws: AgentError(.toolFailed, "", next: "")) {
            _ = try await runTool("head", ["-c", "100000", "/dev/zero"], outputLimit: 1000)
        }
    }
}

struct DiskSelectorTests {
    private let disks: [Salvor_V1_Disk] = [
        disk("/dev/vda", "rescue", lun: 0, rescue: true), disk("/dev/vdb", "a", lun: 0, guid: "guid-a"),
        disk("/dev/vdc", "b", lun: 1, guid: "twin"), disk("/dev/vdd", "twin", lun: 2, guid: "twin"),
        disk("/dev/vde", "twin", lun: 3, table: .mbr, guid: "guid-e"), disk("/dev/vdf", "", lun: 9, rescue: true),
    ]

    private static func disk(
        _ device: String, _ serial: String, lun: UInt32, rescue: Bool = false,
        table: Salvor_V1_Disk.PartitionTable = .gpt, guid: String = ""
    ) -> Salvor_V1_Disk {
        .with {
            $0.device = device
            $0.serial = serial
            $0.lun = lun
            $0.rescueSystem = rescue
            $0.partitionTable = table
            $0.tableID = guid
        }
    }

    @Test(
        "A selector names exactly one disk, and never the rescue VM's own",
        arguments: [
            (.serial("a"), "/dev/vdb", nil), (.serial("A"), nil, .noSuchDisk), (.serial(""), nil, .invalidRequest),
            (.serial("twin"), nil, .severalDisks), (.serial("rescue"), nil, .rescueDisk), (.lun(0), "/dev/vdb", nil),
            (.lun(9), nil, .rescueDisk), (.lun(5), nil, .noSuchDisk), (.diskGuid("guid-a"), "/dev/vdb", nil),
            (.diskGuid("twin"), nil, .severalDisks), (.diskGuid("guid-e"), nil, .noSuchDisk),
            (nil, nil, .invalidRequest),
        ] as [(Salvor_V1_DiskSelector.OneOf_By?, String?, AgentError.Code?)])
    func resolve(by: Salvor_V1_DiskSelector.OneOf_By?, device: String?, code: AgentError.Code?) {
        let selector = Salvor_V1_DiskSelector.with { $0.by = by }
        let result = Result { () throws(AgentError) in try selector.resolve(among: disks) }
        switch result {
        case .success(let disk): #expect(disk.device == device)
        case .failure(let error): #expect(error.code == code)
        }
    }

    @Test("A scan of no disk, of two, or of the rescue VM's own is refused with a status of its own")
    func refused() async throws {
        var disks = disks
        for index in disks.indices { disks[index].device = "/nonexistent" }
        let agent = TestAgent(try Scratch(), disks)
        for (serial, code) in [
            ("none", RPCError.Code.notFound), ("twin", .failedPrecondition), ("rescue", .permissionDenied),
        ] {
            let error = await #expect(throws: RPCError.self) { try await agent.scan(serial: serial) }
            #expect(error?.code == code)
        }
    }
}
