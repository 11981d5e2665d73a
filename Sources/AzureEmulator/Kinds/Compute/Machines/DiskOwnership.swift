internal import SalvorJSON

/// Who has which disk: a disk belongs to at most one machine, and its state says how.
enum DiskOwnership {
    /// The disk of this id, free or already this machine's.
    /// - Throws: `ConflictingUserInput` for another's disk, 404, `AttachDiskWhileBeingDetached`, or `OperationNotAllowed`
    ///   for one that is busy.
    static func claim(
        _ text: String, for machine: Record, _ now: EmulatorTime, in state: EmulatorState
    ) throws(ARMError) -> Record {
        guard let id = ResourceID(text), id.type.lowercased() == "microsoft.compute/disks" else {
            throw .invalidParameter("managedDisk.id", "'\(printable(text))' is no id of a managed disk.")
        }
        guard let disk = state[id] else {
            throw ARMError(404, "NotFound", "Disk \(id.name) is not found.", target: id.description)
        }
        if let other = disk.hidden["detachingFrom"]?.string {
            throw ARMError(
                409, "AttachDiskWhileBeingDetached",
                "Cannot attach data disk '\(disk.id.name)' to VM '\(machine.id.name)' because the disk is currently being "
                    + "detached from VM '\(other)' or the last detach operation failed. Please wait until the disk is completely "
                    + "detached and then try again or delete/detach the disk explicitly again.", target: "dataDisk")
        }
        if let owner = disk.body["managedBy"]?.string {
            guard owner.lowercased() == machine.id.key else {
                throw ARMError(
                    409, "ConflictingUserInput",
                    "Disk '\(disk.id)' cannot be attached as the disk is already owned by VM '\(owner)'.",
                    target: "dataDisk")
            }
            return disk
        }
        try checkReady(DiskGrant.expire(disk, now))
        try checkPlace(disk, machine)
        return disk
    }

    private static func checkReady(_ disk: Record) throws(ARMError) {
        let diskState = disk.body[path: "properties.diskState"]?.string ?? ""
        guard disk.provisioningState == "Succeeded",
            !["ActiveSAS", "ActiveUpload", "ReadyToUpload"].contains(diskState)
        else {
            throw ARMError(
                409, "OperationNotAllowed",
                "Disk '\(disk.id.name)' cannot be attached: it is in provisioning state '\(disk.provisioningState)' and disk "
                    + "state '\(diskState)'.")
        }
    }

    /// Same region, and same zone: a disk without a zone goes with a machine without one, and with no other.
    private static func checkPlace(_ disk: Record, _ machine: Record) throws(ARMError) {
        guard disk.body["location"]?.string == machine.body["location"]?.string else {
            throw ARMError(
                400, "InvalidParameter",
                "Disk '\(disk.id.name)' is in location '\(disk.body["location"]?.string ?? "")', and VM '\(machine.id.name)' "
                    + "is in '\(machine.body["location"]?.string ?? "")'. They must be in the same location.",
                target: "disk")
        }
        let zone = disk.body["zones"]?.array?.first?.string ?? ""
        let wanted = machine.body["zones"]?.array?.first?.string ?? ""
        let isZoneRedundant = disk.body[path: "sku.name"]?.string?.uppercased().hasSuffix("ZRS") == true
        guard zone == wanted || (zone.isEmpty && isZoneRedundant) else {
            throw ARMError(
                400, "BadRequest",
                "Disk '\(disk.id)' cannot be attached to the VM because it is not in zone '\(wanted)'. A disk must be in the "
                    + "zone of its VM, and its zone is '\(zone)'.", target: "disk")
        }
    }

    /// Makes the disk the machine's.
    static func attach(_ disk: Record, to machine: ResourceID, running: Bool, in state: inout EmulatorState) {
        var disk = disk
        disk.body[path: "managedBy"] = .string(machine.description)
        disk.body[path: "properties.diskState"] = running ? "Attached" : "Reserved"
        state.put(disk)
    }

    /// From here until it is released nobody can have the disk.
    static func beginRelease(_ text: String, in state: inout EmulatorState) {
        guard let id = ResourceID(text), var disk = state[id] else { return }
        disk.hidden[path: "detachingFrom"] = .string(
            disk.body["managedBy"]?.string.flatMap(ResourceID.init)?.name ?? "")
        state.put(disk)
    }

    /// It is not released after all.
    static func keep(_ text: String, in state: inout EmulatorState) {
        guard let id = ResourceID(text), var disk = state[id] else { return }
        disk.hidden[path: "detachingFrom"] = nil
        state.put(disk)
    }

    static func release(_ text: String, in state: inout EmulatorState) {
        guard let id = ResourceID(text), var disk = state[id] else { return }
        disk.body[path: "managedBy"] = nil
        disk.body[path: "properties.diskState"] = "Unattached"
        disk.hidden[path: "detachingFrom"] = nil
        state.put(disk)
    }
}
