import AzureEmulator
import SalvorJSON
import Testing

/// Key vaults, and what is in them.
@Suite struct VaultTests {
    private static let path = "resourceGroups/rg/providers/Microsoft.KeyVault/vaults/safe"
    private static let deleted = "providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/safe"

    private let azure: TestEmulator
    private let object: String

    init() async throws {
        let object = "66666666-6666-4666-8666-666666666666"
        azure = try TestEmulator { $0.applications[0].objectID = object }
        self.object = object
        try await azure.makeGroup()
        let made = try await azure("PUT", Self.path, vault())
        #expect(made.status == 201, "\(made.json)")
    }

    private func vault(
        secrets: [JSONValue] = ["all", "purge"], keys: [JSONValue] = ["all", "purge"], more: JSONValue = [:]
    ) -> JSONValue {
        let body: JSONValue = [
            "location": "westeurope",
            "properties": [
                "tenantId": .string(TestEmulator.tenant), "sku": ["family": "A", "name": "standard"],
                "accessPolicies": [
                    [
                        "tenantId": .string(TestEmulator.tenant), "objectId": .string(object),
                        "permissions": ["secrets": .array(secrets), "keys": .array(keys)],
                    ]
                ],
            ],
        ]
        return body.merged(with: ["properties": more])
    }

    /// A request to the vault itself.
    private func ask(
        _ method: String, _ path: String, _ body: JSONValue? = nil, bearer: String? = nil, host: String = "safe",
        version: String = "7.5"
    ) async throws -> TestEmulator.Reply {
        let token = try await azure.token(for: "https://vault.azure.net")
        return try await azure.send(
            EmulatorRequest(
                method, path, query: version.isEmpty ? [:] : ["api-version": version],
                headers: ["authorization": bearer ?? "Bearer \(token)"], body: body.map { Array($0.text.utf8) } ?? [],
                base: "https://\(host).vault.localhost:8443"))
    }

    // MARK: Vaults

    @Test("A vault has an address of its own, soon after it was made")
    func vault() async throws {
        let reply = try await azure("GET", Self.path)
        #expect(reply.json[path: "properties.provisioningState"] == "Succeeded")
        #expect(reply.json[path: "properties.vaultUri"] == "https://safe.vault.localhost:8443/")
        #expect(reply.json[path: "properties.enableSoftDelete"] == true)
    }

    @Test(
        "What is no vault is refused",
        arguments: [
            ("1safe", [:], "VaultNameNotValid"), ("sa", [:], "VaultNameNotValid"), ("sa--fe", [:], "VaultNameNotValid"),
            ("safe-", [:], "VaultNameNotValid"), ("other", ["tenantId": .null], "BadRequest"),
            ("other", ["sku": ["name": "gold"]], "BadRequest"), ("other", ["accessPolicies": .null], "BadRequest"),
            ("other", ["softDeleteRetentionInDays": 5], "BadRequest"),
            ("other", ["createMode": "recover"], "DeletedVaultNotFound"),
        ] as [(String, JSONValue, String)])
    func badVaults(name: String, change: JSONValue, code: String) async throws {
        let reply = try await azure(
            "PUT", "resourceGroups/rg/providers/Microsoft.KeyVault/vaults/\(name)", vault(more: change))
        #expect(reply.code == code, "\(reply.json)")
    }

    @Test("No two vaults have one name, wherever they are")
    func names() async throws {
        try await azure.makeGroup("other")
        let other = "resourceGroups/other/providers/Microsoft.KeyVault/vaults/SAFE"
        #expect(try await azure("PUT", other, vault()).code == "VaultAlreadyExists")
    }

    @Test("A deleted vault keeps its name and what is in it, until it is recovered or purged")
    func softDelete() async throws {
        _ = try await ask("PUT", "/secrets/one", ["value": "kept"])
        #expect(try await azure("DELETE", Self.path).status == 200)
        #expect(try await azure("GET", Self.path).status == 404)
        #expect(try await ask("GET", "/secrets/one").status == 404)
        #expect(try await azure("PUT", Self.path, vault()).code == "ConflictError")
        let found = try await azure("GET", Self.deleted)
        #expect(found.json["type"] == "Microsoft.KeyVault/deletedVaults", "\(found.json)")
        let list = try await azure("GET", "providers/Microsoft.KeyVault/deletedVaults")
        #expect(list.json["value"]?.array?.count == 1)
        #expect(try await azure("PUT", Self.path, vault(more: ["createMode": "recover"])).status == 200)
        #expect(try await ask("GET", "/secrets/one").json["value"] == "kept")
        _ = try await azure("DELETE", Self.path)
        #expect(try await azure("POST", "\(Self.deleted)/purge").status == 202)
        #expect(try await azure("GET", Self.deleted).code == "DeletedVaultNotFound")
        #expect(try await azure("POST", "\(Self.deleted)/purge").code == "DeletedVaultNotFound")
        #expect(try await azure("PUT", Self.path, vault()).status == 201)
        #expect(try await ask("GET", "/secrets/one").code == "SecretNotFound")
    }

    // MARK: Who may

    @Test("Who comes without a token for vaults is told where to get one")
    func challenges() async throws {
        let wrong = try await azure.token(for: "https://management.azure.com")
        for (bearer, said) in [("", "AKV10000"), ("Bearer x.y.z", "AKV10046"), ("Bearer \(wrong)", "AKV10022")] {
            let reply = try await ask("GET", "/secrets/one", bearer: bearer)
            #expect(reply.status == 401)
            #expect(reply.code == "Unauthorized")
            #expect(reply.json[path: "error.message"]?.string?.hasPrefix("\(said): ") == true)
            #expect(
                reply.response[header: "WWW-Authenticate"]
                    == "Bearer authorization=\"https://safe.vault.localhost:8443/\(TestEmulator.tenant)\", "
                    + "resource=\"https://vault.azure.net\"")
        }
    }

    @Test(
        "A permission that was not given is missed",
        arguments: [
            (["get"], "GET", "/secrets/one", 404), (["get"], "PUT", "/secrets/one", 403),
            (["Set"], "PUT", "/secrets/one", 200),
            (["set"], "GET", "/secrets/one", 403), ([], "GET", "/secrets", 403), (["list"], "GET", "/secrets", 200),
            (["all"], "DELETE", "/deletedsecrets/one", 403), (["purge"], "DELETE", "/deletedsecrets/one", 404),
        ] as [([String], String, String, Int)])
    func policies(permissions: [String], method: String, path: String, status: Int) async throws {
        _ = try await azure("PUT", Self.path, vault(secrets: permissions.map { .string($0) }))
        let reply = try await ask(method, path, method == "PUT" ? ["value": "x"] : nil)
        #expect(reply.status == status, "\(reply.json)")
        if status == 403 { #expect(reply.json[path: "error.innererror.code"] == "AccessDenied") }
    }

    @Test("Or a role, where the vault goes by roles")
    func roles() async throws {
        _ = try await azure("PUT", Self.path, vault(more: ["enableRbacAuthorization": true]))
        let refused = try await ask("GET", "/secrets/one")
        #expect(refused.json[path: "error.innererror.code"] == "ForbiddenByRbac")
        let root = "/subscriptions/\(TestEmulator.subscription)"
        let role = "\(root)/providers/Microsoft.Authorization/roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6"
        let given = try await azure(
            "PUT",
            "\(Self.path)/providers/Microsoft.Authorization/roleAssignments/77777777-7777-4777-8777-000000000001",
            ["properties": ["roleDefinitionId": .string(role), "principalId": .string(object)]])
        #expect(given.status == 201, "\(given.json)")
        #expect(try await ask("GET", "/secrets/one").code == "SecretNotFound")
        #expect(try await ask("PUT", "/secrets/one", ["value": "x"]).status == 403)
    }

    @Test(
        "Access is given and taken one by one", arguments: [("add", 2, 200), ("remove", 0, 403), ("replace", 1, 200)])
    func accessPolicies(operation: String, count: Int, status: Int) async throws {
        let policy: JSONValue = [
            "tenantId": .string(TestEmulator.tenant),
            "objectId": .string(operation == "add" ? "99999999-6666-4666-8666-666666666666" : object),
            "permissions": ["secrets": ["list"]],
        ]
        let reply = try await azure(
            "PUT", "\(Self.path)/accessPolicies/\(operation)", ["properties": ["accessPolicies": [policy]]])
        #expect(reply.json[path: "properties.accessPolicies"]?.array?.count == count, "\(reply.json)")
        #expect(try await ask("GET", "/secrets").status == status)
    }

    // MARK: Secrets

    @Test("A secret has versions, and each can be had")
    func versions() async throws {
        let first = try await ask(
            "PUT", "/secrets/one", ["value": "a", "contentType": "text/plain", "tags": ["x": "y"]])
        let second = try await ask("PUT", "/secrets/one", ["value": "b"])
        #expect(first.status == 200)
        let id = try #require(first.json["id"]?.string)
        #expect(id.hasPrefix("https://safe.vault.localhost:8443/secrets/one/"))
        let path = String(id.dropFirst("https://safe.vault.localhost:8443".count))
        #expect(try await ask("GET", path).json["value"] == "a")
        #expect(try await ask("GET", path).json["contentType"] == "text/plain")
        #expect(try await ask("GET", "/secrets/one/").json["value"] == "b")
        #expect(second.json["tags"] == [:])
        let versions = try await ask("GET", "/secrets/one/versions").json["value"]?.array ?? []
        #expect(versions.count == 2)
        #expect(versions.allSatisfy { $0["value"] == nil })
        let list = try await ask("GET", "/secrets").json["value"]?.array ?? []
        #expect(list.map { $0["id"] } == ["https://safe.vault.localhost:8443/secrets/one"])
        #expect(try await ask("GET", "/secrets/one/00000000000000000000000000000000").code == "SecretNotFound")
    }

    @Test("A disabled secret is kept back, and its attributes can be changed")
    func attributes() async throws {
        let id = try #require(try await ask("PUT", "/secrets/one", ["value": "a"]).json["id"]?.string)
        let path = String(id.dropFirst("https://safe.vault.localhost:8443".count))
        let changed = try await ask("PATCH", path, ["attributes": ["enabled": false, "exp": 4_000_000_000]])
        #expect(changed.json[path: "attributes.exp"] == 4_000_000_000)
        #expect(changed.json["value"] == nil)
        let refused = try await ask("GET", "/secrets/one")
        #expect(refused.status == 403)
        #expect(refused.json[path: "error.innererror.code"] == "SecretDisabled")
        _ = try await ask("PATCH", path, ["attributes": ["enabled": true]])
        #expect(try await ask("GET", "/secrets/one").json["value"] == "a")
    }

    @Test("A deleted secret can be recovered, and a purged one cannot", arguments: ["secrets", "keys"])
    func deletion(collection: String) async throws {
        func make() async throws -> TestEmulator.Reply {
            collection == "secrets"
                ? try await ask("PUT", "/secrets/one", ["value": "a"])
                : try await ask("POST", "/keys/one/create", ["kty": "RSA"])
        }
        #expect(try await make().status == 200)
        let gone = try await ask("DELETE", "/\(collection)/one")
        #expect(gone.json["recoveryId"]?.string?.hasSuffix("/deleted\(collection)/one") == true)
        #expect(try await ask("GET", "/\(collection)/one").status == 404)
        #expect(try await make().json[path: "error.innererror.code"] == "ObjectIsDeletedButRecoverable")
        #expect(try await ask("GET", "/deleted\(collection)").json["value"]?.array?.count == 1)
        #expect(try await ask("POST", "/deleted\(collection)/one/recover").status == 200)
        #expect(try await ask("GET", "/\(collection)/one").status == 200)
        #expect(try await ask("GET", "/deleted\(collection)/one").status == 404)
        _ = try await ask("DELETE", "/\(collection)/one")
        #expect(try await ask("DELETE", "/deleted\(collection)/one").status == 204)
        #expect(try await make().status == 200)
    }

    @Test("Long lists come in pages")
    func pages() async throws {
        for number in 0..<30 { _ = try await ask("PUT", "/secrets/s\(number)", ["value": "a"]) }
        let first = try await ask("GET", "/secrets")
        #expect(first.json["value"]?.array?.count == 25)
        #expect(first.json["nextLink"]?.string?.contains("$skiptoken=25") == true)
    }

    @Test(
        "What a vault does not understand is refused",
        arguments: [
            ("PUT", "/secrets/a_b", ["value": "x"], "BadParameter"), ("PUT", "/secrets/a", [:], "BadParameter"),
            ("GET", "/certificates", [:], "NotFound"), ("GET", "/", [:], "NotFound"),
            ("POST", "/keys/a/create", ["kty": "EC"], "BadParameter"),
            ("POST", "/keys/a/create", ["kty": "RSA", "key_size": 1024], "BadParameter"),
            ("PUT", "/keys/a", ["key": ["kty": "RSA", "n": "AQAB"]], "BadParameter"),
            ("GET", "/keys/a", [:], "KeyNotFound"), ("POST", "/keys/a/sign", ["alg": "RS256"], "KeyNotFound"),
        ] as [(String, String, JSONValue, String)])
    func badRequests(method: String, path: String, body: JSONValue, code: String) async throws {
        #expect(try await ask(method, path, body).code == code)
    }

    @Test("A vault without a name, or a request without a version, is none")
    func addresses() async throws {
        #expect(try await ask("GET", "/secrets", host: "other").code == "VaultNotFound")
        #expect(try await ask("GET", "/secrets", version: "").code == "BadParameter")
    }

    // MARK: Keys

    @Test("What is encrypted comes back", arguments: RSAEncryption.allCases, ["encrypt", "wrapkey"])
    func encryption(algorithm: RSAEncryption, use: String) async throws {
        let made = try await ask("POST", "/keys/k/create", ["kty": "RSA", "key_size": 2048])
        #expect(made.json[path: "key.kty"] == "RSA")
        #expect(made.json.text.contains("PRIVATE") == false)
        let sealed = try await ask("POST", "/keys/k/\(use)", ["alg": .string(algorithm.rawValue), "value": "c2VjcmV0"])
        #expect(sealed.json["kid"] == made.json[path: "key.kid"], "\(sealed.json)")
        let back = use == "encrypt" ? "decrypt" : "unwrapkey"
        let version = try #require(made.json[path: "key.kid"]?.string?.split(separator: "/").last)
        let opened = try await ask(
            "POST", "/keys/k/\(version)/\(back)",
            ["alg": .string(algorithm.rawValue), "value": sealed.json["value"] ?? ""])
        #expect(opened.json["value"] == "c2VjcmV0", "\(opened.json)")
        let other = algorithm == .pkcs1 ? RSAEncryption.oaep : .pkcs1
        let mixed = try await ask(
            "POST", "/keys/k/\(back)", ["alg": .string(other.rawValue), "value": sealed.json["value"] ?? ""])
        // PKCS #1 v1.5 hides what went wrong: it gives other bytes in the place of an error.
        #expect(mixed.json["value"] != "c2VjcmV0")
    }

    @Test("What is signed is verified, and nothing else", arguments: RSASignature.allCases)
    func signatures(algorithm: RSASignature) async throws {
        _ = try await ask("POST", "/keys/k/create", ["kty": "RSA"])
        let digest = String(repeating: "A", count: (algorithm.digestBytes * 8 + 5) / 6)
        let other = "B" + digest.dropFirst()
        let name = JSONValue.string(algorithm.rawValue)
        let signed = try await ask("POST", "/keys/k/sign", ["alg": name, "value": .string(digest)])
        let signature = try #require(signed.json["value"], "\(signed.json)")
        func verify(_ digest: String) async throws -> JSONValue? {
            try await ask("POST", "/keys/k/verify", ["alg": name, "digest": .string(digest), "value": signature]).json[
                "value"]
        }
        #expect(try await verify(digest) == true)
        #expect(try await verify(other) == false)
        #expect(try await ask("POST", "/keys/k/sign", ["alg": name, "value": "AAAA"]).code == "BadParameter")
    }

    @Test("A key does only what it is for, and while it is enabled")
    func keyRules() async throws {
        _ = try await ask("POST", "/keys/k/create", ["kty": "RSA", "key_ops": ["wrapKey"]])
        let body: JSONValue = ["alg": "RSA-OAEP", "value": "AAAA"]
        #expect(try await ask("POST", "/keys/k/wrapkey", body).status == 200)
        #expect(
            try await ask("POST", "/keys/k/encrypt", body).json[path: "error.innererror.code"]
                == "KeyOperationForbidden")
        _ = try await ask("PATCH", "/keys/k", ["attributes": ["exp": 1_700_000_000]])
        #expect(try await ask("POST", "/keys/k/wrapkey", body).json[path: "error.innererror.code"] == "KeyExpired")
        _ = try await ask("PATCH", "/keys/k", ["attributes": ["enabled": false]])
        #expect(try await ask("POST", "/keys/k/wrapkey", body).json[path: "error.innererror.code"] == "KeyDisabled")
        #expect(try await ask("GET", "/keys/k").status == 200)
    }
}
