internal import SalvorDigest
internal import SalvorJSON

/// Makes and checks the bearer tokens that the emulator's own sign-in endpoint gives out: JSON web tokens under a key that
/// nobody else has.
package struct AccessTokens: Sendable {
    package struct Claims: Sendable, Equatable {
        package var tenant: String
        /// The application or managed identity that signed in.
        package var client: String
        package var audience: String
        package var expires: EmulatorTime
    }

    /// Seconds that a token lives.
    package static let lifetimeSeconds: Int64 = 3600

    private let key: [UInt8]

    /// - Parameter key: 32 secret bytes.
    package init(key: [UInt8]) { self.key = key }

    package func issue(_ claims: Claims, now: EmulatorTime) -> String {
        let payload: JSONValue = [
            "aud": .string(claims.audience), "iss": .string("https://sts.windows.net/\(claims.tenant)/"),
            "iat": .integer(now.milliseconds / 1000), "nbf": .integer(now.milliseconds / 1000),
            "exp": .integer(claims.expires.milliseconds / 1000), "tid": .string(claims.tenant),
            "appid": .string(claims.client), "oid": .string(claims.client), "sub": .string(claims.client), "ver": "1.0",
        ]
        let header: JSONValue = ["alg": "HS256", "typ": "JWT"]
        let text = [header, payload].map { Base64URL.encode($0.text.utf8) }.joined(separator: ".")
        return "\(text).\(Base64URL.encode(HMAC.sha256(of: Array(text.utf8), key: key)))"
    }

    /// - Returns: nil for a token that this emulator did not make.
    package func claims(of token: String) -> Claims? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let code = Base64URL.decode(parts[2]),
            HMAC.areEqual(code, HMAC.sha256(of: Array("\(parts[0]).\(parts[1])".utf8), key: key)),
            let payload = Base64URL.decode(parts[1]).flatMap({ try? JSONValue.parse($0) }),
            let tenant = payload["tid"]?.string, let client = payload["appid"]?.string,
            let audience = payload["aud"]?.string, let expires = payload["exp"]?.integer
        else { return nil }
        return Claims(
            tenant: tenant, client: client, audience: audience, expires: EmulatorTime(milliseconds: expires * 1000))
    }
}
