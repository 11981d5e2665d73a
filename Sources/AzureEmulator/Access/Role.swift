internal import SalvorJSON

/// What a role allows: operations by name, with `*` for any text.
struct Role: Sendable {
    /// A UUID.
    let id: String
    let name: String
    let description: String
    var actions: [String] = []
    var notActions: [String] = []
    var dataActions: [String] = []
    var notDataActions: [String] = []

    func allows(_ operation: String, isData: Bool) -> Bool {
        let (granted, withheld) = isData ? (dataActions, notDataActions) : (actions, notActions)
        return granted.contains { Self.matches($0, operation) } && !withheld.contains { Self.matches($0, operation) }
    }

    /// Whether a text is of a pattern in which `*` stands for any text, without regard to case.
    static func matches(_ pattern: String, _ text: String) -> Bool {
        let parts = pattern.lowercased().split(separator: "*", omittingEmptySubsequences: false)
        var rest = Substring(text.lowercased())
        guard let first = parts.first, let last = parts.last, rest.hasPrefix(first) else { return false }
        guard parts.count > 1 else { return rest.count == first.count }
        rest = rest.dropFirst(first.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return rest.hasSuffix(last)
    }

    var permissions: JSONValue {
        func list(_ names: [String]) -> JSONValue { .array(names.map { .string($0) }) }
        return [
            "actions": list(actions), "notActions": list(notActions), "dataActions": list(dataActions),
            "notDataActions": list(notDataActions),
        ]
    }

    /// Of Azure's own, with Azure's ids ("Azure built-in roles").
    static let builtIn: [Role] = [
        Role(
            id: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", name: "Owner",
            description:
                "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
            actions: ["*"]),
        Role(
            id: "b24988ac-6180-42a0-ab88-20f7382dd24c", name: "Contributor",
            description:
                "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC, manage "
                + "assignments in Azure Blueprints, or share image galleries.",
            actions: ["*"],
            notActions: [
                "Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write",
                "Microsoft.Authorization/elevateAccess/Action", "Microsoft.Blueprint/blueprintAssignments/write",
                "Microsoft.Blueprint/blueprintAssignments/delete", "Microsoft.Compute/galleries/share/action",
                "Microsoft.Purview/consents/write", "Microsoft.Purview/consents/delete",
                "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
            ]),
        Role(
            id: "acdd72a7-3385-48ef-bd42-f606fba81ae7", name: "Reader",
            description: "View all resources, but does not allow you to make any changes.", actions: ["*/read"]),
        Role(
            id: "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", name: "User Access Administrator",
            description: "Lets you manage user access to Azure resources.",
            actions: ["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"]),
        Role(
            id: "9980e02c-c2be-4d73-94e8-173b1dc7cf3c", name: "Virtual Machine Contributor",
            description:
                "Lets you manage virtual machines, but not access to them, and not the virtual network or storage account "
                + "they're connected to.",
            actions: [
                "Microsoft.Authorization/*/read", "Microsoft.Compute/availabilitySets/*",
                "Microsoft.Compute/locations/*",
                "Microsoft.Compute/virtualMachines/*", "Microsoft.Compute/virtualMachineScaleSets/*",
                "Microsoft.Compute/cloudServices/*", "Microsoft.Compute/disks/write", "Microsoft.Compute/disks/read",
                "Microsoft.Compute/disks/delete", "Microsoft.DevTestLab/schedules/*", "Microsoft.Insights/alertRules/*",
                "Microsoft.Network/applicationGateways/backendAddressPools/join/action",
                "Microsoft.Network/loadBalancers/backendAddressPools/join/action",
                "Microsoft.Network/loadBalancers/inboundNatPools/join/action",
                "Microsoft.Network/loadBalancers/inboundNatRules/join/action",
                "Microsoft.Network/loadBalancers/probes/join/action", "Microsoft.Network/loadBalancers/read",
                "Microsoft.Network/locations/*", "Microsoft.Network/networkInterfaces/*",
                "Microsoft.Network/networkSecurityGroups/join/action", "Microsoft.Network/networkSecurityGroups/read",
                "Microsoft.Network/publicIPAddresses/join/action", "Microsoft.Network/publicIPAddresses/read",
                "Microsoft.Network/virtualNetworks/read", "Microsoft.Network/virtualNetworks/subnets/join/action",
                "Microsoft.RecoveryServices/locations/*", "Microsoft.ResourceHealth/availabilityStatuses/read",
                "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read",
                "Microsoft.SerialConsole/serialPorts/connect/action", "Microsoft.SqlVirtualMachine/*",
                "Microsoft.Storage/storageAccounts/listKeys/action", "Microsoft.Storage/storageAccounts/read",
                "Microsoft.Support/*",
            ]),
        Role(
            id: "00482a5a-887f-4fb3-b363-3b7fe8e74483", name: "Key Vault Administrator",
            description:
                "Perform all data plane operations on a key vault and all objects in it, including certificates, keys, and "
                + "secrets.",
            actions: vaultActions, dataActions: ["Microsoft.KeyVault/vaults/*"]),
        Role(
            id: "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", name: "Key Vault Secrets Officer",
            description: "Perform any action on the secrets of a key vault, except manage permissions.",
            actions: vaultActions, dataActions: ["Microsoft.KeyVault/vaults/secrets/*"]),
        Role(
            id: "4633458b-17de-408a-b874-0445c86b69e6", name: "Key Vault Secrets User",
            description: "Read secret contents.",
            dataActions: [
                "Microsoft.KeyVault/vaults/secrets/getSecret/action",
                "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
            ]),
        Role(
            id: "14b46e9e-c2b7-41b4-b07b-48a6ebf60603", name: "Key Vault Crypto Officer",
            description: "Perform any action on the keys of a key vault, except manage permissions.",
            actions: vaultActions,
            dataActions: ["Microsoft.KeyVault/vaults/keys/*", "Microsoft.KeyVault/vaults/keyrotationpolicies/*"]),
        Role(
            id: "12338af0-0e69-4776-bea7-57ae8d297424", name: "Key Vault Crypto User",
            description: "Perform cryptographic operations using keys.",
            dataActions: [
                "Microsoft.KeyVault/vaults/keys/read", "Microsoft.KeyVault/vaults/keys/update/action",
                "Microsoft.KeyVault/vaults/keys/backup/action", "Microsoft.KeyVault/vaults/keys/encrypt/action",
                "Microsoft.KeyVault/vaults/keys/decrypt/action", "Microsoft.KeyVault/vaults/keys/wrap/action",
                "Microsoft.KeyVault/vaults/keys/unwrap/action", "Microsoft.KeyVault/vaults/keys/sign/action",
                "Microsoft.KeyVault/vaults/keys/verify/action",
            ]),
    ]

    private static let vaultActions = [
        "Microsoft.Authorization/*/read", "Microsoft.Resources/deployments/*",
        "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.KeyVault/checkNameAvailability/read",
        "Microsoft.KeyVault/deletedVaults/read", "Microsoft.KeyVault/locations/*/read",
        "Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/operations/read",
    ]
}

extension EmulatorConfiguration {
    /// Names of the roles that an application can be given from the start.
    package static var builtInRoles: [String] { Role.builtIn.map(\.name) }
}
