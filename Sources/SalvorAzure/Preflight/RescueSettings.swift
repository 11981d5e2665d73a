/// What is planned for the rescue, as far as it decides whether and how it can be done.
package struct RescueSettings: Hashable, Sendable {
    /// Of the rescue VM; nil for the smallest that takes the copies.
    package var size: String?
    /// Copies that one rescue VM gets at most.
    package var copiesPerHost: Int
    /// Rescue VMs at the same time, in one region.
    package var hosts: Int
    /// Put on everything that is made, beside Salvor's own.
    package var tags: [String: String]
    /// Where rescue VMs are put; nil for the subnet of each one's first machine.
    package var subnet: ResourceID?
    /// Deallocate machines instead of powering them off.
    package var deallocates: Bool

    /// The keys of machines with Azure Disk Encryption are read from their vaults.
    package var unlocksDisks: Bool
    /// Keys come, or may come, from elsewhere.
    package var hasOtherKeys: Bool

    package init(
        size: String? = nil, copiesPerHost: Int = 1, hosts: Int = 1, tags: [String: String] = [:],
        subnet: ResourceID? = nil, deallocates: Bool = false, unlocksDisks: Bool = false, hasOtherKeys: Bool = false
    ) {
        self.size = size
        self.copiesPerHost = copiesPerHost
        self.hosts = hosts
        self.tags = tags
        self.subnet = subnet
        self.deallocates = deallocates
        self.unlocksDisks = unlocksDisks
        self.hasOtherKeys = hasOtherKeys
    }

    /// The size that a rescue VM gets.
    package var effectiveSize: String { size ?? RescueSize.smallest(for: copiesPerHost).name }
}

/// Sizes for rescue VMs that every region has, with Premium disks and both generations.
package struct RescueSize: Hashable, Sendable {
    package var name: String
    package var cores: Int
    package var maxDataDisks: Int

    package static let all = [
        RescueSize(name: "Standard_D2s_v5", cores: 2, maxDataDisks: 4),
        RescueSize(name: "Standard_D4s_v5", cores: 4, maxDataDisks: 8),
        RescueSize(name: "Standard_D8s_v5", cores: 8, maxDataDisks: 16),
        RescueSize(name: "Standard_D16s_v5", cores: 16, maxDataDisks: 32),
    ]

    /// The largest where none takes so many.
    package static func smallest(for copies: Int) -> RescueSize {
        all.first { $0.maxDataDisks >= copies } ?? all[all.count - 1]
    }
}
