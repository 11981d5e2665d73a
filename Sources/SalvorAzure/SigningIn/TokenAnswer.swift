internal import SalvorJSON

/// A token, as sign-in endpoints and metadata services give it out.
enum TokenAnswer {
    /// - Parameter now: seconds since 1970.
    /// - Returns: nil for what is no answer with a token.
    static func token(_ body: [UInt8], now: Int64, halvesLongOnes: Bool = false) -> AccessToken? {
        guard let json = try? JSONValue.parse(body), let secret = json["access_token"]?.string, !secret.isEmpty else {
            return nil
        }
        let lifetime = number(json["expires_in"])
        guard let expires = number(json["expires_on"]) ?? lifetime.map({ now + $0 }) else { return nil }
        var refresh = number(json["refresh_in"]).map { now + $0 }
        // As azure-identity does with tokens of managed identities, which live for a day.
        if halvesLongOnes, refresh == nil, expires - now >= 7200 { refresh = now + (expires - now) / 2 }
        return AccessToken(secret: secret, expires: expires, refresh: refresh.map { min($0, expires) })
    }

    /// Some services write numbers as texts.
    static func number(_ value: JSONValue?) -> Int64? { value?.integer ?? value?.string.flatMap { Int64($0) } }
}
