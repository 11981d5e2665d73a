internal import SalvorJSON

/// What an image or a version of a gallery image is made from: a disk, a snapshot, a machine, or another image.
struct ImageSourceDisk {
    let osType: String
    let generation: String
    let sizeGB: Int64
    let isSpecialized: Bool
    /// The disk, snapshot, image or version that the bytes come from.
    let source: ResourceID
    /// Nil where disks have no bytes.
    let content: String?

    /// - Throws: `ResourceNotFound`; `OperationNotAllowed` for a source that cannot be copied just now.
    init(_ text: String, by id: ResourceID, location: String, in state: EmulatorState) throws(ARMError) {
        guard let source = ResourceID(text) else {
            throw .invalidParameter("source.id", "'\(printable(text))' is no id of a resource.")
        }
        var record = try state.require(source)
        var specialized = true
        if record.id.type.lowercased() == "microsoft.compute/virtualmachines" {
            specialized = record.hidden["generalized"]?.bool != true
            guard let disk = StorageProfile(record.body).osDiskID.flatMap({ ResourceID($0) }) else {
                throw ARMError(409, "OperationNotAllowed", "The VM '\(record.id.name)' has no managed OS disk.")
            }
            record = try state.require(disk)
        }
        guard record.body["location"]?.string == location else {
            throw .invalidParameter(
                "source.id", "The source '\(printable(text))' is not in location '\(location)' of '\(id.name)'.")
        }
        switch record.id.type.lowercased() {
        case "microsoft.compute/disks", "microsoft.compute/snapshots":
            let diskState = record.body[path: "properties.diskState"]?.string ?? ""
            guard record.provisioningState == "Succeeded", !["ReadyToUpload", "ActiveUpload"].contains(diskState) else {
                throw ARMError(
                    409, "OperationNotAllowed",
                    "An image cannot be made from '\(record.id.name)' since it is in provisioning state "
                        + "'\(record.provisioningState)' and disk state '\(diskState)'.")
            }
            let properties = record.body["properties"] ?? [:]
            osType = properties["osType"]?.string ?? ""
            generation = properties["hyperVGeneration"]?.string ?? "V1"
            sizeGB = properties["diskSizeGB"]?.integer ?? 0
        case "microsoft.compute/images", "microsoft.compute/galleries/images/versions":
            let image = try ImageReference(record, in: state)
            osType = image.osType
            generation = image.generation
            sizeGB = image.sizeGB
            specialized = image.isSpecialized
        default:
            throw .invalidParameter("source.id", "An image cannot be made from '\(printable(text))'.")
        }
        isSpecialized = specialized
        self.source = record.id
        content = DiskContents.id(of: record)
    }
}

/// What an image's own bytes are made by.
enum ImageBytes {
    /// Gives a new image a content, and tells its operation where that begins.
    static func prepare(_ record: inout Record, _ source: ImageSourceDisk, _ call: ResourceCall) -> JSONValue {
        record.hidden[path: "content"] = .string(call.makeID())
        record.hidden[path: "sizeGB"] = .integer(source.sizeGB)
        record.hidden[path: "osType"] = .string(source.osType)
        record.hidden[path: "generation"] = .string(source.generation)
        record.hidden[path: "specialized"] = .bool(source.isSpecialized)
        return source.content.map { ["source": .string($0)] } ?? [:]
    }

    /// - Returns: nil where nothing is to be copied, or it has been.
    /// - Throws: what the copy ended with.
    static func work(
        of operation: Operation, on record: Record, _ context: EffectContext
    ) throws(ARMError) -> Work? {
        if let outcome = context.outcome {
            _ = try outcome.get()
            return nil
        }
        guard context.equipment.contents != nil, let content = DiskContents.id(of: record),
            let source = operation.input["source"]?.string
        else { return nil }
        let bytes = (record.hidden["sizeGB"]?.integer ?? 0) << 30
        return Work { (equipment) throws(ARMError) in
            try await equipment.contents?.copy(from: source, to: content, bytes: bytes)
            return .null
        }
    }
}
