internal import SalvorJSON

/// What a client may say of a disk or snapshot beside its size and source, and what Azure adds.
struct DiskSettings {
    /// What Azure decides is not the client's to say.
    static let readOnly = [
        "provisioningState", "diskState", "timeCreated", "uniqueId", "diskSizeBytes", "completionPercent",
        "copyCompletionError", "incrementalSnapshotFamilyId", "snapshotAccessState", "propertyUpdatesInProgress",
        "shareInfo", "burstingEnabledTime", "LastOwnershipUpdateTime",
    ]
    private static let topLevel = ["tags", "sku", "zones", "extendedLocation"]

    static let disks = DiskSettings(
        skus: [
            "Standard_LRS", "Premium_LRS", "StandardSSD_LRS", "UltraSSD_LRS", "Premium_ZRS", "StandardSSD_ZRS",
            "PremiumV2_LRS",
        ])
    static let snapshots = DiskSettings(skus: ["Standard_LRS", "Premium_LRS", "Standard_ZRS"])

    let skus: [String]

    /// A request's body without what is not the client's to say, in Azure's spelling.
    /// - Throws: `InvalidParameter` for a value that there is not.
    func checked(_ body: JSONValue) throws(ARMError) -> JSONValue {
        var checked: JSONValue = [:]
        for name in Self.topLevel { checked[path: name] = body[member: name] }
        var properties = (body[member: "properties"]?.object ?? [:]).filter { name, _ in
            !Self.readOnly.contains { $0.lowercased() == name.lowercased() }
        }
        try Self.choose("osType", ["Windows", "Linux"], in: &properties)
        try Self.choose("hyperVGeneration", ["V1", "V2"], in: &properties)
        try Self.choose("networkAccessPolicy", ["AllowAll", "AllowPrivate", "DenyAll"], in: &properties)
        try Self.choose("publicNetworkAccess", ["Enabled", "Disabled"], in: &properties)
        checked[path: "properties"] = .object(properties)
        if let sku = checked["sku"]?[member: "name"]?.string {
            guard let known = skus.first(where: { $0.lowercased() == sku.lowercased() }) else {
                throw .invalidParameter("sku.name", Self.noSuch(sku, "sku.name", skus))
            }
            checked[path: "sku"] = ["name": .string(known)]
        } else {
            checked[path: "sku"] = nil
        }
        return checked
    }

    /// Replaces a value by Azure's spelling of it.
    private static func choose(
        _ name: String, _ values: [String], in properties: inout [String: JSONValue]
    ) throws(ARMError) {
        guard let key = properties.keys.first(where: { $0.lowercased() == name.lowercased() }),
            let value = properties[key], value != .null
        else { return }
        guard let known = values.first(where: { $0.lowercased() == value.string?.lowercased() }) else {
            throw .invalidParameter(name, noSuch(value.string ?? value.text, name, values))
        }
        properties[key] = nil
        properties[name] = .string(known)
    }

    private static func noSuch(_ value: String, _ name: String, _ values: [String]) -> String {
        "The value '\(printable(value))' of parameter \(name) is invalid: \(values.joined(separator: ", ")) are known."
    }

    /// Fills in what Azure says where the client says nothing, and what follows from sku and size.
    /// - Throws: where settings do not go together.
    static func complete(_ record: inout Record) throws(ARMError) {
        if record.body[path: "sku.name"] == nil { record.body[path: "sku.name"] = "Standard_LRS" }
        let sku = record.body[path: "sku.name"]?.string ?? ""
        record.body[path: "sku.tier"] = .string(Disks.tier(of: sku))
        for (name, value) in [("networkAccessPolicy", "AllowAll"), ("publicNetworkAccess", "Enabled")]
        where record.body[path: "properties.\(name)"] == nil {
            record.body[path: "properties.\(name)"] = .string(value)
        }
        if record.body[path: "properties.encryption.type"] == nil {
            let hasSet = record.body[path: "properties.encryption.diskEncryptionSetId"] != nil
            record.body[path: "properties.encryption.type"] =
                hasSet ? "EncryptionAtRestWithCustomerKey" : "EncryptionAtRestWithPlatformKey"
        }
        let policy = record.body[path: "properties.networkAccessPolicy"]?.string
        let hasAccess = record.body[path: "properties.diskAccessId"] != nil
        guard (policy == "AllowPrivate") == hasAccess else {
            throw .invalidParameter(
                "networkAccessPolicy",
                "networkAccessPolicy AllowPrivate and a diskAccessId go together: one is missing.")
        }
        guard record.id.type.lowercased() == "microsoft.compute/disks" else { return }
        let sizeGB = record.body[path: "properties.diskSizeGB"]?.integer ?? 0
        guard let figures = DiskFigures(sku: sku, sizeGB: sizeGB) else { return }
        record.body[path: "properties.diskIOPSReadWrite"] = .integer(figures.operations)
        record.body[path: "properties.diskMBpsReadWrite"] = .integer(figures.megabytes)
        record.body[path: "properties.tier"] = figures.tier.map { .string($0) }
    }
}

/// What a disk can do, from Microsoft's page "Azure managed disk types".
struct DiskFigures {
    /// Operations per second.
    let operations: Int64
    /// Per second.
    let megabytes: Int64
    /// `P10`; nil where Azure shows none.
    let tier: String?

    private static let premium: [(sizeGB: Int64, tier: String, operations: Int64, megabytes: Int64)] = [
        (4, "P1", 120, 25), (8, "P2", 120, 25), (16, "P3", 120, 25), (32, "P4", 120, 25), (64, "P6", 240, 50),
        (128, "P10", 500, 100), (256, "P15", 1100, 125), (512, "P20", 2300, 150), (1024, "P30", 5000, 200),
        (2048, "P40", 7500, 250), (4096, "P50", 7500, 250), (8192, "P60", 16_000, 500), (16_384, "P70", 18_000, 750),
        (32_767, "P80", 20_000, 900),
    ]
    private static let standard: [(sizeGB: Int64, operations: Int64, megabytes: Int64)] = [
        (4096, 500, 60), (8192, 1300, 300), (32_767, 2000, 500),
    ]
    private static let standardSSD: [(sizeGB: Int64, operations: Int64, megabytes: Int64)] = [
        (4096, 500, 100), (8192, 2000, 400), (16_384, 4000, 600), (32_767, 6000, 750),
    ]

    /// - Returns: nil for skus whose figures the client sets.
    init?(sku: String, sizeGB: Int64) {
        switch sku {
        case "Premium_LRS", "Premium_ZRS":
            guard let row = Self.premium.first(where: { sizeGB <= $0.sizeGB }) else { return nil }
            (operations, megabytes, tier) = (row.operations, row.megabytes, row.tier)
        case "Standard_LRS", "StandardSSD_LRS", "StandardSSD_ZRS":
            let table = sku == "Standard_LRS" ? Self.standard : Self.standardSSD
            guard let row = table.first(where: { sizeGB <= $0.sizeGB }) else { return nil }
            (operations, megabytes, tier) = (row.operations, row.megabytes, nil)
        default: return nil
        }
    }
}
