internal import SalvorJSON

/// What a hypervisor has to know of a machine.
package struct RealMachine: Sendable, Hashable {
    package struct Disk: Sendable, Hashable {
        /// Names the bytes among ``DiskContents``.
        package let content: String
        package let bytes: Int64

        package init(content: String, bytes: Int64) {
            self.content = content
            self.bytes = bytes
        }
    }

    package enum Generation: String, Sendable, Hashable {
        /// BIOS, and the OS disk on IDE.
        case first = "V1"
        /// UEFI, and the OS disk on SCSI.
        case second = "V2"
    }

    /// Azure's `vmId`.
    package let id: String
    /// For people.
    package let name: String
    package let generation: Generation
    package let osDisk: Disk
    /// By LUN.
    package let dataDisks: [Int: Disk]
    /// `00-0D-3A-12-34-56`, of the primary interface; nil where it has none.
    package let hardwareAddress: String?
    /// `10.0.0.4`, of the primary interface.
    package let privateAddress: String?

    package init(
        id: String, name: String, generation: Generation, osDisk: Disk, dataDisks: [Int: Disk] = [:],
        hardwareAddress: String? = nil, privateAddress: String? = nil
    ) {
        self.id = id
        self.name = name
        self.generation = generation
        self.osDisk = osDisk
        self.dataDisks = dataDisks
        self.hardwareAddress = hardwareAddress
        self.privateAddress = privateAddress
    }

    /// A machine with the disks that a profile names.
    /// - Parameter profile: nil for the machine's own.
    /// - Throws: where its OS disk has no bytes.
    init(_ record: Record, profile: JSONValue? = nil, in state: EmulatorState) throws(ARMError) {
        var body = record.body
        if let profile { body[path: "properties.storageProfile"] = profile }
        let storage = StorageProfile(body)
        func disk(_ id: String?) -> (Disk, Record)? {
            guard let record = id.flatMap(ResourceID.init).flatMap({ state[$0] }),
                let content = DiskContents.id(of: record)
            else { return nil }
            return (Disk(content: content, bytes: DiskContents.size(of: record)), record)
        }
        guard let (osDisk, osRecord) = disk(storage.osDiskID) else {
            throw ARMError(
                409, "AllocationFailed", "VM '\(record.id.name)' cannot be started: its OS disk has no content here.")
        }
        var dataDisks: [Int: Disk] = [:]
        for entry in storage.dataDisks {
            guard let lun = entry[member: "lun"]?.integer, let (disk, _) = disk(entry[path: "managedDisk.id"]?.string)
            else { continue }
            dataDisks[Int(lun)] = disk
        }
        self.init(
            id: Self.id(of: record), name: record.id.name,
            generation: osRecord.body[path: "properties.hyperVGeneration"]?.string == "V2" ? .second : .first,
            osDisk: osDisk, dataDisks: dataDisks, hardwareAddress: NetworkProfile.hardwareAddress(of: record),
            privateAddress: NetworkProfile.privateAddress(of: record, in: state))
    }

    static func id(of record: Record) -> String { record.body[path: "properties.vmId"]?.string ?? "" }
}
