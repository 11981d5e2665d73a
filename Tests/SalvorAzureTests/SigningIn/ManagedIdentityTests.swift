import SalvorAzure
import SalvorJSON
import Testing

/// The identity of the machine that Salvor runs on.
@Suite struct ManagedIdentityTests {
    /// A metadata service that is there.
    private static func service(_ answer: @escaping SignInService.Answer) -> SignInService {
        SignInService { (request, number) throws(AzureError) in
            if request.header("metadata") == nil { return .json(400, ["error": "invalid_request"]) }
            return try await answer(request, number)
        }
    }

    private static let answer = HTTPResponse.json(
        200,
        [
            "access_token": "of the machine", "expires_in": "86400", "expires_on": "1721448540", "token_type": "Bearer",
            "resource": "https://management.azure.com",
        ])

    @Test("It is probed for one second, and asked once it has answered")
    func probe() async throws {
        var signIn = SignIn()
        signIn.machine = Self.service { (_, _) throws(AzureError) in Self.answer }
        let cache = try signIn.cache()
        let token = try await cache.token(for: SignIn.scope)
        #expect(token.secret == "of the machine")
        #expect(token.expires == 1_721_448_540)
        #expect(token.refresh == signIn.time.now + 43_200, "A day's token is renewed after half of it")
        _ = try await cache.token(for: "https://vault.azure.net/.default")
        let requests = signIn.machine.requests
        #expect(requests.count == 3, "Probed once")
        #expect(requests[0].timeout == .seconds(1))
        #expect(requests[1].url.hasPrefix("http://169.254.169.254/metadata/identity/oauth2/token?"))
        #expect(requests[1].query == ["api-version": "2018-02-01", "resource": "https://management.azure.com"])
        #expect(requests[2].query["resource"] == "https://vault.azure.net")
    }

    @Test("Where nothing answers, the next way is tried at once")
    func outsideOfAzure() async throws {
        let signIn = SignIn()
        let error = try #require(try await signIn.failure())
        #expect(error.message.contains("managed identity: http://169.254.169.254 does not answer"))
        #expect(error.message.contains("Azure CLI: az is not installed"))
        #expect(signIn.machine.requests.count == 1)
        #expect(signIn.time.pauses.isEmpty)
    }

    @Test(
        "It is asked again as its rules have it",
        arguments: [
            (404, [0, 1.6, 3.2, 6.4, 12.8]), (429, [0, 1.6, 3.2, 6.4, 12.8]), (500, [0, 1.6, 3.2, 6.4, 12.8]),
            (410, [0, 5, 10, 20, 40]), (400, []), (403, []),
        ] as [(Int, [Double])])
    func repeats(status: Int, pauses: [Double]) async throws {
        var signIn = SignIn()
        signIn.machine = Self.service { (_, _) throws(AzureError) in .json(status, ["error": "no"]) }
        let error = try #require(try await signIn.failure())
        #expect(signIn.time.pauses == pauses.map { .milliseconds(Int($0 * 1000)) })
        // Only that there is no such identity lets the next way be tried.
        #expect(error.message.contains("Azure CLI") == (status == 400), "\(error)")
    }

    @Test("It may come back while it is asked")
    func comesBack() async throws {
        var signIn = SignIn()
        signIn.machine = Self.service { (_, number) throws(AzureError) in
            number < 4 ? .json(410, ["error": "updating"]) : Self.answer
        }
        #expect(try await signIn.token().secret == "of the machine")
        #expect(signIn.time.pauses == [.zero, .seconds(5)])
    }

    @Test(
        "What is not Azure's service is passed over",
        arguments: [
            (200, "<html>Sign in to the hotel's network"), (403, #"{"error":"host is unreachable"}"#), (401, ""),
        ])
    func impostor(status: Int, body: String) async throws {
        var signIn = SignIn()
        signIn.machine = SignInService { (_, _) throws(AzureError) in
            HTTPResponse(status: status, body: Array(body.utf8))
        }
        let error = try #require(try await signIn.failure())
        #expect(error.message.contains("is not Azure's metadata service"), "\(error)")
        #expect(error.message.contains("Azure CLI"))
    }

    @Test("An assigned identity is named by the option before the environment")
    func assigned() async throws {
        var signIn = SignIn(variables: ["AZURE_CLIENT_ID": "of-the-environment"])
        signIn.machine = Self.service { (_, _) throws(AzureError) in Self.answer }
        _ = try await signIn.token()
        #expect(signIn.machine.requests.last?.query["client_id"] == "of-the-environment")
        signIn.managedIdentityClient = "of the/option"
        _ = try await signIn.token()
        #expect(signIn.machine.requests.last?.query["client_id"] == "of the/option")
    }

    @Test("An app's endpoint is asked with its header, and is not passed over when it refuses")
    func app() async throws {
        var signIn = SignIn(variables: [
            "IDENTITY_ENDPOINT": "http://127.0.0.1:41000/msi/token", "IDENTITY_HEADER": SignIn.secret,
            "AZURE_CLIENT_ID": "one",
        ])
        signIn.machine = SignInService { (_, _) throws(AzureError) in Self.answer }
        #expect(try await signIn.token().secret == "of the machine")
        let request = try #require(signIn.machine.requests.first)
        #expect(signIn.machine.requests.count == 1, "Not probed")
        #expect(request.url.hasPrefix("http://127.0.0.1:41000/msi/token?"))
        #expect(request.header("x-identity-header") == SignIn.secret)
        #expect(
            request.query == [
                "api-version": "2019-08-01", "resource": "https://management.azure.com", "client_id": "one",
            ])
        signIn.machine = SignInService { (_, _) throws(AzureError) in
            .json(401, ["statusCode": 401, "message": .string("\(SignIn.secret) is wrong")])
        }
        let error = try #require(try await signIn.failure())
        #expect(error.message.contains("By managed identity: The identity endpoint gave no token: (secret) is wrong"))
        #expect(!"\(error)".contains(SignIn.secret))
    }

    @Test(
        "Kinds of identity that are not supported are said, and passed over",
        arguments: [
            ["IDENTITY_ENDPOINT": "http://localhost", "IMDS_ENDPOINT": "http://localhost"],
            ["IDENTITY_ENDPOINT": "http://localhost", "IDENTITY_HEADER": "x", "IDENTITY_SERVER_THUMBPRINT": "y"],
        ])
    func others(variables: [String: String]) async throws {
        let error = try #require(try await SignIn(variables: variables).failure())
        #expect(error.message.contains("not support"))
        #expect(error.message.contains("Azure CLI"))
    }
}
