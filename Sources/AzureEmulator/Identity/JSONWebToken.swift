package import SalvorJSON

/// A signed JSON web token in its compact form (RFC 7515, section 3.1), read but not yet believed.
struct JSONWebToken {
    let header: JSONValue
    let payload: JSONValue
    let signature: [UInt8]
    /// What is signed.
    let text: [UInt8]

    /// - Returns: nil for text of another form.
    init?(_ token: String) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), let payload = Self.object(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else { return nil }
        self.header = header
        self.payload = payload
        self.signature = signature
        text = Array("\(parts[0]).\(parts[1])".utf8)
    }

    private static func object(_ part: Substring) -> JSONValue? {
        guard let value = Base64URL.decode(part).flatMap({ try? JSONValue.parse($0) }), value.object != nil else {
            return nil
        }
        return value
    }

    /// Whether the key's owner signed it, with one of the RSA algorithms.
    func isSigned(by key: RSAKey) -> Bool {
        guard let algorithm = header["alg"]?.string.flatMap(RSASignature.init) else { return false }
        return algorithm.verifies(signature, of: algorithm.digest(of: text), with: key)
    }

    /// A time in the payload, which may be written with a fraction.
    func time(_ name: String) -> EmulatorTime? {
        switch payload[name] {
        case .integer(let seconds) where abs(seconds) < 1 << 40: EmulatorTime(milliseconds: seconds * 1000)
        case .number(let seconds) where abs(seconds) < 1e12: EmulatorTime(milliseconds: Int64(seconds * 1000))
        default: nil
        }
    }

    /// The audiences: one text, or several.
    var audiences: [String] {
        payload["aud"]?.string.map { [$0] } ?? (payload["aud"]?.array ?? []).compactMap(\.string)
    }

    static func unsigned(_ header: JSONValue, _ payload: JSONValue) -> String {
        [header, payload].map { Base64URL.encode($0.text.utf8) }.joined(separator: ".")
    }
}

extension RSAKey {
    /// The name of the key in tokens and key sets: the thumbprint of RFC 7638.
    package var thumbprint: String {
        let text = "{\"e\":\"\(Base64URL.encode(exponent))\",\"kty\":\"RSA\",\"n\":\"\(Base64URL.encode(modulus))\"}"
        return Base64URL.encode(RSASignature.rs256.digest(of: Array(text.utf8)))
    }

    /// A JSON web token that this key signs.
    /// - Returns: nil for a key without its private half.
    package func token(_ payload: JSONValue) -> String? {
        let text = JSONWebToken.unsigned(["alg": "RS256", "typ": "JWT", "kid": .string(thumbprint)], payload)
        let algorithm = RSASignature.rs256
        guard let signature = algorithm.sign(digest: algorithm.digest(of: Array(text.utf8)), with: self) else {
            return nil
        }
        return "\(text).\(Base64URL.encode(signature))"
    }

    /// The public half as a JSON web key.
    package var publicJWK: JSONValue {
        [
            "kty": "RSA", "n": .string(Base64URL.encode(modulus)), "e": .string(Base64URL.encode(exponent)),
        ]
    }
}
