internal import SalvorJSON

/// Managed images: the OS disk of a generalized machine, or any disk or snapshot, from which machines are made.
struct Images: ComputeResource {
    let type = "Microsoft.Compute/images"

    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError) {
        try DiskBytes.checkUnread(record, in: state)
    }

    func fill(
        _ record: inout Record, known: Record?, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> JSONValue {
        if let known {
            // Of an image only tags can be changed.
            let asked = record.body[path: "properties.storageProfile.osDisk"] ?? [:]
            for name in ["managedDisk", "snapshot"] {
                let was = known.body[path: "properties.storageProfile.osDisk.\(name).id"]?.string?.lowercased()
                if let now = asked[member: name]?[member: "id"]?.string?.lowercased(), now != was {
                    throw .changed("image.storageProfile.osDisk.\(name)")
                }
            }
            record.body[path: "properties"] = known.body["properties"]
            return [:]
        }
        let location = record.body["location"]?.string ?? ""
        var profile = record.body[path: "properties.storageProfile"] ?? [:]
        let source: ImageSourceDisk
        if let machine = record.body[path: "properties.sourceVirtualMachine.id"]?.string {
            source = try ImageSourceDisk(machine, by: call.id, location: location, in: state)
            guard !source.isSpecialized else {
                throw ARMError(
                    409, "OperationNotAllowed",
                    "The VM '\(ResourceID(machine)?.name ?? "")' is not generalized: an image can only be captured from a VM that "
                        + "was generalized.")
            }
            profile[path: "osDisk"] = [
                "osType": .string(source.osType), "osState": "Generalized",
                "managedDisk": ["id": .string(source.source.description)], "caching": "ReadWrite",
            ]
        } else {
            guard let disk = profile[member: "osDisk"] else { throw .requiredParameter("image.storageProfile.osDisk") }
            if disk[member: "blobUri"] != nil {
                throw .invalidParameter("osDisk.blobUri", "Images from blobs are not supported by this emulator.")
            }
            let id = disk[path: "managedDisk.id"]?.string ?? disk[path: "snapshot.id"]?.string
            guard let id else { throw .requiredParameter("image.storageProfile.osDisk.managedDisk") }
            guard let osType = disk[member: "osType"]?.string else {
                throw .requiredParameter("image.storageProfile.osDisk.osType")
            }
            guard disk[member: "osState"]?.string != nil else {
                throw .requiredParameter("image.storageProfile.osDisk.osState")
            }
            source = try ImageSourceDisk(id, by: call.id, location: location, in: state)
            guard source.osType.isEmpty || source.osType.lowercased() == osType.lowercased() else {
                throw .invalidParameter(
                    "osDisk.osType", "The OS type '\(printable(osType))' is not that of the source, '\(source.osType)'."
                )
            }
        }
        let asked = profile[path: "osDisk.diskSizeGB"]?.integer ?? source.sizeGB
        guard asked >= source.sizeGB else {
            throw .invalidParameter(
                "osDisk.diskSizeGB",
                "The specified disk size \(asked) GB is smaller than the size of the source, \(source.sizeGB) GB.")
        }
        profile[path: "osDisk.diskSizeGB"] = .integer(asked)
        if profile[path: "osDisk.caching"] == nil { profile[path: "osDisk.caching"] = "None" }
        if profile[path: "osDisk.storageAccountType"] == nil {
            profile[path: "osDisk.storageAccountType"] = "Standard_LRS"
        }
        if profile["dataDisks"] == nil { profile[path: "dataDisks"] = [] }
        if profile["zoneResilient"] == nil { profile[path: "zoneResilient"] = false }
        record.body[path: "properties.storageProfile"] = profile
        let generation = record.body[path: "properties.hyperVGeneration"]?.string ?? source.generation
        record.body[path: "properties.hyperVGeneration"] = .string(generation)
        let input = ImageBytes.prepare(&record, source, call)
        record.hidden[path: "osType"] = profile[path: "osDisk.osType"]
        record.hidden[path: "generation"] = .string(generation)
        record.hidden[path: "sizeGB"] = .integer(asked)
        record.hidden[path: "specialized"] = .bool(profile[path: "osDisk.osState"]?.string == "Specialized")
        return input
    }
}
