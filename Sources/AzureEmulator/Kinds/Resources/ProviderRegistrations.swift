internal import SalvorJSON

/// Which namespaces a subscription uses: all, until it says otherwise.
enum ProviderRegistrations {
    private static func id(_ namespace: String, _ subscription: ResourceID) -> ResourceID {
        ResourceID(
            subscription: subscription.subscription, namespace: "Microsoft.Resources", types: ["registrations"],
            names: [namespace])
    }

    static func isRegistered(_ namespace: String, in subscription: ResourceID, _ state: EmulatorState) -> Bool {
        state[id(namespace, subscription)] == nil
    }

    static func set(
        _ namespace: String, isRegistered: Bool, in subscription: ResourceID, _ state: inout EmulatorState
    ) throws(ARMError) {
        if isRegistered {
            state.remove(id(namespace, subscription))
            return
        }
        let prefix = namespace.lowercased() + "/"
        guard !state.has(in: subscription, where: { $0.id.type.lowercased().hasPrefix(prefix) }) else {
            throw ARMError(
                409, "CannotUnregisterProviderWithResources",
                "Cannot unregister resource provider '\(namespace)' since it still has resources in the subscription.")
        }
        state.put(Record(id: id(namespace, subscription), body: [:]))
    }

    /// - Throws: `MissingSubscriptionRegistration`.
    static func check(_ id: ResourceID, in state: EmulatorState) throws(ARMError) {
        guard let namespace = id.namespace,
            !isRegistered(namespace, in: ResourceID(subscription: id.subscription), state)
        else { return }
        throw ARMError(
            409, "MissingSubscriptionRegistration",
            "The subscription is not registered to use namespace '\(printable(namespace))'. See https://aka.ms/rps-not-found "
                + "for how to register subscriptions.")
    }
}
