internal import SalvorJSON

/// What the emulator says of its subscriptions and of the namespaces in them.
extension Emulator {
    func subscription(_ id: ResourceID) throws(ARMError) -> EmulatorConfiguration.Subscription {
        let found = configuration.subscriptions.first { $0.id.lowercased() == id.subscription.lowercased() }
        guard let found else { throw .subscriptionNotFound(printable(id.subscription)) }
        return found
    }

    func describe(_ subscription: EmulatorConfiguration.Subscription) -> JSONValue {
        [
            "id": .string("/subscriptions/\(subscription.id)"), "subscriptionId": .string(subscription.id),
            "tenantId": .string(configuration.tenant), "displayName": .string(subscription.name), "state": "Enabled",
            "authorizationSource": "RoleBased", "managedByTenants": [],
            "subscriptionPolicies": [
                "locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off",
            ],
        ]
    }

    func describeTenant() -> JSONValue {
        [
            "id": .string("/tenants/\(configuration.tenant)"), "tenantId": .string(configuration.tenant),
            "displayName": "Emulated", "countryCode": "US", "tenantCategory": "Home", "tenantType": "AAD",
            "defaultDomain": "emulated.localhost", "domains": ["emulated.localhost"],
        ]
    }

    func provider(_ namespace: String, _ scope: ResourceID, _ state: EmulatorState) -> JSONValue {
        let types = kinds.values.filter { $0.namespace == namespace }.map(\.type).sorted()
        return [
            "id": .string("\(scope)/providers/\(namespace)"), "namespace": .string(namespace),
            "registrationState": ProviderRegistrations.isRegistered(namespace, in: scope, state)
                ? "Registered" : "NotRegistered", "registrationPolicy": "RegistrationRequired",
            "resourceTypes": .array(
                types.map { type in
                    [
                        "resourceType": .string(String(type.dropFirst(namespace.count + 1))),
                        "locations": .array(Locations.all.map { .string($0.displayName) }),
                        "apiVersions": ["2026-03-02", "2025-04-01", "2024-11-01"],
                    ]
                }),
        ]
    }
}
