internal import SalvorJSON

/// Disk encryption sets: which key disks are encrypted with. Nothing is encrypted here.
struct DiskEncryptionSets: ComputeResource {
    let type = "Microsoft.Compute/diskEncryptionSets"
    private static let types = [
        "EncryptionAtRestWithCustomerKey", "EncryptionAtRestWithPlatformAndCustomerKeys",
        "ConfidentialVmEncryptedWithCustomerKey",
    ]

    var created: Int { 202 }

    func fill(
        _ record: inout Record, known: Record?, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> JSONValue {
        if record.body[path: "properties.encryptionType"] == nil {
            record.body[path: "properties.encryptionType"] = .string(Self.types[0])
        }
        let type = record.body[path: "properties.encryptionType"]?.string ?? ""
        guard let spelt = Self.types.first(where: { $0.lowercased() == type.lowercased() }) else {
            throw .invalidParameter("encryptionType", "The encryption type '\(printable(type))' is not known.")
        }
        record.body[path: "properties.encryptionType"] = .string(spelt)
        guard let key = record.body[path: "properties.activeKey.keyUrl"]?.string, key.lowercased().hasPrefix("https://")
        else { throw .requiredParameter("diskEncryptionSet.properties.activeKey.keyUrl") }
        if let known, known.body[path: "properties.encryptionType"]?.string != spelt {
            throw .changed("diskEncryptionSet.encryptionType")
        }
        let was = known?.body[path: "properties.activeKey.keyUrl"]?.string
        record.body[path: "properties.previousKeys"] = known?.body[path: "properties.previousKeys"] ?? []
        if was == nil || was != key {
            record.body[path: "properties.lastKeyRotationTimestamp"] = .string(call.now.text)
        }
        if let identity = record.body[path: "identity.type"]?.string, identity.contains("SystemAssigned") {
            record.body[path: "identity.principalId"] =
                known?.body[path: "identity.principalId"] ?? .string(call.makeID())
            record.body[path: "identity.tenantId"] = .string(call.surroundings.tenant)
        }
        return [:]
    }

    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError) {
        guard let user = Self.users(of: record, in: state).first else { return }
        throw ARMError(
            409, "OperationNotAllowed",
            "Disk encryption set '\(record.id.name)' cannot be deleted since it is used by '\(user.id)'.")
    }

    func read(
        _ child: String, _ record: Record, _ call: ResourceCall, in state: EmulatorState
    ) throws(ARMError) -> JSONValue? {
        child.lowercased() == "associatedresources"
            ? ["value": .array(Self.users(of: record, in: state).map { .string($0.id.description) })] : nil
    }

    private static func users(of record: Record, in state: EmulatorState) -> [Record] {
        ["disks", "snapshots"].flatMap {
            state.list("Microsoft.Compute/\($0)", in: ResourceID(subscription: record.id.subscription))
        }.filter {
            $0.body[path: "properties.encryption.diskEncryptionSetId"]?.string?.lowercased() == record.id.key
        }
    }
}
