internal import SalvorJSON

/// Facts that machines share, each asked for once.
struct PreflightFacts: Sendable {
    let client: ARMClient
    /// Where keys of encrypted disks are looked for.
    let vaults: KeyVaultClient

    private let sizesByLocation = Once<ResourceID, [SizeOffer]>()
    private let usagesByLocation = Once<ResourceID, [CoreUsage]>()
    private let locksBySubscription = Once<String, [ManagementLock]>()
    private let permissionsByScope = Once<ResourceID, EffectivePermissions>()
    private let groupStates = Once<ResourceID, String?>()
    private let disksByGroup = Once<ResourceID, [ManagedDisk]>()
    private let encryptionSets = Once<ResourceID, JSONValue?>()
    private let subnets = Once<ResourceID, ResourceID?>()
    private let policies = Once<PolicyQuestion, [PolicyRefusal]>()

    init(client: ARMClient, vaults: KeyVaultClient? = nil) {
        self.client = client
        self.vaults = vaults ?? KeyVaultClient(arm: client, suffix: AzureEnvironment.publicCloud.keyVaultSuffix)
    }

    func sizes(in location: String, subscription: String) async throws(AzureError) -> [SizeOffer] {
        let scope = ResourceID.subscription(subscription)
        let key = scope.appending("locations", location)
        return try await sizesByLocation.value(key) { [client] () throws(AzureError) in
            try await client.list(
                "\(scope)/providers/Microsoft.Compute/skus", .skus,
                query: ["$filter": "location eq '\(location.lowercased())'"]
            ).compactMap { SizeOffer($0, location: location) }
        }
    }

    func usages(in location: String, subscription: String) async throws(AzureError) -> [CoreUsage] {
        let scope = ResourceID.subscription(subscription)
        return try await usagesByLocation.value(scope.appending("locations", location)) {
            [client] () throws(AzureError) in
            try await client.list(
                "\(scope)/providers/Microsoft.Compute/locations/\(location)/usages", .compute
            ).compactMap { CoreUsage($0) }
        }
    }

    /// Those of the subscription and of all that is in it.
    func locks(subscription: String) async throws(AzureError) -> [ManagementLock] {
        try await locksBySubscription.value(subscription) { [client] () throws(AzureError) in
            try await client.list(
                "\(ResourceID.subscription(subscription))/providers/Microsoft.Authorization/locks", .locks
            ).compactMap { ManagementLock($0) }
        }
    }

    /// What the caller may do there, from all of its roles.
    func permissions(at scope: ResourceID) async throws(AzureError) -> EffectivePermissions {
        try await permissionsByScope.value(scope) { [client] () throws(AzureError) in
            EffectivePermissions(
                try await client.list("\(scope)/providers/Microsoft.Authorization/permissions", .permissions))
        }
    }

    /// - Returns: `Succeeded`, `Deleting`, …; nil where there is no such group.
    func groupState(_ group: ResourceID) async throws(AzureError) -> String? {
        try await groupStates.value(group) { [client] () throws(AzureError) in
            try await client.find(group.text, .resources)?["properties"]?["provisioningState"]?.string
        }
    }

    func disks(in group: ResourceID) async throws(AzureError) -> [ManagedDisk] {
        try await disksByGroup.value(group) { [client] () throws(AzureError) in
            let disks = try await client.list("\(group)/providers/Microsoft.Compute/disks", .disks)
            return try disks.map { (json) throws(AzureError) in try ManagedDisk(json) }
        }
    }

    /// - Returns: nil where there is no such set.
    func encryptionSet(_ id: ResourceID) async throws(AzureError) -> JSONValue? {
        try await encryptionSets.value(id) { [client] () throws(AzureError) in try await client.find(id.text, .disks) }
    }

    /// Where the rescue VM of a machine would be: nil for a machine without an interface.
    func subnet(for subject: PreflightSubject) async throws(AzureError) -> ResourceID? {
        if let subnet = subject.settings.subnet { return subnet }
        let machine = subject.machine
        guard let interface = machine.networkInterfaces.first else { return nil }
        return try await subnets.value(interface) { [client] () throws(AzureError) in
            try await Inventory(client, subscription: machine.subscription).subnet(of: machine)
        }
    }

    func refusals(_ question: PolicyQuestion) async throws(AzureError) -> [PolicyRefusal] {
        try await policies.value(question) { [client] () throws(AzureError) in
            let answer = try await client.post(
                "\(question.scope)/providers/Microsoft.PolicyInsights/checkPolicyRestrictions", .policyRestrictions,
                question.body, changes: false)
            return PolicyRefusal.all(in: answer ?? [:])
        }
    }
}
