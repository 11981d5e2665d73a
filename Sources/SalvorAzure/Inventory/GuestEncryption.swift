internal import SalvorJSON

/// Where Azure Disk Encryption keeps the key of a volume: in a key vault, as a secret, wrapped by another key or not.
package struct GuestEncryption: Hashable, Sendable {
    package struct Key: Hashable, Sendable {
        /// `https://VAULT.vault.azure.net/secrets/NAME/VERSION`: an address, not the secret.
        package var secretURL: String
        package var vault: ResourceID?
        /// The key that wraps the secret; nil where it is not wrapped.
        package var wrappingKeyURL: String?
        package var wrappingVault: ResourceID?
    }

    package var isEnabled: Bool
    /// `1.0` with an application's identity, `1.1` without; nil where the machine holds the settings.
    package var version: String?
    package var keys: [Key]

    /// - Parameter json: `encryptionSettings` of a machine's OS disk.
    init?(machine json: JSONValue) {
        guard case .object = json else { return nil }
        isEnabled = json["enabled"]?.bool ?? (json["diskEncryptionKey"] != nil)
        keys = Key(json).map { [$0] } ?? []
    }

    /// - Parameter json: `encryptionSettingsCollection` of a disk.
    init?(disk json: JSONValue) {
        guard case .object = json else { return nil }
        isEnabled = json["enabled"]?.bool ?? false
        version = json["encryptionSettingsVersion"]?.string
        keys = (json["encryptionSettings"]?.array ?? []).compactMap { Key($0) }
    }
}

extension GuestEncryption.Key {
    fileprivate init?(_ json: JSONValue) {
        guard let secret = json["diskEncryptionKey"]?["secretUrl"]?.string else { return nil }
        func vault(_ name: String) -> ResourceID? {
            json[name]?["sourceVault"]?["id"]?.string.flatMap { ResourceID($0) }
        }
        secretURL = secret
        self.vault = vault("diskEncryptionKey")
        wrappingKeyURL = json["keyEncryptionKey"]?["keyUrl"]?.string
        wrappingVault = vault("keyEncryptionKey")
    }
}
