internal import SalvorJSON

/// What a disk or a snapshot is made from: `properties.creationData`, checked.
struct DiskCreation {
    enum Source {
        case empty
        case copy(ResourceID)
        /// Of a snapshot, in the background, from any location.
        case copyStart(ResourceID)
        /// Size in bytes, the footer of a fixed VHD included.
        case upload(Int64)
    }

    static let mostGiB: Int64 = 32_767
    private static let bytesPerGiB: Int64 = 1 << 30
    /// A fixed VHD ends with one.
    static let footerBytes: Int64 = 512

    let source: Source
    let sizeGB: Int64
    let sizeBytes: Int64
    /// What the new one takes over from its source, where the request does not say.
    private(set) var inherited: JSONValue = [:]
    /// The source's `uniqueId`.
    private(set) var sourceID: JSONValue?
    /// The source's `incrementalSnapshotFamilyId`.
    private(set) var family: JSONValue?
    /// The bytes that it begins with.
    private(set) var sourceContent: String?

    /// - Throws: what Azure says of creation data that do not fit each other.
    init(_ properties: JSONValue, location: String?, in state: EmulatorState) throws(ARMError) {
        guard let creation = properties[member: "creationData"], let option = creation[member: "createOption"]?.string
        else { throw .requiredParameter("disk.creationData.createOption") }
        let asked = properties[member: "diskSizeGB"]?.integer
        switch option.lowercased() {
        case "empty":
            guard let asked else { throw .requiredParameter("disk.diskSizeGB") }
            source = .empty
            sizeGB = asked
            sizeBytes = Self.bytes(asked)
        case "copy", "copystart":
            let inBackground = option.lowercased() == "copystart"
            guard let text = creation[member: "sourceResourceId"]?.string else {
                throw .requiredParameter("disk.creationData.sourceResourceId")
            }
            guard let id = ResourceID(text),
                ["microsoft.compute/disks", "microsoft.compute/snapshots"].contains(id.type.lowercased())
            else {
                throw .invalidParameter(
                    "sourceResourceId",
                    "The value of parameter sourceResourceId is invalid: it names no disk or snapshot.")
            }
            let record = try state.require(id)
            let diskState = record.body[path: "properties.diskState"]?.string ?? ""
            guard record.provisioningState == "Succeeded", !["ReadyToUpload", "ActiveUpload"].contains(diskState) else {
                throw ARMError(
                    409, "OperationNotAllowed",
                    "Operation 'Copy' is not allowed on '\(id.name)' since it is in provisioning state "
                        + "'\(record.provisioningState)' and disk state '\(diskState)'.")
            }
            guard inBackground || location == nil || record.body["location"]?.string == location else {
                // Each region's Azure knows its own disks alone.
                throw ARMError(404, "NotFound", "Resource \(id) is not found.", target: id.description)
            }
            try Self.checkCopied(record)
            if inBackground { try Self.checkIncremental(record, properties) }
            let size = record.body[path: "properties.diskSizeGB"]?.integer ?? 0
            if let asked, asked < size {
                throw .invalidParameter(
                    "disk.diskSizeGB",
                    "The specified disk size \(asked) GB is smaller than the size of the source, \(size) GB.")
            }
            source = inBackground ? .copyStart(id) : .copy(id)
            sourceID = record.body[path: "properties.uniqueId"]
            family = record.body[path: "properties.incrementalSnapshotFamilyId"]
            sizeGB = asked ?? size
            sizeBytes = sizeGB > size ? Self.bytes(sizeGB) : DiskContents.size(of: record)
            // The rest is only copied when it is asked for: its generation, plan, security profile and encryption set.
            inherited[path: "osType"] = record.body[path: "properties.osType"]
            sourceContent = DiskContents.id(of: record)
        case "upload", "uploadpreparedsecure":
            guard let bytes = creation[member: "uploadSizeBytes"]?.integer else {
                throw .requiredParameter("disk.creationData.uploadSizeBytes")
            }
            let content = bytes - Self.footerBytes
            guard content >= 20 << 20, content <= Self.mostGiB * Self.bytesPerGiB, content % (1 << 20) == 0 else {
                throw .invalidParameter(
                    "uploadSizeBytes",
                    "The value of parameter uploadSizeBytes is invalid: whole MiB, at least 20, and 512 bytes of footer are expected."
                )
            }
            source = .upload(bytes)
            sizeGB = (content + Self.bytesPerGiB - 1) / Self.bytesPerGiB
            sizeBytes = content
        default:
            throw .invalidParameter(
                "createOption", "The value '\(printable(option))' of parameter createOption is not supported here.")
        }
        guard (1...Self.mostGiB).contains(sizeGB) else {
            throw .invalidParameter(
                "disk.diskSizeGB",
                "The value '\(sizeGB)' of parameter diskSizeGB is out of range: 1 to \(Self.mostGiB).")
        }
    }

    /// - Throws: where the bytes of a snapshot are not all there yet.
    static func checkCopied(_ record: Record) throws(ARMError) {
        guard let percent = record.body[path: "properties.completionPercent"], percent != .integer(100) else { return }
        throw ARMError(
            409, "OperationNotAllowed",
            "Snapshot '\(record.id.name)' cannot be used before its background copy has completed: wait until its "
                + "completionPercent is 100.")
    }

    private static func checkIncremental(_ source: Record, _ properties: JSONValue) throws(ARMError) {
        guard source.body[path: "properties.incremental"] == true, properties[member: "incremental"] == true else {
            throw .invalidParameter(
                "createOption", "The value 'CopyStart' of parameter createOption is for incremental snapshots alone.")
        }
    }

    /// 0 for what is out of range.
    private static func bytes(_ sizeGB: Int64) -> Int64 {
        (1...mostGiB).contains(sizeGB) ? sizeGB * bytesPerGiB : 0
    }
}
