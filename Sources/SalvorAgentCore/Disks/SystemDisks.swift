package import SalvorMessages
internal import SalvorSystem
internal import SwiftProtobuf

/// The disks of this machine: sysfs says which there are and where their partitions lie, their tables what those are
/// called, and one run of blkid what is on them. Nothing is opened for writing and nothing is mounted.
package struct SystemDisks: DiskSource {
    private let tools: AgentTools
    private let sysfs: SysfsBlock
    private let proc: String
    private let devices: String
    private let mountRoot: String

    /// - Parameter mountRoot: where the agent mounts: what lies there is a repair copy in work, not the rescue system.
    package init(
        tools: AgentTools = AgentTools(), mountRoot: String = "/run/salvor/mnt", sysfs: String = "/sys",
        proc: String = "/proc", devices: String = "/dev"
    ) {
        self.tools = tools
        self.sysfs = SysfsBlock(root: sysfs)
        self.proc = proc
        self.devices = devices
        self.mountRoot = mountRoot
    }

    package func disks(
        lookingInto isWanted: @Sendable (Salvor_V1_Disk) -> Bool
    ) async throws(AgentError) -> [Salvor_V1_Disk] {
        let (names, bare) = await Blocking.run {
            let names = sysfs.disks().map { (disk: $0, partitions: sysfs.partitions(of: $0)) }
            return (names, describe(names, FileSystemListing([])))
        }
        let wanted = zip(names, bare).filter { isWanted($1) }.map(\.0)
        guard !wanted.isEmpty else { return bare }
        let listing = try await fileSystems(on: wanted.flatMap { [$0.disk] + $0.partitions }.map(path))
        var known = await Blocking.run { describe(wanted, listing) }
        for index in known.indices {
            known[index].volumes += await DynamicVolumes(tools: tools).volumes(of: known[index])
        }
        let byDevice = Dictionary(known.map { ($0.device, $0) }, uniquingKeysWith: { first, _ in first })
        return bare.map { byDevice[$0.device] ?? $0 }
    }

    private func fileSystems(on paths: [String]) async throws(AgentError) -> FileSystemListing {
        let result = try await tools.runConfined(
            tools.blkid, FileSystemListing.arguments(paths), outputLimit: 1 << 20)
        // 2: nothing is recognised on any of them.
        guard let code = result.exitCode, [0, 2].contains(code) else {
            throw AgentError(
                .toolFailed, "blkid could not look at the disks: \(result.complaint)",
                next: "See the rescue VM's console.")
        }
        return FileSystemListing(result.output)
    }

    private func describe(
        _ names: [(disk: String, partitions: [String])], _ listing: FileSystemListing
    ) -> [Salvor_V1_Disk] {
        let rescue = RescueSystem(sysfs: sysfs, proc: proc, mountRoot: mountRoot)
        return names.map { describe($0.disk, $0.partitions, listing, rescue) }
    }

    private func path(_ name: String) -> String { "\(devices)/\(name)" }

    private func describe(
        _ disk: String, _ partitions: [String], _ listing: FileSystemListing, _ rescue: RescueSystem
    ) -> Salvor_V1_Disk {
        let sectorBytes = UInt32(clamping: sysfs.number(disk, "queue/logical_block_size") ?? 512)
        // The first sector of a file system can look like an MBR: only what the kernel found partitions in is a table.
        let table =
            partitions.isEmpty && !listing[path(disk)].type.isEmpty
            ? PartitionTable.none : PartitionTable.read(path(disk), sectorBytes: Int(sectorBytes))
        let volumes =
            partitions.isEmpty
            ? [volume(disk, number: 0, start: 0, PartitionTable.Entry(), listing)].filter { !$0.fileSystem.isEmpty }
            : partitions.compactMap { name -> Salvor_V1_Volume? in
                guard let number = sysfs.number(name, "partition").flatMap({ UInt32(exactly: $0) }),
                    let start = sysfs.sectors(name, "start")
                else { return nil }
                return volume(name, number: number, start: start, table[number], listing)
            }
        let slot = sysfs.slot(disk)
        let isRescueSystem =
            volumes.contains { $0.label == RescueSystem.configLabel } || table.id == RescueSystem.diskGUID
            || slot == .machine || rescue.uses([disk] + partitions)
        return .with {
            $0.device = path(disk)
            $0.serial = sysfs.serial(disk)
            $0.sizeBytes = sysfs.sectors(disk, "size") ?? 0
            $0.logicalSectorBytes = sectorBytes
            $0.physicalSectorBytes = UInt32(clamping: sysfs.number(disk, "queue/physical_block_size") ?? 512)
            $0.readOnly = sysfs.number(disk, "ro") == 1
            $0.partitionTable =
                switch table.kind {
                case .none: .none
                case .gpt: .gpt
                case .mbr: .mbr
                }
            $0.tableID = table.id
            // One that is never meant must not be taken for one that is about to be plugged in.
            if case .data(let lun) = slot, !isRescueSystem { $0.lun = lun }
            $0.volumes = volumes.sorted { $0.number < $1.number }
            $0.rescueSystem = isRescueSystem
        }
    }

    private func volume(
        _ name: String, number: UInt32, start: UInt64, _ entry: PartitionTable.Entry, _ listing: FileSystemListing
    ) -> Salvor_V1_Volume {
        .with {
            let fileSystem = listing[path(name)]
            $0.device = path(name)
            $0.number = number
            $0.startBytes = start
            $0.sizeBytes = sysfs.sectors(name, "size") ?? 0
            $0.partitionType = entry.type
            $0.partitionGuid = entry.guid
            $0.partitionLabel = entry.label
            $0.fileSystem = fileSystem.type
            $0.label = fileSystem.label
            $0.uuid = fileSystem.uuid
        }
    }
}
