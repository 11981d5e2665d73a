/// An operation that Salvor has Azure do, as roles name it. `Coordinator/azure/*role.json` are made of these and of nothing
/// else; tests hold them together, and this table to the calls that a rescue makes.
package struct AzureAction: Hashable, Sendable {
    /// Where it is done, and so where a role must be assigned that allows it.
    package enum Place: Hashable, Sendable {
        /// The groups of the machines, whose copies are made beside them.
        case machine
        /// The rescue group, which is made for a run, and the group of rescue images: a role for what is not there yet is
        /// assigned on the subscription.
        case subscription
        /// The group of the network that rescue VMs join.
        case subnet
        /// The key vaults of encrypted machines.
        case vault
    }

    /// Why a role must have it.
    package enum Reason: Hashable, Sendable {
        /// Salvor calls it in every rescue.
        case called
        /// Salvor calls it where machines, settings or mishaps ask for it.
        case mayBeCalled
        /// Azure demands it for a call of another name: what a deployment makes, a disk that a copy is made of.
        case demanded
    }

    package var name: String
    package var place: Place
    package var reason: Reason
    /// Done to the data of a resource, not to the resource: `DataActions` of a role.
    package var isData = false

    private init(_ name: String, _ place: Place, _ reason: Reason = .called, isData: Bool = false) {
        self.name = name
        self.place = place
        self.reason = reason
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
    /// What `salvor discover` does.
    package static let discover: [AzureAction] = [
        AzureAction("Microsoft.Compute/virtualMachines/read", .machine),
        AzureAction("Microsoft.Compute/virtualMachines/instanceView/read", .machine),
        AzureAction("Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action", .machine),
    ]

    /// What a rescue does: the above, preflight, and changes.
    package static let rescue: [AzureAction] =
        discover + [
            // Preflight.
            AzureAction("Microsoft.Compute/disks/read", .machine),
            AzureAction("Microsoft.Network/networkInterfaces/read", .machine),
            AzureAction("Microsoft.Resources/subscriptions/resourceGroups/read", .machine),
            AzureAction("Microsoft.Authorization/permissions/read", .machine),
            AzureAction("Microsoft.PolicyInsights/checkPolicyRestrictions/read", .machine),
            AzureAction("Microsoft.Compute/diskEncryptionSets/read", .machine, .mayBeCalled),
            AzureAction("Microsoft.Authorization/locks/read", .subscription),
            AzureAction("Microsoft.Compute/skus/read", .subscription),
            AzureAction("Microsoft.Compute/locations/usages/read", .subscription),
            // The machine.
            AzureAction("Microsoft.Compute/virtualMachines/powerOff/action", .machine),
            AzureAction("Microsoft.Compute/virtualMachines/deallocate/action", .machine, .mayBeCalled),
            AzureAction("Microsoft.Compute/virtualMachines/write", .machine),
            AzureAction("Microsoft.Compute/virtualMachines/start/action", .machine),
            // Its copy.
            AzureAction("Microsoft.Compute/disks/write", .machine),
            AzureAction("Microsoft.Compute/disks/delete", .machine, .mayBeCalled),
            AzureAction("Microsoft.Compute/disks/beginGetAccess/action", .machine, .demanded),
            // The rescue image, which is uploaded once for each region and zone.
            AzureAction("Microsoft.Compute/disks/endGetAccess/action", .subscription, .mayBeCalled),
            // The rescue VM and its group.
            AzureAction("Microsoft.Resources/deployments/write", .subscription),
            AzureAction("Microsoft.Resources/deployments/read", .subscription),
            AzureAction("Microsoft.Resources/deployments/operationStatuses/read", .subscription),
            AzureAction("Microsoft.Resources/subscriptions/resourceGroups/write", .subscription, .demanded),
            AzureAction("Microsoft.Resources/subscriptions/resourceGroups/delete", .subscription),
            AzureAction("Microsoft.Resources/subscriptions/resources/read", .subscription, .mayBeCalled),
            AzureAction("Microsoft.Compute/virtualMachines/attachDetachDataDisks/action", .subscription),
            AzureAction("Microsoft.Compute/virtualMachines/delete", .subscription, .mayBeCalled),
            AzureAction("Microsoft.Network/networkInterfaces/write", .subscription, .demanded),
            AzureAction("Microsoft.Network/networkInterfaces/join/action", .subscription, .demanded),
            AzureAction("Microsoft.Network/networkInterfaces/delete", .subscription, .demanded),
            AzureAction("Microsoft.Network/virtualNetworks/subnets/join/action", .subnet, .demanded),
            // How far an operation has come.
            AzureAction("Microsoft.Compute/locations/operations/read", .subscription),
            AzureAction("Microsoft.Compute/locations/diskOperations/read", .subscription),
        ]

    /// What unlocking machines with Azure Disk Encryption takes, in the vaults of their keys.
    package static let unlock: [AzureAction] = [
        // Where the vault is, for one whose address is not the cloud's usual.
        AzureAction("Microsoft.KeyVault/vaults/read", .vault, .mayBeCalled),
        AzureAction("Microsoft.KeyVault/vaults/secrets/getSecret/action", .vault, .mayBeCalled, isData: true),
        AzureAction("Microsoft.KeyVault/vaults/keys/unwrap/action", .vault, .mayBeCalled, isData: true),
    ]
}
