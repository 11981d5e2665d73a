internal import SalvorJSON

/// Who has which disk: a disk belongs to at most one machine, and its state says how.
enum DiskOwnership {
    /// The disk of this id, free or already this machine's.
    /// - Throws: `ConflictingUserInput` for another's disk, 404, or `OperationNotAllowed` for one that is busy.
    static func claim(_ text: String, for machine: ResourceID, in state: EmulatorState) throws(ARMError) -> Record {
        guard let id = ResourceID(text), id.type.lowercased() == "microsoft.compute/disks" else {
            throw .invalidParameter("managedDisk.id", "'\(printable(text))' is no id of a managed disk.")
        }
        guard let disk = state[id] else {
            throw ARMError(404, "NotFound", "Disk \(id.name) is not found.", target: id.description)
        }
        if let owner = disk.body["managedBy"]?.string, owner.lowercased() != machine.key {
            throw ARMError(
                409, "ConflictingUserInput",
                "Disk '\(disk.id)' cannot be attached as the disk is already owned by VM '\(owner)'.",
                target: "dataDisk")
        }
        let diskState = disk.body[path: "properties.diskState"]?.string ?? ""
        guard disk.provisioningState == "Succeeded",
            !["ActiveSAS", "ActiveUpload", "ReadyToUpload"].contains(diskState)
        else {
            throw ARMError(
                409, "OperationNotAllowed",
                "Disk '\(disk.id.name)' cannot be attached: it is in provisioning state '\(disk.provisioningState)' and disk "
                    + "state '\(diskState)'.")
        }
        return disk
    }

    /// Makes the disk the machine's.
    static func attach(_ disk: Record, to machine: ResourceID, running: Bool, in state: inout EmulatorState) {
        var disk = disk
        disk.body[path: "managedBy"] = .string(machine.description)
        disk.body[path: "properties.diskState"] = running ? "Attached" : "Reserved"
        state.put(disk)
    }

    static func release(_ text: String, in state: inout EmulatorState) {
        guard let id = ResourceID(text), var disk = state[id] else { return }
        disk.body[path: "managedBy"] = nil
        disk.body[path: "properties.diskState"] = "Unattached"
        state.put(disk)
    }
}
