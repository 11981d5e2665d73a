import SalvorAzure
import Synchronization
import Testing

/// The order of the ways of signing in, and where it stops.
@Suite struct CredentialChainTests {
    private static let cliAnswer = AzureCLI { _ in
        .ended(0, output: Array(#"{"accessToken":"of the CLI","expires_on":1721365740}"#.utf8), complaint: [])
    }
    private static var identity: SignInService {
        SignInService { (_, _) throws(AzureError) in .token("of the machine") }
    }

    @Test("The first that is set up is used", arguments: ["secret", "federated", "machine", "CLI"])
    func order(expected: String) async throws {
        let folder = try SignInFolder()
        var signIn = SignIn(cli: Self.cliAnswer)
        signIn.service = SignInService { (request, _) throws(AzureError) in
            .token(request.form["client_secret"] == nil ? "of the federated" : "of the secret")
        }
        if expected != "CLI" { signIn.machine = Self.identity }
        if ["secret", "federated"].contains(expected) {
            signIn.variables = SignIn.withSecret
            signIn.variables["AZURE_FEDERATED_TOKEN_FILE"] = try folder.write("token", Array("token".utf8))
        }
        if expected == "federated" { signIn.variables["AZURE_CLIENT_SECRET"] = nil }
        #expect(try await signIn.token().secret == "of the \(expected)")
    }

    @Test("What is set up and refused is not hidden behind another account")
    func stops() async throws {
        var signIn = SignIn(variables: SignIn.withSecret, machine: Self.identity, cli: Self.cliAnswer)
        signIn.service = SignInService { (_, _) throws(AzureError) in .refusal(7_000_215) }
        #expect(try await signIn.failure()?.refusal?.code == "AADSTS7000215")
        #expect(signIn.machine.requests.isEmpty)
    }

    @Test("What could not be reached stays what it is, so that a step can be tried again")
    func unreachable() async throws {
        let signIn = SignIn(variables: SignIn.withSecret, cli: Self.cliAnswer)
        let error = try #require(try await signIn.failure())
        #expect(error.code == .unreachable)
        #expect(error.message.contains("By environment (client secret): "))
    }

    @Test("Where none is set up, what each said is said")
    func none() async throws {
        let error = try #require(try await SignIn().failure())
        #expect(error.code == .notSignedIn)
        let names = ["environment: ", "workload identity: ", "managed identity: ", "Azure CLI: "]
        var rest = error.message[...]
        for name in names {
            let found = try #require(rest.firstRange(of: name), "\(name) in \(error.message)")
            rest = rest[found.upperBound...]
        }
        #expect(error.nextStep.contains("az login"))
    }

    @Test("The one that has worked is asked alone from then on")
    func remembers() async throws {
        let calls = Mutex(0)
        let signIn = SignIn(
            cli: AzureCLI { _ in
                let number = calls.withLock { calls in
                    calls += 1
                    return calls
                }
                return number == 1
                    ? .ended(0, output: Array(#"{"accessToken":"one","expires_on":1721365740}"#.utf8), complaint: [])
                    : .ended(1, output: [], complaint: Array("ERROR: Please run 'az login'".utf8))
            })
        let cache = try signIn.cache()
        #expect(await cache.signedInBy == "signing in")
        _ = try await cache.token(for: SignIn.scope)
        #expect(await cache.signedInBy == "Azure CLI")
        #expect(signIn.machine.requests.count == 1)
        let error = await #expect(throws: AzureError.self) {
            try await cache.token(for: "https://vault.azure.net/.default")
        }
        #expect(error?.message.contains("Signing in by Azure CLI worked before, and no longer does") == true)
        #expect(signIn.machine.requests.count == 1)
    }

    @Test(
        "AZURE_TOKEN_CREDENTIALS narrows the choice",
        arguments: [
            ("prod", ["environment", "workload identity", "managed identity"]), ("dev", ["Azure CLI"]),
            ("AzureCliCredential", ["Azure CLI"]), ("environmentcredential", ["environment"]),
            ("WorkloadIdentityCredential", ["workload identity"]), ("ManagedIdentityCredential", ["managed identity"]),
        ])
    func narrowed(value: String, expected: [String]) async throws {
        let error = try #require(try await SignIn(variables: ["AZURE_TOKEN_CREDENTIALS": value]).failure())
        for name in ["environment", "workload identity", "managed identity", "Azure CLI"] {
            #expect(error.message.contains("\(name): ") == expected.contains(name), "\(name) in \(error.message)")
        }
    }

    @Test("A choice that there is not is a wrong setting")
    func unknownChoice() async throws {
        #expect(try await SignIn(variables: ["AZURE_TOKEN_CREDENTIALS": "broker"]).failure()?.code == .badSetting)
    }
}
