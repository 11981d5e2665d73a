/// Where an application signs in by itself: `{authority}/{tenant}/oauth2/v2.0/token`, grant `client_credentials`.
struct TokenEndpoint: Sendable {
    let authority: String
    let tenant: String
    let client: String
    let transport: any HTTPTransport
    let clock: AzureClock

    private static let mostTries = 4

    var address: String { "\(authority)/\(tenant)/oauth2/v2.0/token" }

    /// - Parameter proof: `client_secret`, or `client_assertion` and its type. Secret.
    func token(for scope: String, proof: [(name: String, value: String)]) async throws(AzureError) -> AccessToken {
        let form =
            [("grant_type", "client_credentials"), ("client_id", client), ("scope", scope)]
            + proof.map { ($0.name, $0.value) }
        let request = HTTPRequest(
            "POST", address,
            headers: [
                HTTPField("Content-Type", "application/x-www-form-urlencoded"), HTTPField("Accept", "application/json"),
                HTTPField("User-Agent", "salvor"),
            ],
            body: Array(
                form.map { "\($0.0)=\(PercentEncoding.encode($0.1, keeping: ""))" }.joined(separator: "&").utf8),
            timeout: .seconds(30))
        var tries = 1
        while true {
            let response = try await transport.send(request)
            if response.status == 200 {
                if let token = TokenAnswer.token(response.body, now: clock.seconds()) { return token }
                throw AzureError(
                    .badAnswer, "\(authority) answered without a token.",
                    nextStep: "Check the authority and the proxy settings.")
            }
            let error = EntraFailure.error(response, client: client, tenant: tenant, secrets: proof.map(\.value))
            guard response.status == 429 || response.status >= 500, tries < Self.mostTries else { throw error }
            let wait = response[header: "retry-after"].flatMap { Int64($0) } ?? Int64(1 << tries)
            try await clock.rest(.seconds(min(max(wait, 1), 60)))
            tries += 1
        }
    }
}

extension AzureClock {
    /// Waits, and says so in our words where that is interrupted.
    func rest(_ time: Duration) async throws(AzureError) {
        do {
            try await sleep(time)
        } catch {
            throw AzureError(.cancelled, "Signing in was interrupted.", nextStep: "Resume the run.")
        }
    }
}
