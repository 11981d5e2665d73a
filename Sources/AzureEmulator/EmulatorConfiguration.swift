package import SalvorDigest

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

    /// An application that may sign in.
    package struct Application: Sendable {
        package var id: String
        package var secretSHA256: Digest

        package init(id: String, secretSHA256: Digest) {
            self.id = id
            self.secretSHA256 = secretSHA256
        }
    }

    package var tenant: String
    package var subscriptions: [Subscription]
    package var applications: [Application]
    package var latencies: Latencies
    /// Whether requests are counted against Azure's limits.
    package var throttles: Bool
    /// For how long something new may still be said to be missing.
    package var replicationLag: Duration

    package init(
        tenant: String, subscriptions: [Subscription], applications: [Application], latencies: Latencies = Latencies(),
        throttles: Bool = true, replicationLag: Duration = .zero
    ) {
        self.tenant = tenant
        self.subscriptions = subscriptions
        self.applications = applications
        self.latencies = latencies
        self.throttles = throttles
        self.replicationLag = replicationLag
    }
}
