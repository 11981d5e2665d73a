import SalvorAzure
import Testing

/// A token of another issuer in the place of a secret.
@Suite struct WorkloadIdentityTests {
    private static func variables(_ file: String) -> [String: String] {
        ["AZURE_TENANT_ID": SignIn.tenant, "AZURE_CLIENT_ID": SignIn.client, "AZURE_FEDERATED_TOKEN_FILE": file]
    }

    @Test("Its file is read again each time")
    func readsAgain() async throws {
        let folder = try SignInFolder()
        let file = try folder.write("token", Array("first\n".utf8))
        var signIn = SignIn(variables: Self.variables(file))
        signIn.service = SignInService { (_, number) throws(AzureError) in .token("token-\(number)") }
        let cache = try signIn.cache()
        _ = try await cache.token(for: SignIn.scope)
        try folder.write("token", Array("second".utf8))
        _ = try await cache.token(for: "https://vault.azure.net/.default")
        #expect(signIn.service.requests.map { $0.form["client_assertion"] } == ["first", "second"])
        #expect(signIn.service.requests.allSatisfy { $0.url.contains("/\(SignIn.tenant)/oauth2/v2.0/token") })
    }

    @Test("A file that is missing or empty ends the search", arguments: [nil, "", " \n"] as [String?])
    func unusable(content: String?) async throws {
        let folder = try SignInFolder()
        if let content { try folder.write("token", Array(content.utf8)) }
        let signIn = SignIn(variables: Self.variables("\(folder.path)/token"))
        let error = try #require(try await signIn.failure())
        #expect(error.code == .badSetting)
        #expect(error.message.contains("By workload identity: The federated token"))
        #expect(signIn.service.requests.isEmpty)
    }

    @Test("Without the ids beside the file, the next way is tried")
    func incomplete() async throws {
        let error = try #require(try await SignIn(variables: ["AZURE_FEDERATED_TOKEN_FILE": "/token"]).failure())
        #expect(error.message.contains("workload identity: AZURE_CLIENT_ID or AZURE_TENANT_ID is not set"))
        #expect(error.message.contains("managed identity: "))
    }

    @Test("An issuer that the application does not trust is a refusal, without the token")
    func untrusted() async throws {
        let folder = try SignInFolder()
        let file = try folder.write("token", Array(SignIn.secret.utf8))
        var signIn = SignIn(variables: Self.variables(file))
        signIn.service = SignInService { (_, _) throws(AzureError) in
            .refusal(700_211, "No matching federated identity record found for presented assertion '\(SignIn.secret)'.")
        }
        let error = try #require(try await signIn.failure())
        #expect(error.nextStep.contains("federated credentials"))
        #expect(error.message.contains("presented assertion '(secret)'"))
    }
}
