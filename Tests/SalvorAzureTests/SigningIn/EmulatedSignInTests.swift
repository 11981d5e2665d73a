import AzureEmulator
import SalvorAzure
import SalvorJSON
import Testing

/// Every way of signing in, by HTTPS, against an emulator.
@Suite struct EmulatedSignInTests {
    private static func cache(
        _ azure: RunningAzure, _ variables: [String: String], clock: AzureClock = .system, tenant: String? = nil
    ) async throws -> TokenCache {
        let cloud = try await AzureEnvironment.at(azure.endpoint, transport: azure.connections)
        return try TokenCache(
            SignInSettings(cloud: cloud, variables: variables, tenant: tenant), transport: azure.connections,
            machine: azure.connections, cli: AzureCLI { _ in .missing }, clock: clock)
    }

    private static let application = ["AZURE_TENANT_ID": RunningAzure.tenant, "AZURE_CLIENT_ID": RunningAzure.client]

    /// Lists subscriptions by the REST client that will use the tokens.
    private static func subscriptions(_ azure: RunningAzure, _ cache: TokenCache) async throws -> [JSONValue] {
        let cloud = try await AzureEnvironment.at(azure.endpoint, transport: azure.connections)
        let client = ARMClient(
            endpoint: cloud.resourceManager, scope: cloud.scope, transport: azure.connections, tokens: cache)
        return try await client.list("/subscriptions", .subscriptions)
    }

    @Test("By a secret")
    func secret() async throws {
        try await RunningAzure.run { azure in
            let cache = try await Self.cache(
                azure, Self.application.merging(["AZURE_CLIENT_SECRET": RunningAzure.secret]) { $1 })
            #expect(try await Self.subscriptions(azure, cache).count == 1)
            #expect(await cache.signedInBy == "environment (client secret)")
        }
    }

    @Test("By a certificate", arguments: ["pem", "pkcs12", "chain"])
    func certificate(kind: String) async throws {
        let folder = try SignInFolder()
        let own = try CertificateFile()
        var variables = Self.application
        variables["AZURE_CLIENT_CERTIFICATE_PATH"] = try folder.write(
            "file", kind == "pkcs12" ? try own.pkcs12(password: "word") : own.pem)
        variables["AZURE_CLIENT_CERTIFICATE_PASSWORD"] = kind == "pkcs12" ? "word" : nil
        variables["AZURE_CLIENT_SEND_CERTIFICATE_CHAIN"] = kind == "chain" ? "1" : nil
        try await RunningAzure.run(configure: { $0.applications[0].certificates = [own.certificate] }) {
            [variables] azure in
            let cache = try await Self.cache(azure, variables)
            #expect(try await Self.subscriptions(azure, cache).count == 1)
        }
    }

    @Test("By a certificate that is not registered: refused, with what to do")
    func otherCertificate() async throws {
        let folder = try SignInFolder()
        let file = try folder.write("file", try CertificateFile().pem)
        try await RunningAzure.run { azure in
            let cache = try await Self.cache(
                azure, Self.application.merging(["AZURE_CLIENT_CERTIFICATE_PATH": file]) { $1 })
            let error = await #expect(throws: AzureError.self) { try await Self.subscriptions(azure, cache) }
            #expect(error?.refusal?.code == "AADSTS700027")
            #expect(error?.nextStep.contains("Register the certificate") == true)
        }
    }

    @Test("By a federated token, and not by one that has ended")
    func federated() async throws {
        let folder = try SignInFolder()
        let key = try CertificateFile().key
        let now = AzureClock.system.seconds()
        func token(until end: Int64) throws -> [UInt8] {
            let text = key.token([
                "iss": "https://issuer/", "sub": "someone", "aud": ["api://AzureADTokenExchange"],
                "iat": .integer(now - 1000), "exp": .integer(end),
            ])
            return Array(try #require(text).utf8)
        }
        let file = try folder.write("token", try token(until: now + 600))
        let ended = try folder.write("ended", try token(until: now - 600))
        let configure = { (configuration: inout EmulatorConfiguration) in
            configuration.applications[0].federated = [
                .init(issuer: "https://issuer/", subject: "someone", keys: [(name: key.thumbprint, key: key)])
            ]
        }
        try await RunningAzure.run(configure: configure) { azure in
            var variables = Self.application
            variables["AZURE_FEDERATED_TOKEN_FILE"] = file
            #expect(try await Self.subscriptions(azure, try await Self.cache(azure, variables)).count == 1)
            variables["AZURE_FEDERATED_TOKEN_FILE"] = ended
            let cache = try await Self.cache(azure, variables)
            let error = await #expect(throws: AzureError.self) { try await Self.subscriptions(azure, cache) }
            #expect(error?.refusal?.code == "AADSTS700024")
            #expect(error?.nextStep.contains("clock") == true)
        }
    }

    @Test("By the machine's identity, at both kinds of service", arguments: [false, true])
    func managedIdentity(isApp: Bool) async throws {
        try await RunningAzure.run { azure in
            let variables =
                isApp
                ? [
                    "IDENTITY_ENDPOINT": "\(azure.metadata)/MSI/token",
                    "IDENTITY_HEADER": RunningAzure.identityHeader,
                ] : ["AZURE_POD_IDENTITY_AUTHORITY_HOST": "\(azure.metadata)/"]
            let cache = try await Self.cache(azure, variables)
            #expect(try await Self.subscriptions(azure, cache).count == 1)
            #expect(await cache.signedInBy == "managed identity")

            let assigned = try await Self.cache(
                azure, variables.merging(["AZURE_CLIENT_ID": RunningAzure.identityClient]) { $1 })
            #expect(try await Self.subscriptions(azure, assigned).count == 1)
            let other = try await Self.cache(azure, variables.merging(["AZURE_CLIENT_ID": "another"]) { $1 })
            let error = await #expect(throws: AzureError.self) { try await Self.subscriptions(azure, other) }
            #expect("\(error as (any Error)?)".contains("another"))
        }
    }

    @Test("By a wrong secret, a wrong application, a wrong tenant: refused, each with what to do")
    func wrong() async throws {
        try await RunningAzure.run { azure in
            let right = Self.application.merging(["AZURE_CLIENT_SECRET": RunningAzure.secret]) { $1 }
            let cases = [
                ("AZURE_CLIENT_SECRET", "wrong", "AADSTS7000215", "secret's value"),
                ("AZURE_CLIENT_ID", "another", "AADSTS700016", "not in that tenant"),
                ("AZURE_TENANT_ID", "another", "AADSTS90002", "AZURE_TENANT_ID (another)"),
            ]
            for (name, value, code, advice) in cases {
                let cache = try await Self.cache(azure, right.merging([name: value]) { $1 })
                let error = await #expect(throws: AzureError.self) { try await Self.subscriptions(azure, cache) }
                #expect(error?.refusal?.code == code)
                #expect(error?.nextStep.contains(advice) == true, "\(error as (any Error)?)")
                #expect(!"\(error as (any Error)?)".contains(RunningAzure.secret))
            }
        }
    }

    @Test("A token that has ended on Azure's side is replaced within the call that finds out")
    func ended() async throws {
        let start = EmulatorTime(milliseconds: 1_721_362_140_000)
        let emulated = ManualClock(start)
        try await RunningAzure.run(clock: emulated) { azure in
            // Our own time stands still: to us the first token stays good.
            let time = SignInTime()
            let service = SignInService { (request, _) throws(AzureError) in try await azure.connections.send(request) }
            let cloud = try await AzureEnvironment.at(azure.endpoint, transport: azure.connections)
            let cache = try TokenCache(
                SignInSettings(
                    cloud: cloud,
                    variables: Self.application.merging(["AZURE_CLIENT_SECRET": RunningAzure.secret]) { $1 }),
                transport: service, machine: SignInService.silent, clock: time.clock)
            let before = try await cache.token(for: cloud.scope)
            #expect(before.expires == time.now + 3600)
            _ = emulated.advance(by: .seconds(3601))
            #expect(try await Self.subscriptions(azure, cache).count == 1)
            #expect(service.requests.count == 2)
        }
    }
}
