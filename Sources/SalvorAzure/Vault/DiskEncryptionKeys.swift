import SalvorCoordinatorCore

/// The keys of machines with Azure Disk Encryption, from where their OS disks say that they are.
struct DiskEncryptionKeys: KeySource {
    let name = "Azure Key Vault"
    let inventory: Inventory
    let vaults: KeyVaultClient

    func keys(for request: KeyRequest) async throws(CoordinatorError) -> [VolumeKey] {
        // ADE locks with a startup key. Where no volume takes one, no secret is asked for.
        guard request.protectors.contains(where: { $0.kind == .startupKey || $0.kind == .tpmAndStartupKey }) else {
            return []
        }
        do throws(ProviderError) {
            let id = try AzureProvider.id(request.machine)
            return try await providing { () throws(AzureError) in
                let machine = try await inventory.machine(id)
                var keys: [VolumeKey] = []
                for key in machine.disk?.encryption?.keys ?? [] {
                    keys.append(VolumeKey(.startupKey, secret: try await vaults.startupKey(key)))
                }
                return keys
            }
        } catch {
            throw CoordinatorError(error)
        }
    }
}
