import AzureEmulator
import SalvorJSON
import Testing

/// Certificates and other issuers in the place of a secret.
@Suite struct ClientAssertionTests {
    private static let key = RSAKey.generate(bits: 2048)
    private static let other = RSAKey.generate(bits: 2048)
    private static let start: Int64 = 1_721_362_140

    private let key: RSAKey
    private let certificate: ClientCertificate
    private let azure: TestEmulator

    init() throws {
        let key = try #require(Self.key)
        let pem = try #require(
            ClientCertificate.make(
                commonName: "test", key: key, notBefore: Self.start - 60, notAfter: Self.start + 86_400))
        let certificate = try #require(ClientCertificate(pem: pem))
        self.key = key
        self.certificate = certificate
        azure = try TestEmulator { configuration in
            configuration.applications[0].certificates = [certificate]
            configuration.applications[0].federated = [
                .init(issuer: "https://issuer/", subject: "someone", keys: [(name: "one", key: key)])
            ]
        }
    }

    /// What is wrong with an assertion.
    enum Fault: CaseIterable {
        case none, probabilistic, sha256, chain, unknownThumbprint, noThumbprint, otherKey, otherChain, otherAudience
        case expired, notYet, noEnd, noID, otherSubject, tampered, unsigned

        var error: String? {
            switch self {
            case .none, .probabilistic, .sha256, .chain: nil
            case .unknownThumbprint, .otherKey, .otherChain, .tampered, .unsigned: "AADSTS700027"
            case .noThumbprint: "AADSTS5002723"
            case .otherAudience: "AADSTS700023"
            case .expired, .notYet: "AADSTS700024"
            case .noEnd, .noID: "AADSTS50027"
            case .otherSubject: "AADSTS700021"
            }
        }
    }

    @Test("An assertion by certificate is believed when all of it is right", arguments: Fault.allCases)
    func certificate(fault: Fault) async throws {
        var header: JSONValue = ["alg": "RS256", "typ": "JWT", "x5t": .string(Self.text(certificate.sha1))]
        var payload: JSONValue = [
            "aud": .string("https://localhost:8443/\(TestEmulator.tenant)/oauth2/v2.0/token"),
            "iss": .string(TestEmulator.client), "sub": .string(TestEmulator.client), "jti": "one",
            "iat": .number(Double(Self.start) + 0.5), "exp": .number(Double(Self.start) + 600.5),
        ]
        var signer = key
        var algorithm = RSASignature.rs256
        switch fault {
        case .probabilistic:
            header[path: "alg"] = "PS256"
            algorithm = .ps256
        case .sha256:
            header = ["alg": "RS256", "x5t#S256": .string(Self.text(certificate.sha256))]
        case .chain: header[path: "x5c"] = [.string(Self.standard(certificate.der))]
        case .otherChain: header[path: "x5c"] = ["AAAA"]
        case .unknownThumbprint: header[path: "x5t"] = "AAAA"
        case .noThumbprint: header[path: "x5t"] = nil
        case .otherKey: signer = try #require(Self.other)
        case .otherAudience: payload[path: "aud"] = "https://elsewhere/token"
        case .expired: payload[path: "exp"] = .integer(Self.start - 301)
        case .notYet:
            payload[path: "nbf"] = .integer(Self.start + 301)
        case .noEnd: payload[path: "exp"] = nil
        case .noID: payload[path: "jti"] = nil
        case .otherSubject: payload[path: "sub"] = "someone else"
        case .unsigned: header[path: "alg"] = "none"
        case .none, .tampered: break
        }
        var token = try Self.sign(header, payload, signer, algorithm)
        if fault == .tampered { token = String(token.dropLast(8)) + "AAAAAAAA" }
        let reply = try await signIn(token)
        #expect((reply.status == 200) == (fault.error == nil), "\(reply.json)")
        if let error = fault.error {
            #expect(reply.json["error_description"]?.string?.hasPrefix("\(error): ") == true, "\(reply.json)")
            #expect(reply.json["error"]?.string == "invalid_client")
        } else {
            let bearer = try #require(reply.json["access_token"]?.string)
            let list = try await azure("GET", "/subscriptions", headers: ["authorization": "Bearer \(bearer)"])
            #expect(list.status == 200)
        }
    }

    @Test("A certificate that has ended opens nothing")
    func expiredCertificate() async throws {
        azure.pass(.seconds(86_500))
        let header: JSONValue = ["alg": "RS256", "x5t": .string(Self.text(certificate.sha1))]
        let token = try Self.sign(
            header,
            [
                "aud": .string("https://localhost:8443/\(TestEmulator.tenant)/oauth2/v2.0/token"),
                "iss": .string(TestEmulator.client), "sub": .string(TestEmulator.client), "jti": "one",
                "exp": .integer(Self.start + 87_000),
            ], key, .rs256)
        let reply = try await signIn(token)
        #expect(reply.status == 401)
        #expect(reply.json["error_description"]?.string?.contains("expired") == true)
    }

    @Test(
        "Another issuer's token is believed for the subject and audience that the application trusts",
        arguments: [
            ("https://issuer/", "someone", "api://AzureADTokenExchange", "one", true, nil),
            ("https://issuer/", "someone", "api://AzureADTokenExchange", "one", false, "AADSTS700027"),
            ("https://issuer/", "someone", "api://AzureADTokenExchange", "two", true, "AADSTS700027"),
            ("https://issuer", "someone", "api://AzureADTokenExchange", "one", true, "AADSTS70021"),
            ("https://issuer/", "nobody", "api://AzureADTokenExchange", "one", true, "AADSTS70021"),
            ("https://issuer/", "someone", "api://other", "one", true, "AADSTS70021"),
        ] as [(String, String, String, String, Bool, String?)])
    func federation(
        issuer: String, subject: String, audience: String, key name: String, isRightKey: Bool, error: String?
    ) async throws {
        let token = try Self.sign(
            ["alg": "RS256", "kid": .string(name)],
            [
                "iss": .string(issuer), "sub": .string(subject), "aud": [.string(audience)],
                "exp": .integer(Self.start + 600),
            ], isRightKey ? key : try #require(Self.other), .rs256)
        let reply = try await signIn(token)
        #expect(reply.status == (error == nil ? 200 : 401), "\(reply.json)")
        if let error {
            #expect(reply.json["error_description"]?.string?.hasPrefix("\(error): ") == true, "\(reply.json)")
        }
    }

    @Test("What is no token is refused", arguments: ["", "a", "a.b.c", "e30.e30", "e30.e30.", "bnVsbA.e30.e30"])
    func malformed(token: String) async throws {
        let reply = try await signIn(token)
        #expect(reply.status == 401)
    }

    private func signIn(_ assertion: String) async throws -> TestEmulator.Reply {
        try await azure.signIn(
            "grant_type=client_credentials&client_id=\(TestEmulator.client)&client_assertion=\(assertion)"
                + "&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                + "&scope=https://localhost:8443//.default")
    }

    private static func sign(
        _ header: JSONValue, _ payload: JSONValue, _ key: RSAKey, _ algorithm: RSASignature
    ) throws -> String {
        let text = [header, payload].map { Self.text(Array($0.text.utf8)) }.joined(separator: ".")
        let signature = try #require(algorithm.sign(digest: algorithm.digest(of: Array(text.utf8)), with: key))
        return "\(text).\(Self.text(signature))"
    }

    private static func standard(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let value = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for index in 0..<4 {
                text.append(index <= group.count ? alphabet[value >> (18 - 6 * index) & 63] : "=")
            }
        }
        return text
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(standard(bytes).compactMap { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 == "=" ? nil : $0 })
    }
}
