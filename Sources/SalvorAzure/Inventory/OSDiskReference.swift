internal import SalvorJSON

/// What a machine says of its OS disk: `properties.storageProfile.osDisk`. A swap sends it back with another id and name.
package struct OSDiskReference: Hashable, Sendable {
    /// A managed disk; nil for an unmanaged one (``blob``).
    package var id: ResourceID?
    package var name: String
    /// Address of a page blob in a storage account: an unmanaged disk.
    package var blob: String?
    package var osType: String?
    package var sizeGB: Int64?
    package var caching: String?
    /// `FromImage` or `Attach`. A swap must not change it.
    package var createOption: String
    /// `Detach` or `Delete`: what becomes of the disk when the machine is deleted.
    package var deleteOption: String?
    package var writeAccelerator: Bool?
    package var storageType: String?
    package var encryptionSet: ResourceID?
    /// `DiskWithVMGuestState`, `VMGuestStateOnly`, …, of a confidential machine.
    package var confidentialEncryption: String?
    package var confidentialEncryptionSet: ResourceID?
    /// Lives on the host and is gone when the machine is deallocated: there is nothing to copy.
    package var isEphemeral: Bool
    /// Of Azure Disk Encryption with an application's identity, the older way.
    package var encryption: GuestEncryption?

    /// - Parameter json: a machine's.
    init(machine json: JSONValue) {
        let disk = json["properties"]?["storageProfile"]?["osDisk"] ?? [:]
        let managed = disk["managedDisk"]
        id = managed?["id"]?.string.flatMap { ResourceID($0) }
        name = disk["name"]?.string ?? ""
        blob = disk["vhd"]?["uri"]?.string
        osType = disk["osType"]?.string
        sizeGB = disk["diskSizeGB"]?.integer
        caching = disk["caching"]?.string
        createOption = disk["createOption"]?.string ?? "FromImage"
        deleteOption = disk["deleteOption"]?.string
        writeAccelerator = disk["writeAcceleratorEnabled"]?.bool
        storageType = managed?["storageAccountType"]?.string
        encryptionSet = managed?["diskEncryptionSet"]?["id"]?.string.flatMap { ResourceID($0) }
        confidentialEncryption = managed?["securityProfile"]?["securityEncryptionType"]?.string
        confidentialEncryptionSet =
            managed?["securityProfile"]?["diskEncryptionSet"]?["id"]?.string.flatMap { ResourceID($0) }
        isEphemeral = disk["diffDiskSettings"]?["option"]?.string?.lowercased() == "local"
        encryption = disk["encryptionSettings"].flatMap { GuestEncryption(machine: $0) }
    }
}
