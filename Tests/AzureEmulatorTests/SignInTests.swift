import AzureEmulator
import SalvorJSON
import Testing

@Suite struct SignInTests {
    @Test("An application signs in by its secret, and its token opens the door")
    func secret() async throws {
        let azure = try TestEmulator()
        let reply = try await azure.signIn()
        #expect(reply.status == 200)
        #expect(reply.json["token_type"]?.string == "Bearer")
        let list = try await azure("GET", "/subscriptions")
        #expect(list.status == 200)
        #expect(list.json["value"]?.array?.first?["subscriptionId"]?.string == TestEmulator.subscription)
    }

    @Test(
        "Who cannot sign in is told why, in Entra's form",
        arguments: [
            ("grant_type=client_credentials&client_id=x&client_secret=a+secret", 400, "unauthorized_client"),
            (
                "grant_type=client_credentials&client_id=\(TestEmulator.client)&client_secret=wrong", 401,
                "invalid_client"
            ),
            ("grant_type=client_credentials&client_id=\(TestEmulator.client)", 401, "invalid_client"),
            ("grant_type=password&client_id=\(TestEmulator.client)", 400, "unsupported_grant_type"),
            ("", 400, "unsupported_grant_type"),
        ])
    func refusals(form: String, status: Int, error: String) async throws {
        let reply = try await TestEmulator().signIn(form)
        #expect(reply.status == status)
        #expect(reply.json["error"]?.string == error)
        #expect(reply.json["error_description"]?.string?.hasPrefix("AADSTS") == true)
    }

    @Test("Another tenant is not found")
    func tenant() async throws {
        let reply = try await TestEmulator().signIn(tenant: "99999999-1111-4111-8111-111111111111")
        #expect(reply.status == 400)
    }

    @Test(
        "A request without a good token is refused with a challenge",
        arguments: [
            ("", "AuthenticationFailed"), ("Basic abc", "AuthenticationFailed"),
            ("Bearer ", "InvalidAuthenticationToken"), ("Bearer a.b.c", "InvalidAuthenticationToken"),
            ("Bearer e30.e30.e30", "InvalidAuthenticationToken"),
        ])
    func challenges(header: String, code: String) async throws {
        let reply = try await TestEmulator()("GET", "/subscriptions", headers: ["authorization": header])
        #expect(reply.status == 401)
        #expect(reply.code == code)
        #expect(reply.response[header: "WWW-Authenticate"]?.hasPrefix("Bearer authorization_uri=") == true)
    }

    @Test("A token ends, and one that was tampered with is none")
    func expiry() async throws {
        let azure = try TestEmulator()
        let token = try #require(try await azure.signIn().json["access_token"]?.string)
        let other = token.split(separator: ".").map(String.init)
        let forged = "\(other[0]).\(other[1].dropLast(4))AAAA.\(other[2])"
        #expect(
            try await azure("GET", "/subscriptions", headers: ["authorization": "Bearer \(forged)"]).code
                == "InvalidAuthenticationToken")
        azure.pass(.seconds(3601))
        #expect(
            try await azure("GET", "/subscriptions", headers: ["authorization": "Bearer \(token)"]).code
                == "ExpiredAuthenticationToken")
    }

    @Test(
        "Both versions of the endpoint give tokens, each in its own form",
        arguments: [
            ("/oauth2/v2.0/token", "scope=https://localhost:8443//.default", 200, nil),
            ("/oauth2/v2.0/token", "scope=https://localhost:8443//.default+openid+profile", 200, nil),
            ("/oauth2/v2.0/token", "scope=https://localhost:8443/", 400, "invalid_scope"),
            ("/oauth2/v2.0/token", "resource=https://localhost:8443/", 400, "invalid_request"),
            ("/oauth2/v2.0/token", "scope=https://unknown/.default", 400, "invalid_resource"),
            ("/oauth2/token", "resource=https://management.azure.com/", 200, nil),
            ("/oauth2/token", "scope=https://localhost:8443//.default", 400, "invalid_request"),
        ] as [(String, String, Int, String?)])
    func versions(path: String, field: String, status: Int, error: String?) async throws {
        let form = "grant_type=client_credentials&client_id=\(TestEmulator.client)&client_secret=a+secret&\(field)"
        let reply = try await TestEmulator().send(
            EmulatorRequest("POST", "/\(TestEmulator.tenant)\(path)", body: Array(form.utf8)))
        #expect(reply.status == status, "\(reply.json)")
        #expect(reply.json["error"]?.string == error)
        if status == 200 {
            #expect((reply.json["expires_in"]?.string == nil) == path.contains("v2.0"))
            #expect((reply.json["resource"]?.string == nil) == path.contains("v2.0"))
        }
    }

    @Test(
        "Who names no tenant finds its endpoints, and no token",
        arguments: ["common", "organizations", "99999999-1111-4111-8111-111111111111"])
    func discovery(tenant: String) async throws {
        let azure = try TestEmulator()
        let reply = try await azure.send(
            EmulatorRequest("GET", "/\(tenant)/v2.0/.well-known/openid-configuration"))
        let isKnown = tenant.count < 20
        #expect(reply.status == (isKnown ? 200 : 400))
        if isKnown {
            #expect(reply.json["issuer"]?.string == "https://localhost:8443/{tenantid}/v2.0")
            #expect(try await azure.signIn(tenant: tenant).json["error"]?.string == "invalid_request")
        }
    }

    @Test("Tokens are signed with a key that the tenant publishes")
    func keys() async throws {
        let key = try #require(RSAKey.generate(bits: 2048))
        let azure = try TestEmulator { $0.signingKey = key }
        let reply = try await azure.send(EmulatorRequest("GET", "/\(TestEmulator.tenant)/discovery/v2.0/keys"))
        #expect(reply.json["keys"]?.array?.first?["kid"]?.string == key.thumbprint)
        #expect(try await azure("GET", "/subscriptions").status == 200)
        // A token that was signed with the secret alone is none here.
        let weaker = try TestEmulator()
        let token = try #require(try await weaker.signIn().json["access_token"]?.string)
        #expect(
            try await azure("GET", "/subscriptions", headers: ["authorization": "Bearer \(token)"]).code
                == "InvalidAuthenticationToken")
    }

    @Test(
        "A token for another service is refused",
        arguments: ["https://vault.azure.net", "https://graph.microsoft.com", "https://storage.azure.com"])
    func audiences(resource: String) async throws {
        let azure = try TestEmulator()
        let token = try await azure.token(for: resource)
        let reply = try await azure("GET", "/subscriptions", headers: ["authorization": "Bearer \(token)"])
        #expect(reply.status == 401)
        #expect(reply.code == "InvalidAuthenticationTokenAudience")
    }

    @Test("A token for another tenant is refused")
    func otherTenant() async throws {
        let other = try TestEmulator { $0.tenant = "99999999-1111-4111-8111-111111111111" }
        let token = try #require(
            try await other.signIn(tenant: "99999999-1111-4111-8111-111111111111").json["access_token"]?.string)
        let reply = try await TestEmulator()("GET", "/subscriptions", headers: ["authorization": "Bearer \(token)"])
        #expect(reply.code == "InvalidAuthenticationTokenTenant")
    }
}
