import SalvorAzure
import SalvorJSON
import Testing

/// Clouds, by name and by asking.
@Suite struct AzureEnvironmentTests {
    @Test(
        "A cloud is known by its name",
        arguments: [
            ("AzureCloud", "https://management.azure.com", "https://vault.azure.net/.default"),
            ("azureusgovernment", "https://management.usgovcloudapi.net", "https://vault.usgovcloudapi.net/.default"),
            ("AZURECHINACLOUD", "https://management.chinacloudapi.cn", "https://vault.azure.cn/.default"),
        ])
    func names(name: String, endpoint: String, vaults: String) throws {
        let cloud = try AzureEnvironment.named(name)
        #expect(cloud.resourceManager == endpoint)
        #expect(cloud.scope == "\(endpoint)/.default")
        #expect(cloud.keyVaultScope == vaults)
    }

    @Test("A name that there is not is a wrong setting")
    func unknown() {
        #expect(throws: AzureError(.badSetting, "", nextStep: "")) { try AzureEnvironment.named("AzureGermanCloud") }
    }

    @Test("A known endpoint is not asked", arguments: ["https://management.azure.com/", "MANAGEMENT.azure.com"])
    func known(endpoint: String) async throws {
        let silent = SignInService.silent
        #expect(try await AzureEnvironment.at(endpoint, transport: silent) == .publicCloud)
        #expect(silent.requests.isEmpty)
    }

    private static func metadata(_ audiences: [JSONValue]) -> JSONValue {
        [
            "name": "Stack", "resourceManager": "https://management.local.example/",
            "authentication": [
                "loginEndpoint": "https://login.local.example/", "audiences": .array(audiences), "tenant": "adfs",
            ],
            "suffixes": ["keyVaultDns": ".vault.local.example"],
        ]
    }

    @Test(
        "Another says where one signs in to it, and what tokens are for", arguments: [false, true])
    func asked(isList: Bool) async throws {
        let transport = SignInService { (_, _) throws(AzureError) in
            let one = Self.metadata(["https://management.stack/1234"])
            return .json(200, isList ? [["name": "other", "resourceManager": "https://x/"], one] : one)
        }
        let cloud = try await AzureEnvironment.at("https://management.local.example", transport: transport)
        #expect(
            cloud
                == AzureEnvironment(
                    name: "Stack", resourceManager: "https://management.local.example",
                    authority: "https://login.local.example", scope: "https://management.stack/1234/.default",
                    keyVaultSuffix: "vault.local.example"))
        #expect(
            transport.requests.map(\.url)
                == ["https://management.local.example/metadata/endpoints?api-version=2022-09-01"])
    }

    @Test("Its own address is preferred among what tokens can be for")
    func audience() async throws {
        let transport = SignInService { (_, _) throws(AzureError) in
            .json(200, Self.metadata(["https://other/", "https://management.local.example/"]))
        }
        let cloud = try await AzureEnvironment.at("https://management.local.example/", transport: transport)
        #expect(cloud.scope == "https://management.local.example/.default")
    }

    @Test(
        "What describes no cloud is said not to",
        arguments: [(404, "{}"), (200, "<html>"), (200, "{}"), (200, "[]"), (200, #"{"authentication":{}}"#)])
    func nonsense(status: Int, body: String) async {
        let transport = SignInService { (_, _) throws(AzureError) in
            HTTPResponse(status: status, body: Array(body.utf8))
        }
        await #expect(throws: AzureError(.badAnswer, "", nextStep: "")) {
            try await AzureEnvironment.at("https://management.local.example", transport: transport)
        }
    }

    @Test(
        "An address has to be one of HTTPS",
        arguments: ["http://management.azure.com", "", "https://", "ftp://x", "https://user:pass@host", "https://x/?y"])
    func addresses(text: String) async {
        let silent = SignInService.silent
        await #expect(throws: AzureError(.badSetting, "", nextStep: "")) {
            try await AzureEnvironment.at(text, transport: silent)
        }
        #expect(throws: AzureError(.badSetting, "", nextStep: "")) {
            try AzureEnvironment.publicCloud.signingIn(at: text)
        }
    }
}
