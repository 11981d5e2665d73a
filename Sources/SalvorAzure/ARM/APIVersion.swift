/// The version of each REST API that Salvor speaks: those that its request bodies were written for.
package struct APIVersion: Hashable, Sendable, RawRepresentable {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    /// Virtual machines, sizes, usages, images and galleries' machines.
    package static let compute = APIVersion(rawValue: "2024-11-01")
    /// Disks, snapshots, disk encryption sets.
    package static let disks = APIVersion(rawValue: "2025-01-02")
    package static let galleries = APIVersion(rawValue: "2024-03-03")
    package static let skus = APIVersion(rawValue: "2021-07-01")
    package static let network = APIVersion(rawValue: "2024-05-01")
    package static let resources = APIVersion(rawValue: "2024-11-01")
    package static let subscriptions = APIVersion(rawValue: "2022-12-01")
    package static let locks = APIVersion(rawValue: "2020-05-01")
    package static let permissions = APIVersion(rawValue: "2022-04-01")
    package static let policyRestrictions = APIVersion(rawValue: "2022-03-01")
    /// Vaults as resources.
    package static let keyVaults = APIVersion(rawValue: "2023-07-01")
    /// Their secrets and keys.
    package static let keyVault = APIVersion(rawValue: "7.4")
}
