internal import Glibc
package import SalvorMessages
internal import SwiftProtobuf

/// The disks of this machine, from sysfs and one run of lsblk. Nothing is opened for writing and nothing is mounted.
package struct SystemDisks: DiskSource {
    private let tools: AgentTools
    private let sysfs: String
    private let proc: String
    private let mountRoot: String

    /// - Parameter mountRoot: where the agent mounts: what lies there is a repair copy in work, not the rescue system.
    package init(
        tools: AgentTools = AgentTools(), mountRoot: String = "/run/salvor/mnt", sysfs: String = "/sys",
        proc: String = "/proc"
    ) {
        self.tools = tools
        self.sysfs = sysfs
        self.proc = proc
        self.mountRoot = mountRoot
    }

    package func disks() async throws(AgentError) -> [Salvor_V1_Disk] {
        let result = try await runTool(tools.lsblk, BlockDeviceListing.arguments, timeout: .seconds(30))
        // 32 and 64: some devices could not be read; the others are listed.
        guard let code = result.exitCode, [0, 32, 64].contains(code) else {
            throw AgentError(
                .toolFailed, "lsblk could not list the disks: \(result.complaint)", next: "See the rescue VM's console."
            )
        }
        let listing = BlockDeviceListing(result.output)
        return await onBlockingThread { describe(listing) }
    }

    private func describe(_ listing: BlockDeviceListing) -> [Salvor_V1_Disk] {
        let block = SysfsBlock(root: sysfs)
        let rescue = RescueSystem(sysfs: block, proc: proc, mountRoot: mountRoot)
        return listing.rows.filter { $0["TYPE"] == "disk" }.compactMap { row in
            let name = row["KNAME"] ?? ""
            let parts = listing.rows.filter { $0["TYPE"] == "part" && $0["PKNAME"] == name }
            guard SysfsBlock.isName(name), let size = block.sectors(name, "size"), size > 0 else { return nil }
            return .with {
                $0.device = "/dev/\(name)"
                $0.serial = block.serial(name)
                $0.sizeBytes = size
                $0.logicalSectorBytes = UInt32(clamping: block.number(name, "queue/logical_block_size") ?? 512)
                $0.physicalSectorBytes = UInt32(clamping: block.number(name, "queue/physical_block_size") ?? 512)
                $0.readOnly = block.number(name, "ro") == 1
                $0.partitionTable = Self.table(row["PTTYPE"] ?? "")
                $0.tableID = (row["PTUUID"] ?? "").lowercased()
                if let lun = block.lun(name) { $0.lun = lun }
                $0.volumes = Self.volumes(of: name, row: row, parts: parts, sysfs: block)
                $0.rescueSystem =
                    ([row] + parts).contains { $0["LABEL"] == RescueSystem.configLabel }
                    || rescue.uses([name] + parts.compactMap { $0["KNAME"] })
            }
        }
    }

    private static func table(_ name: String) -> Salvor_V1_Disk.PartitionTable {
        switch name {
        case "gpt": .gpt
        case "dos": .mbr
        default: .none
        }
    }

    private static func volumes(
        of disk: String, row: [String: String], parts: [[String: String]], sysfs: SysfsBlock
    ) -> [Salvor_V1_Volume] {
        if parts.isEmpty {
            guard let fileSystem = row["FSTYPE"], !fileSystem.isEmpty else { return [] }
            return [volume(named: disk, row: row, number: 0, start: 0, sysfs: sysfs)]
        }
        return parts.compactMap { part -> Salvor_V1_Volume? in
            guard let name = part["KNAME"], SysfsBlock.isName(name), let number = sysfs.number(name, "partition"),
                let start = sysfs.sectors(name, "start")
            else { return nil }
            return volume(named: name, row: part, number: UInt32(clamping: number), start: start, sysfs: sysfs)
        }
        .sorted { $0.number < $1.number }
    }

    private static func volume(
        named name: String, row: [String: String], number: UInt32, start: UInt64, sysfs: SysfsBlock
    ) -> Salvor_V1_Volume {
        .with {
            $0.device = "/dev/\(name)"
            $0.number = number
            $0.startBytes = start
            $0.sizeBytes = sysfs.sectors(name, "size") ?? 0
            $0.partitionType = (row["PARTTYPE"] ?? "").lowercased()
            $0.partitionGuid = (row["PARTUUID"] ?? "").lowercased()
            $0.partitionLabel = row["PARTLABEL"] ?? ""
            $0.fileSystem = row["FSTYPE"] ?? ""
            $0.label = row["LABEL"] ?? ""
            $0.uuid = row["UUID"] ?? ""
        }
    }
}
