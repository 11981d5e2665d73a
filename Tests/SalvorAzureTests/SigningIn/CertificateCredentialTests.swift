import AzureEmulator
import Foundation
import SalvorAzure
import SalvorJSON
import Testing

/// An application that signs in with a certificate's key.
@Suite struct CertificateCredentialTests {
    enum Kind: CaseIterable { case pem, certificateFirst, otherBefore, encryptedPEM, pkcs12, pkcs12InClear }

    private static func variables(_ file: String, password: String? = nil) -> [String: String] {
        var variables = [
            "AZURE_TENANT_ID": SignIn.tenant, "AZURE_CLIENT_ID": SignIn.client, "AZURE_CLIENT_CERTIFICATE_PATH": file,
        ]
        variables["AZURE_CLIENT_CERTIFICATE_PASSWORD"] = password
        return variables
    }

    private static func decoded(_ text: Substring) -> [UInt8]? {
        var text = text.replacing("-", with: "+").replacing("_", with: "/")
        while text.count % 4 != 0 { text += "=" }
        return Data(base64Encoded: String(text)).map { Array($0) }
    }

    @Test("Every kind of file signs for this tenant, for ten minutes", arguments: Kind.allCases)
    func signs(kind: Kind) async throws {
        let folder = try SignInFolder()
        let own = try CertificateFile()
        var password: String?
        let bytes: [UInt8]
        switch kind {
        case .pem: bytes = own.pem
        case .certificateFirst: bytes = own.certificatePEM + own.key.privatePEM
        case .otherBefore:
            let other = try CertificateFile(RSAKey.generate(bits: 2048))
            bytes = other.certificatePEM + own.pem
        case .encryptedPEM:
            password = "päss word"
            bytes = try own.encryptedPEM(password: "päss word")
        case .pkcs12:
            password = "päss word"
            bytes = try own.pkcs12(password: "päss word")
        case .pkcs12InClear: bytes = try own.pkcs12(password: "")
        }
        var signIn = SignIn(variables: Self.variables(try folder.write("file", bytes), password: password))
        signIn.service = SignInService { (_, _) throws(AzureError) in .token("token") }
        _ = try await signIn.token()
        let form = try #require(signIn.service.requests.first?.form)
        #expect(form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        #expect(form["client_secret"] == nil)
        let parts = try #require(form["client_assertion"]).split(separator: ".")
        try #require(parts.count == 3)
        let header = try JSONValue.parse(try #require(Self.decoded(parts[0])))
        let payload = try JSONValue.parse(try #require(Self.decoded(parts[1])))
        let thumbprint = try #require(header["x5t#S256"]?.string)
        #expect(Self.decoded(thumbprint[...]) == own.certificate.sha256)
        #expect(header == ["alg": "PS256", "typ": "JWT", "x5t#S256": .string(thumbprint)])
        #expect(
            payload["aud"]?.string == "https://login.microsoftonline.com/\(SignIn.tenant)/oauth2/v2.0/token")
        #expect(payload["iss"]?.string == SignIn.client)
        #expect(payload["sub"]?.string == SignIn.client)
        #expect(payload["exp"]?.integer == signIn.time.now + 600)
        #expect(payload["jti"]?.string?.isEmpty == false)
        let signature = try #require(Self.decoded(parts[2]))
        let digest = RSASignature.ps256.digest(of: Array("\(parts[0]).\(parts[1])".utf8))
        #expect(RSASignature.ps256.verifies(signature, of: digest, with: own.key))
    }

    @Test("AD FS gets the older means, and the chain goes along where that is set")
    func older() async throws {
        let folder = try SignInFolder()
        let own = try CertificateFile()
        let other = try CertificateFile(RSAKey.generate(bits: 2048))
        var signIn = SignIn(
            variables: Self.variables(try folder.write("file.pem", own.pem + other.certificatePEM)), tenant: "adfs")
        signIn.variables["AZURE_CLIENT_SEND_CERTIFICATE_CHAIN"] = "true"
        signIn.service = SignInService { (_, _) throws(AzureError) in .token("token") }
        _ = try await signIn.token()
        let assertion = try #require(signIn.service.requests.first?.form["client_assertion"])
        let parts = assertion.split(separator: ".")
        let header = try JSONValue.parse(try #require(Self.decoded(parts[0])))
        #expect(header["alg"] == "RS256")
        #expect(Self.decoded(try #require(header["x5t"]?.string)[...]) == own.certificate.sha1)
        #expect(
            header["x5c"]?.array?.map { $0.string }
                == [own, other].map { Data($0.certificate.der).base64EncodedString() })
        let digest = RSASignature.rs256.digest(of: Array("\(parts[0]).\(parts[1])".utf8))
        #expect(RSASignature.rs256.verifies(try #require(Self.decoded(parts[2])), of: digest, with: own.key))
    }

    enum Fault: CaseIterable {
        case missing, empty, garbage, noKey, noCertificate, otherCertificate, noPassword, wrongPassword
        case wrongPasswordPKCS12, elliptic

        var expected: String {
            switch self {
            case .missing: "cannot be read"
            case .empty, .garbage: "neither PEM nor PKCS #12"
            case .noKey: "no private key"
            case .noCertificate, .otherCertificate: "no certificate of its key"
            case .noPassword, .wrongPassword, .wrongPasswordPKCS12: "AZURE_CLIENT_CERTIFICATE_PASSWORD"
            case .elliptic: "not RSA"
            }
        }
    }

    @Test("A file that cannot be used says why, and ends the search", arguments: Fault.allCases)
    func faults(fault: Fault) async throws {
        let folder = try SignInFolder()
        let own = try CertificateFile()
        var password: String?
        let bytes: [UInt8]?
        switch fault {
        case .missing: bytes = nil
        case .empty: bytes = []
        case .garbage: bytes = Array(repeating: 0x30, count: 500)
        case .noKey: bytes = own.certificatePEM
        case .noCertificate: bytes = own.key.privatePEM
        case .otherCertificate:
            bytes = own.key.privatePEM + (try CertificateFile(RSAKey.generate(bits: 2048))).certificatePEM
        case .noPassword: bytes = try own.encryptedPEM(password: SignIn.secret)
        case .wrongPassword:
            password = "wrong \(SignIn.secret)"
            bytes = try own.encryptedPEM(password: SignIn.secret)
        case .wrongPasswordPKCS12:
            password = "wrong \(SignIn.secret)"
            bytes = try own.pkcs12(password: SignIn.secret)
        case .elliptic:
            bytes =
                Array(
                    """
                    -----BEGIN PRIVATE KEY-----
                    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
                    OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
                    1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G
                    -----END PRIVATE KEY-----

                    """.utf8) + own.certificatePEM
        }
        let file = "\(folder.path)/file"
        if let bytes { try folder.write("file", bytes) }
        let signIn = SignIn(variables: Self.variables(file, password: password))
        let error = try #require(try await signIn.failure())
        #expect(error.code == .badSetting)
        #expect("\(error)".contains(fault.expected), "\(error)")
        #expect("\(error)".contains(file))
        #expect(!"\(error)".contains("Azure CLI"))
        #expect(!"\(error)".contains(SignIn.secret))
        #expect(signIn.service.requests.isEmpty)
    }
}
