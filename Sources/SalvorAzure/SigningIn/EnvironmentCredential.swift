/// An application whose ids and secret, or certificate, the environment names.
enum EnvironmentCredential {
    static let name = "environment"

    /// A secret comes before a certificate where both are set, as with azure-identity.
    static func make(
        _ settings: SignInSettings, transport: any HTTPTransport, clock: AzureClock
    ) throws(CredentialFailure) -> any Credential {
        let secret = settings.variable("AZURE_CLIENT_SECRET")
        let certificate = settings.variable("AZURE_CLIENT_CERTIFICATE_PATH")
        guard let client = settings.variable("AZURE_CLIENT_ID"), let tenant = settings.tenantForApplications,
            secret != nil || certificate != nil
        else { throw .unavailable(missing(settings)) }
        let authority: String
        do throws(AzureError) { authority = try settings.authority() } catch { throw .refused(error) }
        let endpoint = TokenEndpoint(
            authority: authority, tenant: tenant, client: client, transport: transport, clock: clock)
        if let secret { return ClientSecretCredential(endpoint: endpoint, secret: secret) }
        return ClientCertificateCredential(
            endpoint: endpoint, file: certificate ?? "",
            password: settings.variable("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
            sendsChain: settings.variable("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN") != nil)
    }

    private static func missing(_ settings: SignInSettings) -> String {
        let names = [
            "AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH",
        ]
        let present = names.filter { settings.variable($0) != nil }
        if present.isEmpty { return "AZURE_CLIENT_ID and AZURE_CLIENT_SECRET are not set." }
        let absent = ["AZURE_CLIENT_ID", "AZURE_TENANT_ID"].filter { settings.variable($0) == nil }
        let needed =
            absent.isEmpty ? "AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH" : absent.joined(separator: " and ")
        return "\(present.joined(separator: " and ")) set, but not \(needed)."
    }
}
