internal import SalvorJSON

/// The disks of a machine as its body names them.
struct StorageProfile {
    struct DataDisk {
        let lun: Int64
        var diskID: String
        var isToBeDetached: Bool
    }

    var body: JSONValue

    init(_ machine: JSONValue) { body = machine[path: "properties.storageProfile"] ?? [:] }

    var osDiskID: String? { body[path: "osDisk.managedDisk.id"]?.string }
    var createOption: String? { body[path: "osDisk.createOption"]?.string }

    var dataDisks: [JSONValue] { body[path: "dataDisks"]?.array ?? [] }

    /// Ids of every disk, the OS disk first.
    var diskIDs: [String] {
        ([osDiskID] + dataDisks.map { $0[path: "managedDisk.id"]?.string }).compactMap { $0 }
    }

    /// Adds to a machine's disk what Azure shows of it: its name, size and kind.
    static func describe(_ disk: inout JSONValue, in state: EmulatorState) {
        guard let id = disk[path: "managedDisk.id"]?.string.flatMap(ResourceID.init), let record = state[id] else {
            return
        }
        disk[path: "name"] = .string(record.id.name)
        disk[path: "diskSizeGB"] = record.body[path: "properties.diskSizeGB"]
        disk[path: "managedDisk.storageAccountType"] = record.body[path: "sku.name"]
        if disk[member: "caching"] == nil { disk[path: "caching"] = "None" }
        if disk[member: "osType"] == nil { disk[path: "osType"] = record.body[path: "properties.osType"] }
    }

    /// - Throws: what is wrong with the data disks among themselves: two of one LUN, more than the size takes.
    func check(for size: VMSize) throws(ARMError) {
        var seen: Set<Int64> = []
        for disk in dataDisks {
            guard let lun = disk[member: "lun"]?.integer, (0...63).contains(lun) else {
                throw .invalidParameter("dataDisk.lun", "A data disk needs a LUN from 0 to 63.")
            }
            guard seen.insert(lun).inserted else {
                throw .invalidParameter("dataDisk.lun", "Disk lun \(lun) is used by more than one data disk.")
            }
        }
        guard dataDisks.count <= size.mostDataDisks else {
            throw ARMError(
                409, "OperationNotAllowed",
                "The maximum number of data disks allowed to be attached to a VM of this size is \(size.mostDataDisks).",
                target: "dataDisks")
        }
    }
}
