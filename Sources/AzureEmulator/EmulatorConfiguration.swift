/// What an emulator is told when it starts.
package struct EmulatorConfiguration: Sendable {
    package struct Subscription: Sendable {
        package var id: String
        package var name: String

        package init(id: String, name: String) {
            self.id = id
            self.name = name
        }
    }

    package var tenant: String
    package var subscriptions: [Subscription]
    package var applications: [Application]
    /// Nil: the metadata service of this machine gives out no tokens.
    package var hostIdentity: HostIdentity?
    /// What tokens are signed with, and anybody can verify them by; nil for tokens that only the emulator can verify.
    package var signingKey: RSAKey?
    package var latencies: Latencies
    /// Whether requests are counted against Azure's limits.
    package var throttles: Bool
    /// For how long something new may still be said to be missing.
    package var replicationLag: Duration
    /// Which sizes and how many cores machines can have.
    package var offer: ComputeOffer

    package init(
        tenant: String, subscriptions: [Subscription], applications: [Application], hostIdentity: HostIdentity? = nil,
        signingKey: RSAKey? = nil, latencies: Latencies = Latencies(), throttles: Bool = true,
        replicationLag: Duration = .zero, offer: ComputeOffer = ComputeOffer()
    ) {
        self.tenant = tenant
        self.subscriptions = subscriptions
        self.applications = applications
        self.hostIdentity = hostIdentity
        self.signingKey = signingKey
        self.latencies = latencies
        self.throttles = throttles
        self.replicationLag = replicationLag
        self.offer = offer
    }
}
