import SalvorAzure
import SalvorJSON
import Testing

/// Nothing secret is in what may be printed.
@Suite struct SecrecyTests {
    private static func everything(_ value: some Any) -> String {
        var text = "\(value) \(String(reflecting: value)) "
        dump(value, to: &text)
        return text
    }

    @Test("A token shows when it ends, and no more")
    func token() async throws {
        var signIn = SignIn(variables: SignIn.withSecret)
        signIn.service = SignInService { (_, _) throws(AzureError) in .token(SignIn.secret) }
        let token = try await signIn.token()
        #expect(!Self.everything(token).contains(SignIn.secret))
        #expect(Self.everything([SignIn.scope: token]).contains("token until"))
    }

    @Test("What keeps a secret does not show it")
    func holders() async throws {
        let folder = try SignInFolder()
        var signIn = SignIn(variables: SignIn.withSecret)
        signIn.service = SignInService { (_, _) throws(AzureError) in .token(SignIn.secret) }
        let cache = try signIn.cache()
        _ = try await cache.token(for: SignIn.scope)
        #expect(!Self.everything(cache).contains(SignIn.secret))
        let settings = SignInSettings(cloud: .publicCloud, variables: SignIn.withSecret)
        #expect(!Self.everything(settings).contains(SignIn.secret))
        #expect(Self.everything(settings).contains("AzureCloud"))

        signIn.variables = [
            "AZURE_TENANT_ID": SignIn.tenant, "AZURE_CLIENT_ID": SignIn.client,
            "AZURE_CLIENT_CERTIFICATE_PATH": try folder.write("pem", try CertificateFile().pem),
            "AZURE_CLIENT_CERTIFICATE_PASSWORD": SignIn.secret,
        ]
        #expect(!Self.everything(try signIn.cache()).contains(SignIn.secret))
        signIn.variables = ["IDENTITY_ENDPOINT": "http://localhost", "IDENTITY_HEADER": SignIn.secret]
        #expect(!Self.everything(try signIn.cache()).contains(SignIn.secret))
    }

    @Test(
        "A service that sends secrets back does not get them shown",
        arguments: ["in the text", "as a member", "as a token", "over many lines"])
    func echoes(how: String) async throws {
        let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.\(SignIn.secret)"
        let text =
            switch how {
            case "in the text": "AADSTS50027: '\(SignIn.secret)' is wrong: \(SignIn.secret)"
            case "as a member": #"AADSTS50027: {"access_token" : "\#(token)"}"#
            case "as a token": "AADSTS50027: Bearer \(token)."
            default: "AADSTS50027: no\u{1B}[2J\r\n\(SignIn.secret)\n\(token)"
            }
        var signIn = SignIn(variables: SignIn.withSecret)
        signIn.service = SignInService { (_, _) throws(AzureError) in
            .json(400, ["error": "invalid_request", "error_description": .string(text)])
        }
        let error = try #require(try await signIn.failure())
        let shown = Self.everything(error)
        #expect(shown.contains("AADSTS50027"))
        #expect(!shown.contains(SignIn.secret))
        #expect(!shown.contains("eyJ"))
        #expect(!shown.contains("\u{1B}"))
    }
}
