/// Tokens, kept for as long as they are good: one for each scope, fetched once for however many wait for it, and renewed
/// before it ends.
package actor TokenCache: TokenSource {
    private typealias Outcome = Result<AccessToken, AzureError>

    private struct Fetch {
        let task: Task<Void, Never>
        var waiting: [Int: AsyncStream<Outcome>.Continuation] = [:]
    }

    private struct Entry {
        var token: AccessToken?
        var fetch: Fetch?
        /// While a token is good, a failed renewal is not tried again before.
        var nextRenewal: Int64 = 0
    }

    /// A token that ends sooner is not handed out: a call may take as long.
    private static let leastSeconds: Int64 = 60
    private static let renewalSeconds: Int64 = 300
    private static let pauseAfterFailure: Int64 = 30

    private let credential: any Credential
    private let clock: AzureClock
    private var entries: [String: Entry] = [:]
    private var lastNumber = 0

    init(_ credential: any Credential, clock: AzureClock) {
        self.credential = credential
        self.clock = clock
    }

    /// The default chain.
    /// - Parameters:
    ///   - transport: to sign-in endpoints.
    ///   - machine: to the machine's own services, which no proxy reaches.
    package init(
        _ settings: SignInSettings, transport: any HTTPTransport, machine: any HTTPTransport, cli: AzureCLI? = nil,
        clock: AzureClock = .system
    ) throws(AzureError) {
        self.init(
            try CredentialChain.standard(
                settings, transport: transport, machine: machine, cli: cli ?? .installed(settings.variables),
                clock: clock),
            clock: clock)
    }

    /// The way of signing in that has worked, for messages and the report.
    package var signedInBy: String { credential.name }

    package func token(for scope: String) async throws(AzureError) -> AccessToken {
        let now = clock.seconds()
        let entry = entries[scope] ?? Entry()
        if let token = entry.token, token.expires - now > Self.leastSeconds {
            let isDue = now >= (token.refresh ?? token.expires - Self.renewalSeconds) && now >= entry.nextRenewal
            if !isDue { return token }
            do throws(AzureError) {
                return try await fetched(scope)
            } catch {
                // It is good for some time yet, in which the sign-in service may come back.
                if error.code == .cancelled { throw error }
                entries[scope]?.nextRenewal = clock.seconds() + Self.pauseAfterFailure
                guard let kept = entries[scope]?.token, kept.expires - clock.seconds() > Self.leastSeconds else {
                    throw error
                }
                return kept
            }
        }
        return try await fetched(scope)
    }

    package func forget(_ token: AccessToken) {
        for scope in entries.keys where entries[scope]?.token?.secret == token.secret { entries[scope]?.token = nil }
    }

    private func fetched(_ scope: String) async throws(AzureError) -> AccessToken {
        lastNumber += 1
        let number = lastNumber
        let (outcomes, waiting) = AsyncStream<Outcome>.makeStream()
        if entries[scope]?.fetch == nil {
            entries[scope, default: Entry()].fetch = Fetch(
                task: Task { self.end(scope, await self.fetch(scope)) })
        }
        entries[scope]?.fetch?.waiting[number] = waiting
        for await outcome in outcomes { return try outcome.get() }
        // Cancelled: the stream ends without an outcome.
        leave(scope, number)
        throw AzureError(.cancelled, "Signing in was interrupted.", nextStep: "Resume the run.")
    }

    private nonisolated func fetch(_ scope: String) async -> Outcome {
        do throws(CredentialFailure) {
            return .success(try await credential.token(for: scope))
        } catch {
            switch error {
            case .refused(let error): return .failure(error)
            case .unavailable(let why):
                return .failure(
                    AzureError(
                        .notSignedIn, "By \(credential.name): \(why)", nextStep: "Sign in in another way."))
            }
        }
    }

    private func end(_ scope: String, _ outcome: Outcome) {
        // Nobody has waited to its end, and another may have begun.
        if Task.isCancelled { return }
        if case .success(let token) = outcome {
            entries[scope]?.token = token
            entries[scope]?.nextRenewal = 0
        }
        let waiting = entries[scope]?.fetch?.waiting.values.map(\.self) ?? []
        entries[scope]?.fetch = nil
        for one in waiting {
            one.yield(outcome)
            one.finish()
        }
    }

    /// The last to leave puts out the light.
    private func leave(_ scope: String, _ number: Int) {
        guard entries[scope]?.fetch?.waiting.removeValue(forKey: number) != nil,
            entries[scope]?.fetch?.waiting.isEmpty == true
        else { return }
        entries[scope]?.fetch?.task.cancel()
        entries[scope]?.fetch = nil
    }
}
