/// A managed disk as Azure shows it. What of it a copy must be told, or it is lost, is said at each property: a copy takes
/// over bytes, size and operating system by itself, and nothing else.
package struct ManagedDisk: Hashable, Sendable {
    package var id: ResourceID
    package var location: String
    /// Of a zonal disk. A copy must be told.
    package var zones: [String]
    package var tags: [String: String]
    package var sizeBytes: Int64
    /// `Premium_LRS`, `PremiumV2_LRS`, …. A copy must be told.
    package var sku: String
    /// `P10`: may be higher than the size gives. A copy must be told.
    package var performanceTier: String?
    package var osType: String?
    /// `V1` or `V2`. A copy must be told.
    package var generation: String?
    /// `Attached`, `Reserved`, `Unattached`, `ActiveSAS`, ….
    package var state: String
    package var provisioningState: String
    package var owner: ResourceID?
    /// All owners of a shared disk.
    package var owners: [ResourceID]
    /// More than 1 for a shared disk.
    package var maxShares: Int64
    /// A copy must be told.
    package var plan: PurchasePlan?
    /// A copy must be told.
    package var security: DiskSecurity?
    /// Encryption at rest. A copy must be told of a set.
    package var encryptionType: String?
    package var encryptionSet: ResourceID?
    /// Encryption inside the guest. A copy must be told.
    package var encryption: GuestEncryption?
    /// A copy must be told.
    package var supportsHibernation: Bool?
    package var capabilities: DiskCapabilities
    /// A copy must be told.
    package var access: DiskAccess
    /// Bursting on demand. A copy must be told.
    package var isBursting: Bool?
    /// Set by the user for PremiumV2_LRS and UltraSSD_LRS, where a copy must be told; otherwise from size and tier.
    package var operationsPerSecond: Int64?
    package var megabytesPerSecond: Int64?
    /// 512 or 4096, of PremiumV2_LRS and UltraSSD_LRS. A copy must be told.
    package var logicalSectorSize: Int64?
    /// Below 100 while a copy is still being filled.
    package var completionPercent: Double?

    package var name: String { id.name }

    /// PremiumV2_LRS and UltraSSD_LRS: never OS disks by themselves, and without instant snapshots.
    package var hasSetPerformance: Bool { ["premiumv2_lrs", "ultrassd_lrs"].contains(sku.lowercased()) }
}

/// `properties.securityProfile` of a disk.
package struct DiskSecurity: Hashable, Sendable {
    /// `TrustedLaunch`, `ConfidentialVM_DiskEncryptedWithPlatformKey`, ….
    package var type: String
    /// The set that encrypts a confidential disk with its owner's key.
    package var encryptionSet: ResourceID?

    package var isConfidential: Bool { type.lowercased().hasPrefix("confidentialvm") }
    /// The bytes can be read only inside of that very machine.
    package var isSealed: Bool { type.lowercased().hasPrefix("confidentialvm_diskencrypted") }
}

/// `properties.supportedCapabilities`.
package struct DiskCapabilities: Hashable, Sendable {
    /// `x64`, `Arm64`.
    package var architecture: String?
    /// `SCSI, NVMe`.
    package var controllers: String?
    package var acceleratedNetwork: Bool?
    package var securityOption: String?
}

/// Who may read and write a disk's bytes over the network.
package struct DiskAccess: Hashable, Sendable {
    /// `AllowAll`, `AllowPrivate`, `DenyAll`.
    package var policy: String?
    package var diskAccess: ResourceID?
    /// `Enabled`, `Disabled`.
    package var publicNetwork: String?
    /// `AzureActiveDirectory`: bytes only with a token.
    package var authMode: String?
}
