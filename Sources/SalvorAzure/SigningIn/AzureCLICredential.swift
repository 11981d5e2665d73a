internal import SalvorJSON

/// Whoever has signed in to the Azure CLI.
struct AzureCLICredential: Credential {
    let tenant: String?
    let subscription: String?
    let cli: AzureCLI

    private static let nothing = "the Azure CLI is not signed in: run az login."

    var name: String { "Azure CLI" }

    func token(for scope: String) async throws(CredentialFailure) -> AccessToken {
        var arguments = [
            "account", "get-access-token", "--output", "json", "--resource", TokenScope.resource(of: scope),
        ]
        // az takes one of both.
        if let tenant {
            arguments += ["--tenant", tenant]
        } else if let subscription {
            arguments += ["--subscription", subscription]
        }
        // What is set reaches az as one argument, which must not be an option.
        if [tenant, subscription].contains(where: { $0?.hasPrefix("-") == true }) {
            throw .unavailable("the tenant or subscription that is set begins with a dash.")
        }
        switch await cli.run(arguments) {
        case .missing: throw .unavailable("az is not installed, or not in PATH.")
        case .notStarted: throw .unavailable("az could not be started.")
        case .tooLate: throw .unavailable("az did not answer within \(AzureCLI.limit.components.seconds) s.")
        case .cancelled:
            throw .refused(AzureError(.cancelled, "Signing in was interrupted.", nextStep: "Resume the run."))
        case .ended(0, let output, _): return try token(in: output)
        case .ended(let code, _, let complaint): throw .unavailable(Self.reason(code, complaint))
        }
    }

    /// What it prints has the token in it: it is not quoted.
    private func token(in output: [UInt8]) throws(CredentialFailure) -> AccessToken {
        guard let json = try? JSONValue.parse(output), let secret = json["accessToken"]?.string, !secret.isEmpty else {
            throw .unavailable("az printed no token.")
        }
        // The other member, expiresOn, is in this machine's time zone, and wrong for an hour each autumn.
        guard let expires = TokenAnswer.number(json["expires_on"]) else {
            throw .unavailable("az does not say when its token ends: update it to 2.54.0 or later.")
        }
        return AccessToken(secret: secret, expires: expires)
    }

    private static func reason(_ code: Int32?, _ complaint: [UInt8]) -> String {
        let text = String(decoding: complaint, as: UTF8.self)
        let saysLogin = text.contains("az login") || text.contains("az account set")
        if saysLogin, !text.contains("AADSTS") { return nothing }
        if code == 127 { return "az is not installed, or not in PATH." }
        let shown = Redaction.shown(text.replacing("ERROR: ", with: ""), without: [])
        let end = code.map { "with \($0)" } ?? "by a signal"
        if shown.isEmpty { return "az ended \(end) and said nothing." }
        return saysLogin ? "\(shown) Run az login." : "az ended \(end): \(shown)"
    }
}
