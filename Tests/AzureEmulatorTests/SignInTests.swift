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
}
