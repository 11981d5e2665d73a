/// The sizes of rescue VMs: general purpose, with premium storage, in every region.
package struct RescueSize: Hashable, Sendable {
    package var name: String
    /// Azure's limit on its data disks.
    package var dataDisks: Int
    package var cores: Int
    /// As quotas name it.
    package var family: String

    package static let known: [RescueSize] = [
        RescueSize(name: "Standard_D2s_v5", dataDisks: 4, cores: 2, family: "standardDSv5Family"),
        RescueSize(name: "Standard_D4s_v5", dataDisks: 8, cores: 4, family: "standardDSv5Family"),
        RescueSize(name: "Standard_D8s_v5", dataDisks: 16, cores: 8, family: "standardDSv5Family"),
        RescueSize(name: "Standard_D16s_v5", dataDisks: 32, cores: 16, family: "standardDSv5Family"),
    ]

    /// The smallest that takes so many disks; the largest where none does.
    package static func smallest(for disks: Int) -> String {
        (known.first { $0.dataDisks >= disks } ?? known[known.count - 1]).name
    }
}
