/// A virtual machine as Azure shows it, with all that a rescue carries over or checks.
///
/// Read from one GET with `$expand=instanceView`, and from its OS disk's (``disk``).
package struct BrokenVM: Hashable, Sendable {
    package var id: ResourceID
    package var location: String
    /// `1`, `2` or `3`; none for a machine in no zone.
    package var zones: [String]
    /// `Standard_D4s_v5`.
    package var size: String
    package var licenseType: String?
    /// What Windows on it was called when it was made; a machine made of a disk has none.
    package var computerName: String?
    package var plan: PurchasePlan?
    package var tags: [String: String]
    /// `Succeeded`, `Updating`, `Deleting`, `Failed`, ….
    package var provisioningState: String
    /// Of the whole resource, for a change that must not overwrite somebody else's.
    package var etag: String?
    /// When Azure made it, RFC 3339.
    package var created: String?

    package var view: InstanceView
    package var osDisk: OSDiskReference
    /// nil until it was read, and where there is no managed disk.
    package var disk: ManagedDisk?
    package var dataDiskCount: Int
    package var securityType: SecurityType
    /// Host-based encryption of caches and temporary disk.
    package var encryptionAtHost: Bool

    /// The primary one first.
    package var networkInterfaces: [ResourceID]
    package var extensions: [VMExtension]
    package var bootDiagnostics: BootDiagnosticsSetting
    /// The scale set that it belongs to, in either orchestration mode.
    package var scaleSet: ResourceID?

    package var name: String { id.name }
    package var subscription: String { id.subscription }
    package var resourceGroup: String { id.resourceGroup ?? "" }
    package var isWindows: Bool { osDisk.osType?.lowercased() == "windows" }

    /// Azure's disk encryption inside the guest (BitLocker by extension), as opposed to encryption at rest.
    package var hasGuestEncryption: Bool {
        osDisk.encryption?.isEnabled == true || disk?.encryption?.isEnabled == true
            || extensions.contains { $0.isDiskEncryption }
    }

    /// `V1` or `V2`: the disk says it, and a machine's view where the disk does not.
    package var generation: String { disk?.generation ?? view.generation ?? "V1" }
}

/// What a marketplace image is paid by. A disk without its machine's plan is refused.
package struct PurchasePlan: Hashable, Sendable {
    package var name: String
    package var publisher: String
    package var product: String
    package var promotionCode: String?
}

/// `properties.securityProfile.securityType`. An open set.
package struct SecurityType: Hashable, Sendable, RawRepresentable {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    /// Also what Azure shows as nothing.
    package static let standard = SecurityType(rawValue: "Standard")
    package static let trustedLaunch = SecurityType(rawValue: "TrustedLaunch")
    package static let confidential = SecurityType(rawValue: "ConfidentialVM")
}

package struct VMExtension: Hashable, Sendable {
    package var name: String
    /// nil in lists, which give names alone.
    package var publisher: String?
    package var type: String?
    package var version: String?
    package var provisioningState: String?

    package var isDiskEncryption: Bool {
        let type = (type ?? name).lowercased()
        return type == "azurediskencryption" || type == "azurediskencryptionforlinux"
    }

    /// CrowdStrike's own: publisher `Crowdstrike.Falcon`, type `FalconSensorWindows`. Lists give the name alone, which who
    /// installs it chooses.
    package var isFalcon: Bool {
        if let publisher { return publisher.lowercased().hasPrefix("crowdstrike") }
        let words = "\(type ?? "") \(name)".lowercased()
        return words.contains("crowdstrike") || words.contains("falconsensor")
    }
}

package struct BootDiagnosticsSetting: Hashable, Sendable {
    package var isEnabled: Bool
    /// A storage account of the user's own; nil for a managed one.
    package var storageURI: String?
}
