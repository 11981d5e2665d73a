import SalvorAzure
import SalvorJSON
import Testing

/// An application that the environment names.
@Suite struct EnvironmentCredentialTests {
    @Test("A secret is sent to the tenant's sign-in as a form")
    func secret() async throws {
        var signIn = SignIn(variables: SignIn.withSecret)
        signIn.service = SignInService { (_, _) throws(AzureError) in .token("token-1") }
        let token = try await signIn.token()
        #expect(token.secret == "token-1")
        #expect(token.expires == signIn.time.now + 3600)
        let request = try #require(signIn.service.requests.first)
        #expect(request.method == "POST")
        #expect(request.url == "https://login.microsoftonline.com/\(SignIn.tenant)/oauth2/v2.0/token")
        #expect(request.header("content-type") == "application/x-www-form-urlencoded")
        #expect(
            request.form == [
                "grant_type": "client_credentials", "client_id": SignIn.client, "client_secret": SignIn.secret,
                "scope": SignIn.scope,
            ])
    }

    @Test(
        "The place to sign in is the environment's before the cloud's",
        arguments: [
            (AzureEnvironment.publicCloud, nil, "https://login.microsoftonline.com"),
            (.usGovernment, nil, "https://login.microsoftonline.us"), (.china, nil, "https://login.chinacloudapi.cn"),
            (.publicCloud, "login.microsoftonline.us", "https://login.microsoftonline.us"),
            (.publicCloud, "https://sts.example/", "https://sts.example"),
        ] as [(AzureEnvironment, String?, String)])
    func authority(cloud: AzureEnvironment, variable: String?, expected: String) async throws {
        var signIn = SignIn(variables: SignIn.withSecret, cloud: cloud)
        signIn.variables["AZURE_AUTHORITY_HOST"] = variable
        signIn.service = SignInService { (_, _) throws(AzureError) in .token("token") }
        _ = try await signIn.token()
        #expect(signIn.service.requests.first?.url.hasPrefix("\(expected)/\(SignIn.tenant)/") == true)
    }

    @Test("A secret goes to no place without TLS, and nothing else is tried in its stead")
    func insecureAuthority() async throws {
        var signIn = SignIn(variables: SignIn.withSecret)
        signIn.variables["AZURE_AUTHORITY_HOST"] = "http://user:password@login.example"
        signIn.cli = AzureCLI { _ in
            Issue.record("az was asked")
            return .missing
        }
        let error = try #require(try await signIn.failure())
        #expect(error.code == .badSetting)
        #expect(!"\(error)".contains("password@"))
        #expect(signIn.service.requests.isEmpty)
    }

    @Test(
        "What is missing beside what is set is said",
        arguments: [
            ([], "AZURE_CLIENT_ID and AZURE_CLIENT_SECRET are not set."),
            (["AZURE_CLIENT_ID"], "AZURE_CLIENT_ID set, but not AZURE_TENANT_ID."),
            (
                ["AZURE_CLIENT_ID", "AZURE_TENANT_ID"],
                "AZURE_CLIENT_ID and AZURE_TENANT_ID set, but not AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH."
            ),
            (["AZURE_CLIENT_SECRET"], "AZURE_CLIENT_SECRET set, but not AZURE_CLIENT_ID and AZURE_TENANT_ID."),
        ] as [([String], String)])
    func missing(names: [String], expected: String) async throws {
        var signIn = SignIn()
        for name in names { signIn.variables[name] = SignIn.secret }
        let error = try #require(try await signIn.failure())
        #expect(error.code == .notSignedIn)
        #expect(error.message.contains("environment: \(expected)"), "\(error)")
    }

    @Test(
        "A refusal says what to do about it",
        arguments: [
            (7_000_215, "secret's value"), (7_000_222, "has expired"), (700_016, "not in that tenant"),
            (90_002, "AZURE_TENANT_ID"), (700_027, "Register the certificate"), (700_024, "clock"),
            (70_021, "federated credentials"), (700_213, "federated credentials"), (500_011, "ARM endpoint"),
            (7_000_112, "disabled"), (53_003, "conditional access"), (65_001, "consent"), (90_038, "another cloud"),
            (50_076, "az login"), (7_000_218, "AZURE_CLIENT_SECRET"), (123_456, "AZURE_TENANT_ID"),
        ])
    func advice(number: Int, expected: String) async throws {
        var signIn = SignIn(variables: SignIn.withSecret)
        signIn.service = SignInService { (_, _) throws(AzureError) in .refusal(number) }
        let error = try #require(try await signIn.failure())
        #expect(error.code == .notSignedIn)
        #expect(error.nextStep.contains(expected), "\(error)")
        #expect(
            error.message.contains("By environment (client secret): Signing in was refused: AADSTS\(number): Refused."))
        #expect(error.refusal?.code == "AADSTS\(number)")
        #expect(error.refusal?.requestID == "1f")
        #expect(error.refusal?.correlationID == "2f")
        #expect(signIn.service.requests.count == 1)
    }

    @Test("What is overloaded is asked again when it says, and not for ever")
    func overloaded() async throws {
        var signIn = SignIn(variables: SignIn.withSecret)
        signIn.service = SignInService { (_, number) throws(AzureError) in
            number == 1
                ? .json(429, [:], headers: [HTTPField("Retry-After", "7")])
                : number == 2 ? .json(503, [:]) : .token("token")
        }
        #expect(try await signIn.token().secret == "token")
        #expect(signIn.time.pauses == [.seconds(7), .seconds(4)])

        signIn.service = SignInService { (_, _) throws(AzureError) in .json(503, [:]) }
        let error = try #require(try await signIn.failure())
        #expect(error.code == .unreachable)
        #expect(signIn.service.requests.count == 4)
    }

    @Test(
        "An answer that is no token is said to be none",
        arguments: ["", "<html>", "{}", #"{"access_token":"","expires_in":1}"#, #"{"access_token":"x"}"#, "[]"])
    func nonsense(body: String) async throws {
        var signIn = SignIn(variables: SignIn.withSecret)
        signIn.service = SignInService { (_, _) throws(AzureError) in HTTPResponse(status: 200, body: Array(body.utf8))
        }
        #expect(try await signIn.failure()?.code == .badAnswer)
        signIn.service = SignInService { (_, _) throws(AzureError) in HTTPResponse(status: 400, body: Array(body.utf8))
        }
        #expect(try await signIn.failure()?.code == .notSignedIn)
    }
}
