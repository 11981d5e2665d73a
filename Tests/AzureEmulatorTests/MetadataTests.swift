import AzureEmulator
import SalvorJSON
import Testing

/// What a machine is told of itself.
@Suite struct MetadataTests {
    private let azure: TestEmulator
    private let machine: ResourceID

    init() async throws {
        azure = try TestEmulator { $0.hostIdentity = .init(clientID: "44444444-4444-4444-8444-444444444444") }
        machine = try await azure.makeGuest()
    }

    private func ask(
        _ path: String, query: [String: String] = [:], headers: [String: String] = ["metadata": "true"],
        method: String = "GET", body: String = "", ofHost: Bool = false
    ) async -> EmulatorResponse {
        await InstanceMetadata(azure.emulator, machine: ofHost ? nil : machine, identityHeader: ofHost ? "header" : nil)
            .answer(
                EmulatorRequest(
                    method, path, query: ["api-version": "2021-02-01"].merging(query) { $1 }, headers: headers,
                    body: Array(body.utf8), base: "http://169.254.169.254"))
    }

    private static func text(_ response: EmulatorResponse) -> String { String(decoding: response.body, as: UTF8.self) }

    @Test(
        "A machine reads what it is, leaf by leaf",
        arguments: [
            ("compute/name", "guest"), ("compute/location", "westeurope"), ("compute/resourceGroupName", "rg"),
            ("compute/subscriptionId", TestEmulator.subscription), ("compute/userData", "aGVsbG8="),
            ("compute/customData", ""), ("compute/vmSize", "Standard_D2s_v5"), ("compute/osType", "Linux"),
            ("compute/tags", "a:b"), ("compute/tagsList/0/value", "b"),
            ("compute/storageProfile/osDisk/createOption", "Attach"),
            ("network/interface/0/ipv4/subnet/0/prefix", "24"), ("", "compute/\nnetwork/"), ("network/interface", "0/"),
        ])
    func leaves(path: String, value: String) async throws {
        let reply = await ask("/metadata/instance/\(path)", query: ["format": "text"])
        #expect(reply.status == 200)
        #expect(Self.text(reply) == value)
    }

    @Test("And all of it at once, as JSON")
    func document() async throws {
        let reply = await ask("/metadata/instance")
        let json = try JSONValue.parse(reply.body)
        #expect(json[path: "compute.resourceId"]?.string == machine.description)
        #expect(json[path: "compute.vmId"]?.string?.isEmpty == false)
        #expect(json[path: "network.interface"]?.array?.count == 1)
    }

    @Test(
        "Who asks in another form is refused",
        arguments: [
            ("/metadata/instance", [:], [:], 400), ("/metadata/instance", ["metadata": "false"], [:], 400),
            ("/metadata/instance", ["metadata": "true", "x-forwarded-for": "1.2.3.4"], [:], 400),
            ("/metadata/instance", ["metadata": "True"], ["api-version": "1999-01-01"], 400),
            ("/metadata/instance", ["metadata": "true"], ["format": "xml"], 400),
            ("/metadata/instance/compute/name", ["metadata": "true"], [:], 400),
            ("/metadata/instance/compute/nothing", ["metadata": "true"], [:], 404),
            ("/metadata/instance/network/interface/7", ["metadata": "true"], [:], 404),
            ("/metadata/nothing", ["metadata": "true"], [:], 404), ("/nothing", ["metadata": "true"], [:], 404),
            ("/metadata/identity/oauth2/token", [:], ["resource": "https://vault.azure.net"], 400),
            ("/metadata/identity/oauth2/token", ["metadata": "true"], [:], 400),
            ("/metadata/identity/oauth2/token", ["metadata": "true"], ["resource": "https://unknown"], 400),
            (
                "/metadata/identity/oauth2/token", ["metadata": "true"],
                ["resource": "https://vault.azure.net", "client_id": "nobody"], 400
            ),
            (
                "/metadata/identity/oauth2/token", ["metadata": "true"],
                ["resource": "https://vault.azure.net", "api-version": "x"], 400
            ),
        ])
    func refusals(path: String, headers: [String: String], query: [String: String], status: Int) async throws {
        let reply = await ask(path, query: query, headers: headers)
        #expect(reply.status == status)
        #expect(try JSONValue.parse(reply.body)["error"]?.string != nil)
    }

    @Test("Only GET is known", arguments: ["POST", "PUT", "DELETE"])
    func methods(method: String) async throws {
        #expect(await ask("/metadata/instance", method: method).status == 405)
    }

    @Test("Versions are listed")
    func versions() async throws {
        let json = try JSONValue.parse(await ask("/metadata/versions").body)
        #expect(json["apiVersions"]?.array?.contains("2021-02-01") == true)
    }

    @Test("A machine gets tokens for its own identity, and the Resource Manager knows whose they are")
    func identity() async throws {
        let reply = await ask(
            "/metadata/identity/oauth2/token",
            query: ["resource": "https://localhost:8443/", "api-version": "2018-02-01"])
        let json = try JSONValue.parse(reply.body)
        #expect(json["token_type"]?.string == "Bearer", "\(json)")
        #expect(json["expires_in"]?.string == "3600")
        let host = await ask(
            "/metadata/identity/oauth2/token", query: ["resource": "https://localhost:8443/"], ofHost: true)
        let token = try #require(try JSONValue.parse(host.body)["access_token"]?.string)
        #expect(try await azure("GET", "/subscriptions", headers: ["authorization": "Bearer \(token)"]).status == 200)
    }

    @Test(
        "Of several identities the machine's own is the one that goes unnamed",
        arguments: ["", "client_id", "mi_res_id"])
    func userAssigned(by name: String) async throws {
        let path = "resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/extra"
        let made = try await azure("PUT", path, ["location": "westeurope"])
        #expect(made.status == 201)
        let id = "/subscriptions/\(TestEmulator.subscription)/\(path)"
        let given = try await azure(
            "PATCH", "resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/guest",
            ["identity": ["type": "SystemAssigned, UserAssigned", "userAssignedIdentities": .object([id: [:]])]])
        #expect(given.status < 300, "\(given.json)")
        let client = try #require(made.json[path: "properties.clientId"]?.string)
        var query = ["resource": "https://vault.azure.net"]
        if !name.isEmpty { query[name] = name == "client_id" ? client : id }
        let reply = try JSONValue.parse(await ask("/metadata/identity/oauth2/token", query: query).body)
        #expect((reply["client_id"]?.string == client) == !name.isEmpty, "\(reply)")
        #expect(reply["access_token"] != nil)
    }

    @Test(
        "The form of App Service asks for its secret",
        arguments: [
            (["x-identity-header": "header"], "2019-08-01", 200), (["x-identity-header": "other"], "2019-08-01", 401),
            ([:], "2019-08-01", 401), (["x-identity-header": "header"], "2017-09-01", 400),
        ])
    func appService(headers: [String: String], version: String, status: Int) async throws {
        let reply = await ask(
            "/msi/token", query: ["resource": "https://vault.azure.net", "api-version": version], headers: headers,
            ofHost: true)
        #expect(reply.status == status)
        if status == 200 { #expect(try JSONValue.parse(reply.body)["expires_on"]?.string != nil) }
    }

    @Test("A guest without an agent reads its goal and says that it is ready")
    func health() async throws {
        let version = ["x-ms-version": "2012-11-30"]
        #expect(await ask("/machine", query: ["comp": "goalstate"], headers: [:]).status == 400)
        #expect(Self.text(await ask("/", query: ["comp": "versions"])).contains("2012-11-30"))
        let goal = Self.text(await ask("/machine", query: ["comp": "goalstate"], headers: version))
        func element(_ name: String) throws -> String {
            let after = try #require(goal.components("<\(name)>"))
            return String(after.prefix { $0 != "<" })
        }
        let container = try element("ContainerId")
        let instance = try element("InstanceId")
        func report(_ container: String, _ state: String) -> String {
            "<Health><GoalStateIncarnation>1</GoalStateIncarnation><Container><ContainerId>\(container)</ContainerId>"
                + "<RoleInstanceList><Role><InstanceId>\(instance)</InstanceId><Health><State>\(state)</State></Health>"
                + "</Role></RoleInstanceList></Container></Health>"
        }
        func say(_ text: String) async -> Int {
            await ask("/machine", query: ["comp": "health"], headers: version, method: "POST", body: text).status
        }
        #expect(await say("nonsense") == 400)
        #expect(await say(report("another", "Ready")) == 400)
        #expect(await say(report(container, "NotReady")) == 200)
        #expect(azure.emulator.record(machine)?.hidden["agentReady"] == nil)
        #expect(await say(report(container, "Ready")) == 200)
        #expect(azure.emulator.record(machine)?.hidden["agentReady"]?.string?.hasPrefix("2024-07-19") == true)
        #expect(
            await ask("/machine", query: ["comp": "health"], headers: version, method: "POST", ofHost: true).status
                == 404)
    }
}

extension String {
    fileprivate func components(_ mark: String) -> Substring? { firstRange(of: mark).map { self[$0.upperBound...] } }
}
