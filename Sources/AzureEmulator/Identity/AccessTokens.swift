internal import SalvorDigest
internal import SalvorJSON

/// Makes and checks the bearer tokens that the emulator's own sign-in endpoint gives out: JSON web tokens under a key that
/// nobody else has.
package struct AccessTokens: Sendable {
    package struct Claims: Sendable, Equatable {
        package var tenant: String
        /// The application or managed identity that signed in: its id as a client.
        package var client: String
        /// And its id as an object of the directory, which roles are assigned to.
        package var object: String
        package var audience: String
        package var expires: EmulatorTime
    }

    /// Seconds that a token lives.
    package static let lifetimeSeconds: Int64 = 3600

    private let secret: [UInt8]
    private let key: RSAKey?

    /// - Parameters:
    ///   - secret: 32 secret bytes: tokens are signed with them where there is no key.
    ///   - key: with its private half; anybody can verify its tokens by the tenant's key set.
    package init(secret: [UInt8], key: RSAKey?) {
        self.secret = secret
        self.key = key
    }

    /// The key set of the tenant (RFC 7517).
    var keySet: JSONValue {
        guard let key else { return ["keys": []] }
        var json = key.publicJWK
        json[path: "kid"] = .string(key.thumbprint)
        json[path: "use"] = "sig"
        return ["keys": [json]]
    }

    package func issue(_ claims: Claims, now: EmulatorTime) -> String {
        let payload: JSONValue = [
            "aud": .string(claims.audience), "iss": .string("https://sts.windows.net/\(claims.tenant)/"),
            "iat": .integer(now.milliseconds / 1000), "nbf": .integer(now.milliseconds / 1000),
            "exp": .integer(claims.expires.milliseconds / 1000), "tid": .string(claims.tenant),
            "appid": .string(claims.client), "oid": .string(claims.object), "sub": .string(claims.object),
            "idtyp": "app", "ver": "1.0",
        ]
        if let token = key?.token(payload) { return token }
        let text = JSONWebToken.unsigned(["alg": "HS256", "typ": "JWT"], payload)
        return "\(text).\(Base64URL.encode(HMAC.sha256(of: Array(text.utf8), key: secret)))"
    }

    /// - Returns: nil for a token that this emulator did not make.
    package func claims(of text: String) -> Claims? {
        guard let token = JSONWebToken(text), isOurs(token), let tenant = token.payload["tid"]?.string,
            let client = token.payload["appid"]?.string, let object = token.payload["oid"]?.string,
            let audience = token.audiences.first, let expires = token.time("exp")
        else { return nil }
        return Claims(tenant: tenant, client: client, object: object, audience: audience, expires: expires)
    }

    /// Which way it is signed is ours to say, and not the token's.
    private func isOurs(_ token: JSONWebToken) -> Bool {
        if let key { return token.header["alg"] == "RS256" && token.isSigned(by: key) }
        return token.header["alg"] == "HS256"
            && HMAC.areEqual(token.signature, HMAC.sha256(of: token.text, key: secret))
    }
}
