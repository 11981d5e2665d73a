internal import SalvorDigest
internal import SalvorJSON

/// The sign-in endpoints of one tenant: what Microsoft Entra ID answers to a client that wants a token.
struct SignIn: Endpoint {
    let configuration: EmulatorConfiguration
    let tokens: AccessTokens

    /// - Parameter segments: of the path: the tenant first.
    func answer(
        _ request: EmulatorRequest, _ segments: [String], _ now: EmulatorTime, _ emulator: Emulator
    ) async throws(ARMError) -> EmulatorResponse? {
        guard let tenant = segments.first, segments.count >= 2 else { return nil }
        let rest = segments.dropFirst().map { $0.lowercased() }
        switch rest {
        case ["v2.0", ".well-known", "openid-configuration"], [".well-known", "openid-configuration"]:
            return EmulatorResponse(200, json: openID(tenant, request.base))
        case ["oauth2", "v2.0", "token"], ["oauth2", "token"]:
            guard request.method == "POST" else { return EmulatorResponse(.methodNotAllowed(request.method)) }
            return token(Form(request.body), tenant, now)
        default: return nil
        }
    }

    private func openID(_ tenant: String, _ base: String) -> JSONValue {
        [
            "issuer": .string("\(base)/\(tenant)/v2.0"),
            "authorization_endpoint": .string("\(base)/\(tenant)/oauth2/v2.0/authorize"),
            "token_endpoint": .string("\(base)/\(tenant)/oauth2/v2.0/token"),
            "device_authorization_endpoint": .string("\(base)/\(tenant)/oauth2/v2.0/devicecode"),
            "jwks_uri": .string("\(base)/\(tenant)/discovery/v2.0/keys"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "response_types_supported": ["code", "id_token", "token"], "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"], "scopes_supported": ["openid"],
            "tenant_region_scope": "EU", "cloud_instance_name": "microsoftonline.com",
        ]
    }

    private func token(_ form: Form, _ tenant: String, _ now: EmulatorTime) -> EmulatorResponse {
        guard tenant.lowercased() == configuration.tenant.lowercased() else {
            return refusal(
                400, "invalid_request", 90_002, "Tenant '\(printable(tenant))' not found. Check the tenant's id.")
        }
        guard form["grant_type"] == "client_credentials" else {
            return refusal(
                400, "unsupported_grant_type", 70_003,
                "The app requested an unsupported grant type '\(printable(form["grant_type"] ?? ""))'.")
        }
        guard let client = form["client_id"],
            let application = configuration.applications.first(where: { $0.id.lowercased() == client.lowercased() })
        else {
            return refusal(
                400, "unauthorized_client", 700_016,
                "Application with identifier '\(printable(form["client_id"] ?? ""))' was not found in the directory "
                    + "'\(configuration.tenant)'.")
        }
        guard let secret = form["client_secret"], SHA256.digest(of: Array(secret.utf8)) == application.secretSHA256
        else {
            return refusal(
                401, "invalid_client", 7_000_215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
                    + "not the client secret ID, for a secret added to app '\(application.id)'.")
        }
        let scope = form["scope"] ?? form["resource"] ?? ""
        let suffix = "/.default"
        let audience = scope.hasSuffix(suffix) ? String(scope.dropLast(suffix.count)) : scope
        let claims = AccessTokens.Claims(
            tenant: configuration.tenant, client: application.id, audience: audience,
            expires: now + .seconds(AccessTokens.lifetimeSeconds))
        return EmulatorResponse(
            200,
            json: [
                "token_type": "Bearer", "expires_in": .integer(AccessTokens.lifetimeSeconds),
                "ext_expires_in": .integer(AccessTokens.lifetimeSeconds),
                "access_token": .string(tokens.issue(claims, now: now)),
            ], headers: [("Cache-Control", "no-store, no-cache")])
    }

    /// Entra's own form of an error, which is not ARM's.
    private func refusal(_ status: Int, _ error: String, _ number: Int64, _ text: String) -> EmulatorResponse {
        EmulatorResponse(
            status,
            json: [
                "error": .string(error), "error_description": .string("AADSTS\(number): \(text)"),
                "error_codes": [.integer(number)],
            ])
    }
}

/// The fields of a form as browsers send it: `a=b&c=d`.
struct Form {
    private var fields: [String: String] = [:]

    init(_ bytes: [UInt8]) {
        for pair in bytes.split(separator: UInt8(ascii: "&")) {
            let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            fields[Self.decode(halves[0])] = halves.count == 2 ? Self.decode(halves[1]) : ""
        }
    }

    subscript(name: String) -> String? { fields[name] }

    static func decode(_ bytes: some Sequence<UInt8>) -> String {
        var decoded: [UInt8] = []
        var rest = Array(bytes)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                decoded.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                decoded.append(value)
                rest = rest.dropFirst(2)
            } else {
                decoded.append(byte)
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }
}
