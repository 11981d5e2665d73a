internal import SalvorJSON

/// Disks that a machine's own request makes: from an image, or empty.
struct NewDisks {
    private let call: ResourceCall

    init(_ call: ResourceCall) { self.call = call }

    /// Makes what is missing, and fills in what Azure shows of each disk.
    func prepare(_ record: inout Record, in state: inout EmulatorState) throws(ARMError) {
        var profile = StorageProfile(record.body).body
        if profile[path: "osDisk.managedDisk.id"]?.string == nil {
            try makeOSDisk(&profile, record, in: &state)
        }
        var disks: [JSONValue] = []
        for var disk in profile[path: "dataDisks"]?.array ?? [] {
            if disk[path: "managedDisk.id"]?.string == nil { try makeDataDisk(&disk, record, in: &state) }
            StorageProfile.describe(&disk, in: state)
            disks.append(disk)
        }
        if var osDisk = profile[path: "osDisk"] {
            StorageProfile.describe(&osDisk, in: state)
            profile[path: "osDisk"] = osDisk
        }
        profile[path: "dataDisks"] = .array(disks)
        record.body[path: "properties.storageProfile"] = profile
    }

    private func makeOSDisk(
        _ profile: inout JSONValue, _ record: Record, in state: inout EmulatorState
    ) throws(ARMError) {
        guard let reference = profile[member: "imageReference"] else {
            throw .requiredParameter("storageProfile.osDisk.managedDisk.id")
        }
        let image = try ImageSource(reference, in: state)
        let name = profile[path: "osDisk.name"]?.string ?? "\(record.id.name)_OsDisk_1_\(call.makeID())"
        let sizeGB = profile[path: "osDisk.diskSizeGB"]?.integer ?? image.sizeGB
        guard sizeGB >= image.sizeGB else {
            throw .invalidParameter(
                "osDisk.diskSizeGB",
                "The specified disk size \(sizeGB) GB is smaller than the size of the corresponding disk in the VM image: "
                    + "\(image.sizeGB) GB.")
        }
        let disk = try makeDisk(
            name, sizeGB: sizeGB,
            [
                "creationData": image.creationData, "osType": .string(image.osType),
                "hyperVGeneration": .string(image.generation),
            ], source: image.source,
            sku: profile[path: "osDisk.managedDisk.storageAccountType"]?.string, record, in: &state)
        profile[path: "osDisk.name"] = .string(name)
        profile[path: "osDisk.osType"] = .string(image.osType)
        profile[path: "osDisk.managedDisk.id"] = .string(disk.description)
    }

    private func makeDataDisk(
        _ disk: inout JSONValue, _ record: Record, in state: inout EmulatorState
    ) throws(ARMError) {
        let lun = disk[member: "lun"]?.integer ?? 0
        let name = disk[member: "name"]?.string ?? "\(record.id.name)_disk\(lun + 2)_\(call.makeID())"
        guard disk[member: "createOption"]?.string?.lowercased() == "empty" else {
            throw .requiredParameter("dataDisk.managedDisk.id")
        }
        guard let sizeGB = disk[member: "diskSizeGB"]?.integer else { throw .requiredParameter("dataDisk.diskSizeGB") }
        let made = try makeDisk(
            name, sizeGB: sizeGB, ["creationData": ["createOption": "Empty"]], source: nil,
            sku: disk[path: "managedDisk.storageAccountType"]?.string, record, in: &state)
        disk[path: "name"] = .string(name)
        disk[path: "managedDisk.id"] = .string(made.description)
    }

    /// - Parameter source: the disk or snapshot whose bytes it gets; nil for none.
    private func makeDisk(
        _ name: String, sizeGB: Int64, _ properties: JSONValue, source: ResourceID?, sku: String?, _ machine: Record,
        in state: inout EmulatorState
    ) throws(ARMError) -> ResourceID {
        let id = machine.id.beside("Microsoft.Compute", "disks", name)
        guard state[id] == nil else {
            throw ARMError(
                409, "ConflictingUserInput",
                "Disk \(printable(name)) already exists in resource group \(machine.id.resourceGroup ?? ""). Only "
                    + "CreateOption.Attach is supported.")
        }
        let sku = sku ?? "Premium_LRS"
        var disk = Record(id: id, body: ["properties": properties])
        disk.body[path: "location"] = machine.body["location"]
        disk.body[path: "zones"] = machine.body["zones"]
        disk.body[path: "sku"] = ["name": .string(sku), "tier": .string(Disks.tier(of: sku))]
        disk.body[path: "properties.diskSizeGB"] = .integer(sizeGB)
        disk.body[path: "properties.diskSizeBytes"] = .integer(sizeGB << 30)
        disk.body[path: "properties.timeCreated"] = .string(call.now.text)
        disk.body[path: "properties.uniqueId"] = .string(call.makeID())
        disk.body[path: "properties.diskState"] = "Unattached"
        disk.hidden[path: "content"] = .string(call.makeID())
        if let content = source.flatMap({ state[$0] }).flatMap(DiskContents.id) {
            disk.hidden[path: "begins"] = .string(content)
        }
        disk.provisioningState = "Succeeded"
        state.put(disk)
        return id
    }
}
