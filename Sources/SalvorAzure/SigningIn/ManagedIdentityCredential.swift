/// The identity of the machine that Salvor runs on, as Azure's metadata service gives out its tokens.
struct ManagedIdentityCredential: Credential {
    let service: any IdentityService

    var name: String { "managed identity" }

    /// - Parameter transport: through no proxy: the service is the machine's own.
    static func make(
        _ settings: SignInSettings, transport: any HTTPTransport, clock: AzureClock
    ) throws(CredentialFailure) -> ManagedIdentityCredential {
        let client = settings.managedIdentityClient ?? settings.variable("AZURE_CLIENT_ID")
        let caller = IdentityCaller(client: client, transport: transport, clock: clock)
        guard let endpoint = settings.variable("IDENTITY_ENDPOINT") else {
            let host = settings.variable("AZURE_POD_IDENTITY_AUTHORITY_HOST")
            return ManagedIdentityCredential(
                service: MetadataIdentityService(
                    caller: caller, address: host.map(Self.withoutSlash) ?? MetadataIdentityService.azure,
                    probes: host == nil))
        }
        guard let header = settings.variable("IDENTITY_HEADER") else {
            // Azure Arc's way: the proof lies in a file that only its group can read.
            throw .unavailable("IDENTITY_ENDPOINT is set without IDENTITY_HEADER, which Salvor does not support.")
        }
        guard settings.variable("IDENTITY_SERVER_THUMBPRINT") == nil else {
            throw .unavailable("the identity of a Service Fabric cluster is not supported.")
        }
        return ManagedIdentityCredential(
            service: AppIdentityService(caller: caller, address: endpoint, header: header))
    }

    private static func withoutSlash(_ text: String) -> String {
        var text = text
        while text.hasSuffix("/") { text.removeLast() }
        return text
    }

    func token(for scope: String) async throws(CredentialFailure) -> AccessToken {
        try await service.token(for: TokenScope.resource(of: scope))
    }
}

/// A place on the machine that gives out its identity's tokens.
protocol IdentityService: Sendable {
    func token(for resource: String) async throws(CredentialFailure) -> AccessToken
}

/// What both kinds of service have in common.
struct IdentityCaller: Sendable {
    /// Of an identity that is assigned to the machine; nil for its own.
    let client: String?
    let transport: any HTTPTransport
    let clock: AzureClock

    /// Pauses before the second try and those after it, as azure-identity has them.
    static let pauses: [Duration] = [
        .zero, .milliseconds(1600), .milliseconds(3200), .milliseconds(6400), .milliseconds(12_800),
    ]
    /// While the service is updated it answers 410, for up to 70 seconds.
    static let longPauses: [Duration] = [.zero, .seconds(5), .seconds(10), .seconds(20), .seconds(40)]

    /// One answer, after as many tries as the service's rules ask for.
    func ask(
        _ address: String, resource: String, version: String, header: HTTPField,
        repeats: (Int) -> Bool
    ) async throws(AzureError) -> HTTPResponse {
        var url = "\(address)?api-version=\(version)&resource=\(PercentEncoding.encode(resource, keeping: ""))"
        if let client { url += "&client_id=\(PercentEncoding.encode(client, keeping: ""))" }
        let request = HTTPRequest("GET", url, headers: [header], timeout: .seconds(10))
        var tries = 0
        while true {
            let response = try await transport.send(request)
            guard repeats(response.status), tries < Self.pauses.count else { return response }
            try await clock.rest((response.status == 410 ? Self.longPauses : Self.pauses)[tries])
            tries += 1
        }
    }

    /// What an answer of either kind says.
    func token(_ response: HTTPResponse) -> AccessToken? {
        guard response.status == 200 else { return nil }
        return TokenAnswer.token(response.body, now: clock.seconds(), halvesLongOnes: true)
    }
}
