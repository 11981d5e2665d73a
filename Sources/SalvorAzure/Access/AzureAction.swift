/// An operation that Salvor has Azure do, as roles name it. `Coordinator/azure/*role.json` are made of these and of nothing
/// else; a test holds them together.
package struct AzureAction: Hashable, Sendable {
    /// Where it is done, and so where a role must be assigned that allows it.
    package enum Place: Hashable, Sendable {
        /// The groups of the machines, whose copies are made beside them.
        case machine
        /// The rescue group, which is made for a run, so that the subscription is where a role is assigned.
        case rescueGroup
        /// The group of the network that rescue VMs join.
        case subnet
        /// The key vaults of encrypted machines.
        case vault
    }

    package var name: String
    package var place: Place
    /// Done to the data of a resource, not to the resource: `DataActions` of a role.
    package var isData = false

    private init(_ name: String, _ place: Place, isData: Bool = false) {
        self.name = name
        self.place = place
        self.isData = isData
    }

    /// Whether a rescue that is planned so does it.
    func isNeeded(with settings: RescueSettings) -> Bool {
        switch name {
        case "Microsoft.Compute/virtualMachines/deallocate/action": settings.deallocates
        case "Microsoft.Compute/virtualMachines/powerOff/action": !settings.deallocates
        default: true
        }
    }
}

extension AzureAction {
    /// What `salvor discover` does, and what every command does first.
    package static let discover: [AzureAction] = [
        AzureAction("Microsoft.Compute/virtualMachines/read", .machine),
        AzureAction("Microsoft.Compute/virtualMachines/instanceView/read", .machine),
        AzureAction("Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action", .machine),
        AzureAction("Microsoft.Compute/disks/read", .machine),
    ]

    /// What a rescue does: the above, preflight, and changes.
    package static let rescue: [AzureAction] =
        discover + [
            // Preflight.
            AzureAction("Microsoft.Authorization/locks/read", .rescueGroup),
            AzureAction("Microsoft.Authorization/permissions/read", .machine),
            AzureAction("Microsoft.PolicyInsights/checkPolicyRestrictions/read", .machine),
            AzureAction("Microsoft.Compute/skus/read", .rescueGroup),
            AzureAction("Microsoft.Compute/locations/usages/read", .rescueGroup),
            AzureAction("Microsoft.Compute/diskEncryptionSets/read", .machine),
            AzureAction("Microsoft.Resources/subscriptions/resourceGroups/read", .machine),
            AzureAction("Microsoft.Network/networkInterfaces/read", .machine),
            // The machine.
            AzureAction("Microsoft.Compute/virtualMachines/powerOff/action", .machine),
            AzureAction("Microsoft.Compute/virtualMachines/deallocate/action", .machine),
            AzureAction("Microsoft.Compute/virtualMachines/write", .machine),
            AzureAction("Microsoft.Compute/virtualMachines/start/action", .machine),
            // Its copy. Azure demands beginGetAccess on the source of a copy.
            AzureAction("Microsoft.Compute/disks/write", .machine),
            AzureAction("Microsoft.Compute/disks/delete", .machine),
            AzureAction("Microsoft.Compute/disks/beginGetAccess/action", .machine),
            // The rescue image.
            AzureAction("Microsoft.Compute/disks/endGetAccess/action", .rescueGroup),
            AzureAction("Microsoft.Compute/images/read", .rescueGroup),
            AzureAction("Microsoft.Compute/images/write", .rescueGroup),
            AzureAction("Microsoft.Compute/images/delete", .rescueGroup),
            // The rescue VM and its group.
            AzureAction("Microsoft.Resources/subscriptions/resourceGroups/write", .rescueGroup),
            AzureAction("Microsoft.Resources/subscriptions/resourceGroups/delete", .rescueGroup),
            AzureAction("Microsoft.Resources/deployments/read", .rescueGroup),
            AzureAction("Microsoft.Resources/deployments/write", .rescueGroup),
            AzureAction("Microsoft.Resources/deployments/operationStatuses/read", .rescueGroup),
            AzureAction("Microsoft.Resources/deployments/operations/read", .rescueGroup),
            AzureAction("Microsoft.Compute/virtualMachines/attachDetachDataDisks/action", .rescueGroup),
            AzureAction("Microsoft.Compute/virtualMachines/delete", .rescueGroup),
            AzureAction("Microsoft.Network/networkInterfaces/write", .rescueGroup),
            AzureAction("Microsoft.Network/networkInterfaces/join/action", .rescueGroup),
            AzureAction("Microsoft.Network/networkInterfaces/delete", .rescueGroup),
            AzureAction("Microsoft.Network/virtualNetworks/subnets/join/action", .subnet),
            // The state of long-running operations.
            AzureAction("Microsoft.Compute/locations/operations/read", .rescueGroup),
            AzureAction("Microsoft.Compute/locations/diskOperations/read", .rescueGroup),
        ]

    /// What unlocking machines with Azure Disk Encryption takes, in the vaults of their keys.
    package static let unlock: [AzureAction] = [
        AzureAction("Microsoft.KeyVault/vaults/secrets/getSecret/action", .vault, isData: true),
        AzureAction("Microsoft.KeyVault/vaults/keys/unwrap/action", .vault, isData: true),
    ]
}
