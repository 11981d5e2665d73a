internal import SalvorMessages

/// What a volume is that the agent does not look into, told by name so that the operator knows what was found.
enum VolumeKind {
    private static let dynamicTypes: Set<String> = [
        // LDM metadata, LDM data, and a dynamic disk's partitions on an MBR disk.
        "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3", "af9b60a0-1431-4f62-bc68-3311714a69ad", "0x42",
    ]
    private static let storageSpaces = "e75caf8f-f680-4cee-afa3-b001e56efc2d"

    /// Whether the partition is a piece of something larger. What blkid sees at its beginning can be a file system that
    /// goes on elsewhere, or lies on a mirror, too: it is not mounted.
    static func isPiece(_ volume: Salvor_V1_Volume) -> Bool {
        dynamicTypes.contains(volume.partitionType) || volume.partitionType == storageSpaces
    }

    /// A partition that belongs to the logical disk manager.
    static func isDynamic(_ volume: Salvor_V1_Volume) -> Bool { dynamicTypes.contains(volume.partitionType) }

    /// - Returns: nil for what is looked into, and for what holds nothing that has a name.
    static func name(of volume: Salvor_V1_Volume) -> String? {
        if dynamicTypes.contains(volume.partitionType) { return "part of a dynamic disk (LDM)" }
        if volume.partitionType == storageSpaces { return "part of a storage pool (Storage Spaces)" }
        switch volume.fileSystem {
        case "", "ntfs", "BitLocker": return nil
        case "vfat": return "FAT"
        case "exfat": return "exFAT"
        case "ReFS": return "ReFS"
        default: return printable(volume.fileSystem.utf8.prefix(32))
        }
    }

    /// What an operator can do about a disk whose Windows may be on one of those.
    static func nextStep(_ volumes: [Salvor_V1_Volume]) -> String {
        if volumes.contains(where: isPiece) {
            return
                "Of dynamic disks the simple volumes alone are opened here, and storage pools are opened by Windows alone: "
                + "attach the copy to a Windows rescue machine."
        }
        if volumes.contains(where: { $0.fileSystem == "ReFS" }) {
            return "ReFS is opened by Windows alone: attach the copy to a Windows rescue machine."
        }
        return "Check that this is the machine's OS disk."
    }
}
