package import SalvorJSON

extension ManagedDisk {
    /// - Throws: ``AzureError/Code/badAnswer`` for what is no disk.
    package init(_ json: JSONValue) throws(AzureError) {
        let properties = json["properties"] ?? [:]
        id = try json.resourceID()
        location = json["location"]?.string ?? ""
        zones = json.texts("zones")
        tags = json.tags
        sizeBytes = properties["diskSizeBytes"]?.integer ?? (properties["diskSizeGB"]?.integer ?? 0) << 30
        sku = json["sku"]?["name"]?.string ?? ""
        performanceTier = properties["tier"]?.string
        osType = properties["osType"]?.string
        generation = properties["hyperVGeneration"]?.string
        state = properties["diskState"]?.string ?? "unknown"
        provisioningState = properties["provisioningState"]?.string ?? "unknown"
        owner = json.id("managedBy")
        owners = json.texts("managedByExtended").compactMap { ResourceID($0) }
        maxShares = properties["maxShares"]?.integer ?? 1
        plan = PurchasePlan(properties["purchasePlan"])
        security = properties["securityProfile"].flatMap { profile in
            profile["securityType"]?.string.map {
                DiskSecurity(type: $0, encryptionSet: profile.id("secureVMDiskEncryptionSetId"))
            }
        }
        encryptionType = properties["encryption"]?["type"]?.string
        encryptionSet = properties["encryption"]?.id("diskEncryptionSetId")
        encryption = properties["encryptionSettingsCollection"].flatMap { GuestEncryption(disk: $0) }
        supportsHibernation = properties["supportsHibernation"]?.bool
        let capabilities = properties["supportedCapabilities"]
        self.capabilities = DiskCapabilities(
            architecture: capabilities?["architecture"]?.string,
            controllers: capabilities?["diskControllerTypes"]?.string,
            acceleratedNetwork: capabilities?["acceleratedNetwork"]?.bool,
            securityOption: capabilities?["supportedSecurityOption"]?.string)
        access = DiskAccess(
            policy: properties["networkAccessPolicy"]?.string, diskAccess: properties.id("diskAccessId"),
            publicNetwork: properties["publicNetworkAccess"]?.string,
            authMode: properties["dataAccessAuthMode"]?.string)
        isBursting = properties["burstingEnabled"]?.bool
        operationsPerSecond = properties["diskIOPSReadWrite"]?.integer
        megabytesPerSecond = properties["diskMBpsReadWrite"]?.integer
        logicalSectorSize = properties["creationData"]?["logicalSectorSize"]?.integer
        completionPercent = properties["completionPercent"]?.double
    }
}

extension PurchasePlan {
    init?(_ json: JSONValue?) {
        guard let json, let name = json["name"]?.string, let publisher = json["publisher"]?.string,
            let product = json["product"]?.string
        else { return nil }
        self.init(name: name, publisher: publisher, product: product, promotionCode: json["promotionCode"]?.string)
    }
}
