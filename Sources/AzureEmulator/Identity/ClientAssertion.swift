internal import SalvorJSON

/// What an application shows in the place of a secret: a token signed by its certificate's key ("Microsoft identity
/// platform application authentication certificate credentials"), or one of another issuer that it trusts ("Workload
/// identity federation").
struct ClientAssertion {
    static let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

    let token: JSONWebToken
    let application: EmulatorConfiguration.Application
    let now: EmulatorTime
    /// For how long clocks may differ.
    private static let skew = Duration.seconds(300)

    /// - Parameter audiences: of this sign-in endpoint, of which an assertion by certificate names one.
    func check(audiences: [String]) throws(EntraError) {
        if token.payload["iss"]?.string?.lowercased() == application.id.lowercased() {
            try checkCertificate(audiences)
        } else {
            try checkFederation()
        }
    }

    private func checkCertificate(_ audiences: [String]) throws(EntraError) {
        let certificate = try certificate()
        guard token.isSigned(by: certificate.key) else {
            throw Self.unsigned("The key was found, but use of the key to verify the signature failed.")
        }
        guard now.milliseconds / 1000 <= certificate.notAfter, now.milliseconds / 1000 >= certificate.notBefore else {
            throw Self.unsigned("The key used is expired.")
        }
        guard token.payload["sub"]?.string?.lowercased() == application.id.lowercased() else {
            throw EntraError(
                401, "invalid_client", 700_021,
                "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at "
                    + "https://aka.ms/certauth.")
        }
        let isForUs = token.audiences.contains { audience in
            audiences.contains { $0.lowercased() == audience.lowercased() }
        }
        guard isForUs else {
            throw EntraError(
                401, "invalid_client", 700_023,
                "Client assertion audience claim does not match Realm issuer. Review the documentation at "
                    + "https://aka.ms/certauth.")
        }
        try checkTimes()
        guard token.payload["jti"]?.string?.isEmpty == false else {
            throw .malformedAssertion("The 'jti' claim is missing.")
        }
    }

    /// The certificate that the token names, by which of its digests it will.
    private func certificate() throws(EntraError) -> ClientCertificate {
        let named = ["x5t#S256", "x5t", "kid"].compactMap { name in token.header[name]?.string.map { (name, $0) } }
        guard let (name, text) = named.first else {
            throw EntraError(
                401, "invalid_client", 5_002_723,
                "Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId specified in "
                    + "token header.")
        }
        let digest = Base64URL.decode(text) ?? []
        let found = application.certificates.first { certificate in
            name == "x5t#S256"
                ? certificate.sha256 == digest
                : certificate.sha1 == digest || text.lowercased() == Self.hex(certificate.sha1)
        }
        guard let found else {
            throw EntraError(
                401, "invalid_client", 700_027,
                "Client assertion contains an invalid signature. [Reason - The key was not found., Thumbprint of key used "
                    + "by client: '\(Self.hex(digest).uppercased())', Please visit the Azure Portal, Graph Explorer or "
                    + "directly use MS Graph to see configured keys for app Id '\(application.id)'.]")
        }
        // What comes along has to be what is registered: its key is not taken from the client.
        if let chain = token.header["x5c"] {
            let first = chain.string ?? chain.array?.first?.string
            guard first.flatMap({ Base64.decode($0) }) == found.der else {
                throw Self.unsigned("The certificate in 'x5c' is not the one that the thumbprint names.")
            }
        }
        return found
    }

    private func checkFederation() throws(EntraError) {
        let issuer = token.payload["iss"]?.string ?? ""
        let subject = token.payload["sub"]?.string ?? ""
        let found = application.federated.first {
            $0.issuer == issuer && $0.subject == subject && token.audiences.contains($0.audience)
        }
        guard let found else {
            throw EntraError(
                401, "invalid_client", 70_021,
                "No matching federated identity record found for presented assertion. Assertion Issuer: "
                    + "'\(printable(issuer))'. Assertion Subject: '\(printable(subject))'. Assertion Audience: "
                    + "'\(printable(token.audiences.joined(separator: ",")))'. "
                    + "https://learn.microsoft.com/entra/workload-id/workload-identity-federation")
        }
        let named = token.header["kid"]?.string
        let keys = found.keys.filter { named == nil || $0.name == nil || $0.name == named }
        guard keys.contains(where: { token.isSigned(by: $0.key) }) else {
            throw Self.unsigned(
                keys.isEmpty
                    ? "The key was not found." : "The key was found, but use of the key to verify the signature failed."
            )
        }
        try checkTimes()
    }

    private func checkTimes() throws(EntraError) {
        guard let expires = token.time("exp") else { throw .malformedAssertion("The 'exp' claim is missing.") }
        let begins = token.time("nbf") ?? token.time("iat") ?? now
        guard expires + Self.skew > now, begins - Self.skew <= now else {
            throw EntraError(
                401, "invalid_client", 700_024,
                "Client assertion is not within its valid time range. Current time: \(now.text), assertion valid from "
                    + "\(begins.text), expiry time of assertion \(expires.text). Review the documentation at "
                    + "https://aka.ms/certauth.")
        }
    }

    private static func unsigned(_ reason: String) -> EntraError {
        EntraError(
            401, "invalid_client", 700_027, "Client assertion contains an invalid signature. [Reason - \(reason)]")
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 0xF, radix: 16) }.joined()
    }
}
