internal import Foundation
internal import SalvorJSON

/// What an application says of itself in the place of a secret ("Microsoft identity platform application authentication
/// certificate credentials").
struct ClientAssertion {
    static let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

    let client: String
    /// The token endpoint that it is meant for.
    let audience: String
    /// Seconds since 1970.
    let now: Int64
    let id: String

    private static let lifetimeSeconds: Int64 = 600
    /// By which clocks may differ.
    private static let skewSeconds: Int64 = 60

    static func proof(_ assertion: String) -> [(name: String, value: String)] {
        [("client_assertion_type", type), ("client_assertion", assertion)]
    }

    /// - Parameter isOld: by the means that AD FS knows: RS256 and a SHA-1 thumbprint in the place of PS256 and SHA-256.
    /// - Returns: nil where the key signs nothing.
    func signed(by key: CertificateKey, isOld: Bool = false, sendsChain: Bool = false) -> String? {
        var header: [String: JSONValue] = [
            "typ": "JWT", "alg": isOld ? "RS256" : "PS256",
            isOld ? "x5t" : "x5t#S256": .string(Self.base64(isOld ? key.sha1 : key.sha256)),
        ]
        if sendsChain { header["x5c"] = .array(key.chain.map { .string(Data($0).base64EncodedString()) }) }
        let payload: JSONValue = [
            "aud": .string(audience), "iss": .string(client), "sub": .string(client), "jti": .string(id),
            "iat": .integer(now), "nbf": .integer(now - Self.skewSeconds), "exp": .integer(now + Self.lifetimeSeconds),
        ]
        let text = [.object(header), payload].map { Self.base64($0.utf8) }.joined(separator: ".")
        return key.sign(Array(text.utf8), isProbabilistic: !isOld).map { "\(text).\(Self.base64($0))" }
    }

    /// In the alphabet of URLs, without padding (RFC 4648, section 5).
    private static func base64(_ bytes: [UInt8]) -> String {
        String(
            Data(bytes).base64EncodedString().compactMap { character -> Character? in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }
}
