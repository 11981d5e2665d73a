package import SalvorCoordinatorCore
import SalvorJSON

extension AzureProvider {
    private static let copyLimit = Duration.seconds(1800)

    package func copyDisk(of machine: Machine, to name: CopyName) async throws(ProviderError) -> RepairCopy {
        let original = try Self.id(machine.osDisk)
        let copy = original.group.appending(
            "Microsoft.Compute/disks", configuration.copyDiskName ?? AzureNames.copy(name, original: original.name))
        let arm = arm.within(Self.copyLimit)
        return try await providing { () throws(AzureError) in
            let made: JSONValue
            if let found = try await arm.find("\(copy)", .disks) {
                try Self.require(found, isOf: name, at: copy)
                made =
                    found["properties"]?["provisioningState"]?.string?.lowercased() == "succeeded"
                    ? found
                    : try await arm.put(
                        "\(copy)", .disks, copyBody(from: try await arm.get("\(original)", .disks), name))
            } else {
                made = try await arm.put(
                    "\(copy)", .disks, copyBody(from: try await arm.get("\(original)", .disks), name))
            }
            return RepairCopy(
                name: name,
                disk: OSDisk(
                    identifier: copy.text, format: "managed",
                    sizeBytes: made["properties"]?["diskSizeBytes"]?.integer.flatMap { UInt64(exactly: $0) }),
                dependsOnOriginal: false)
        }
    }

    /// A copy has of its source only the bytes and what the request says: generation, security profile, plan and
    /// encryption set would otherwise be lost, and the swap be refused or the machine not boot.
    private func copyBody(from original: JSONValue, _ name: CopyName) -> JSONValue {
        let source = original["properties"] ?? [:]
        var properties: [String: JSONValue] = [
            "creationData": ["createOption": "Copy", "sourceResourceId": original["id"] ?? .null]
        ]
        for key in [
            "osType", "hyperVGeneration", "securityProfile", "purchasePlan", "supportedCapabilities",
            "supportsHibernation",
            "encryptionSettingsCollection", "networkAccessPolicy", "publicNetworkAccess", "diskAccessId",
            "dataAccessAuthMode", "tier", "burstingEnabled", "diskIOPSReadWrite",
            "diskMBpsReadWrite", "optimizedForFrequentAttach",
        ] {
            if let value = source[key], value != .null { properties[key] = value }
        }
        // The figures that a size brings by itself may not be said for kinds of disks where they cannot be set.
        let sku = original["sku"]?["name"]?.string ?? ""
        if !sku.hasPrefix("PremiumV2") && !sku.hasPrefix("Ultra") {
            properties["diskIOPSReadWrite"] = nil
            properties["diskMBpsReadWrite"] = nil
        }
        if !sku.hasPrefix("Premium_") { properties["tier"] = nil }
        if let encryption = source["encryption"], encryption["diskEncryptionSetId"] != nil {
            properties["encryption"] = encryption
        }
        var tags: [String: JSONValue] = original.tags.mapValues { .string($0) }
        if case .object(let own) = self.tags(
            run: name.run, role: "repair-copy", machine: machineID(named: name.machine))
        {
            tags.merge(own) { $1 }
        }
        var body: [String: JSONValue] = [
            "location": original["location"] ?? .null, "tags": .object(tags), "properties": .object(properties),
        ]
        if let sku = original["sku"]?["name"] { body["sku"] = ["name": sku] }
        for key in ["zones", "extendedLocation"] {
            if let value = original[key], value != .null { body[key] = value }
        }
        return .object(body)
    }

    /// A disk of that name which another made is not touched.
    static func require(_ disk: JSONValue, isOf name: CopyName, at id: ResourceID) throws(AzureError) {
        guard disk.salvorRun == name.run else {
            throw AzureError(
                .conflict,
                "The disk \(id) is in the way of the repair copy of \(name.machine): this run did not make it.",
                nextStep: "Rename or move it, then resume the run. It was left as it is.")
        }
    }

    package func deleteCopy(named name: CopyName) async throws(ProviderError) {
        let arm = arm.within(.seconds(600))
        try await providing { () throws(AzureError) in
            for id in try await copies(of: name, arm) {
                guard let disk = try await arm.find("\(id)", .disks) else { continue }
                try Self.require(disk, isOf: name, at: id)
                if let owner = disk["managedBy"]?.string {
                    throw AzureError(
                        .conflict, "The repair copy \(id) of \(name.machine) belongs to \(owner) and was not deleted.",
                        nextStep: "If it is the machine's OS disk, roll the run back; otherwise detach it there.")
                }
                try await arm.delete("\(id)", .disks)
            }
        }
    }

    /// By its tags: a process that only knows run and machine finds it as well.
    private func copies(of name: CopyName, _ arm: ARMClient) async throws(AzureError) -> [ResourceID] {
        let machine = machineID(named: name.machine).map(Self.tagged)
        return try await resources(ofRun: name.run, arm).filter {
            $0["type"]?.string?.lowercased() == "microsoft.compute/disks"
                && $0.tags[AzureNames.roleTag] == "repair-copy"
                && $0.tags[RunTag.machine]?.lowercased() == machine?.lowercased()
        }.compactMap { $0.id("id") }
    }

    /// Everything in the subscription that bears the run's tag.
    func resources(ofRun run: String, _ arm: ARMClient) async throws(AzureError) -> [JSONValue] {
        try await arm.list(
            "/subscriptions/\(configuration.subscription)/resources", .resources,
            query: ["$filter": "tagName eq '\(RunTag.run)' and tagValue eq '\(run)'"])
    }
}
