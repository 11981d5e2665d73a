package import SalvorDigest

/// What the operator decides about a rescue on Azure.
package struct AzureConfiguration: Sendable {
    /// How a running machine is brought to a stop.
    package enum StopStyle: String, Hashable, Sendable, CaseIterable {
        /// The machine keeps its host and is charged for: the swap needs no more.
        case powerOff
        case deallocate
    }

    /// What the rescue VM starts from.
    package enum RescueImage: Hashable, Sendable {
        /// A fixed VHD on this computer, uploaded once for each region and zone.
        case vhd(path: String, digest: Digest)
        /// An image of the marketplace, into which cloud-init installs the agent.
        case stock(StockImage, agentURL: String, agentSHA256: Digest, unit: String)
    }

    package var subscription: String
    /// Where machines are looked for by their bare names; nil for the whole subscription.
    package var resourceGroup: String?
    package var image: RescueImage?
    /// Resource id of the rescue VM's subnet; nil for the subnet of the first machine that it serves.
    package var subnet: String?
    /// What the operator wants the rescue VM and the copy to be called, where there is one of each; nil for names derived
    /// from run and machine.
    package var rescueVMName: String?
    package var copyDiskName: String?
    /// Size of the rescue VM; nil for the smallest that takes the disks.
    package var size: String?
    /// On everything that is made, beside Salvor's own.
    package var tags: [String: String] = [:]
    package var stopStyle = StopStyle.powerOff
    /// The address by which rescue VMs reach this coordinator.
    package var advertised: String?
    /// Read the keys of machines with Azure Disk Encryption from their key vaults.
    package var unlocksDisks = false
    /// Keys come, or may come, from elsewhere: a file, a person.
    package var hasOtherKeys = false
    /// What vaults' names end with in this cloud.
    package var keyVaultSuffix = AzureEnvironment.publicCloud.keyVaultSuffix
    /// Port of the rescue VM on which its agent waits to be called; nil for agents that call.
    package var listenPort: UInt16?
    /// Requests to attach or detach that come within this time go into one call.
    package var gathering: Duration = .seconds(2)
    /// Copies that one rescue VM gets, and rescue VMs: what preflight counts with.
    package var copiesPerHost = 1
    package var hostCount = 1
    /// How long another process's upload of the rescue image is waited for.
    package var uploadPatience: Duration = .seconds(300)
    package var bootLimit: Duration = .seconds(900)
    package var bootPoll: Duration = .seconds(10)

    package init(subscription: String) { self.subscription = subscription }
}
