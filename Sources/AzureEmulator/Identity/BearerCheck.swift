/// Who may ask the Resource Manager: the holder of a token that this emulator made, for its tenant and for this service,
/// and that has not ended.
struct BearerCheck: Sendable {
    let tenant: String
    let tokens: AccessTokens

    /// - Returns: what the token says of its holder.
    /// - Throws: 401 with the challenge that tells a client where to sign in.
    func check(
        _ request: EmulatorRequest, _ now: EmulatorTime, for audience: Audience = .resourceManager
    ) throws(ARMError) -> AccessTokens.Claims {
        let challenge =
            "Bearer authorization_uri=\"\(request.base)/\(tenant)\", error=\"invalid_token\", "
            + "error_description=\"The access token is missing or invalid.\""
        func refusal(_ code: String, _ message: String) -> ARMError {
            ARMError(401, code, message, headers: ["WWW-Authenticate": challenge])
        }
        guard let header = request.headers["authorization"], header.lowercased().hasPrefix("bearer ") else {
            throw refusal("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        }
        guard let claims = tokens.claims(of: String(header.dropFirst("bearer ".count))) else {
            throw refusal("InvalidAuthenticationToken", "The access token is invalid.")
        }
        guard claims.expires > now else {
            throw refusal(
                "ExpiredAuthenticationToken",
                "The access token expiry UTC time '\(claims.expires.text)' is earlier than current UTC time '\(now.text)'."
            )
        }
        guard claims.tenant.lowercased() == tenant.lowercased() else {
            throw refusal(
                "InvalidAuthenticationTokenTenant",
                "The access token is from the wrong issuer 'https://sts.windows.net/\(printable(claims.tenant))/'. It must match "
                    + "the tenant 'https://sts.windows.net/\(tenant)/' associated with this subscription.")
        }
        guard Audience(claims.audience) == audience else {
            let allowed = (Audience.ofResourceManager + ["\(request.base)/"]).map { "'\($0)'" }.joined(separator: ",")
            throw refusal(
                "InvalidAuthenticationTokenAudience",
                "The access token has been obtained for wrong audience or resource '\(printable(claims.audience))'. It should "
                    + "exactly match with one of the allowed audiences \(allowed).")
        }
        return claims
    }
}
