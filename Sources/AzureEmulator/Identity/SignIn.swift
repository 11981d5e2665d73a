internal import SalvorDigest
internal import SalvorJSON

/// The sign-in endpoints of one tenant: what Microsoft Entra ID answers to a client that wants a token.
struct SignIn: Endpoint {
    let configuration: EmulatorConfiguration
    let tokens: AccessTokens

    /// Names of no tenant in particular.
    private static let anyTenant = ["common", "organizations", "consumers"]

    /// - Parameter segments: of the path: the tenant first.
    func answer(
        _ request: EmulatorRequest, _ segments: [String], _ now: EmulatorTime, _ emulator: Emulator
    ) async throws(ARMError) -> EmulatorResponse? {
        guard let tenant = segments.first, segments.count >= 2 else { return nil }
        let rest = segments.dropFirst().map { $0.lowercased() }
        let id = emulator.makeID
        do throws(EntraError) {
            switch rest {
            case ["v2.0", ".well-known", "openid-configuration"]:
                return EmulatorResponse(200, json: openID(try known(tenant), request.base, version: "/v2.0"))
            case [".well-known", "openid-configuration"]:
                return EmulatorResponse(200, json: openID(try known(tenant), request.base, version: ""))
            case ["discovery", "v2.0", "keys"], ["discovery", "keys"]:
                _ = try known(tenant)
                return EmulatorResponse(200, json: tokens.keySet)
            case ["discovery", "instance"]: return EmulatorResponse(200, json: instance(request))
            case ["oauth2", "v2.0", "token"], ["oauth2", "token"]:
                guard request.method == "POST" else { return EmulatorResponse(.methodNotAllowed(request.method)) }
                return try token(
                    Form(request.body), try known(tenant), request, now, isVersion2: rest.contains("v2.0"))
            default: return nil
            }
        } catch {
            return error.response(now, id: id())
        }
    }

    /// - Returns: the tenant, or the name of none in particular.
    private func known(_ tenant: String) throws(EntraError) -> String {
        if tenant.lowercased() == configuration.tenant.lowercased() { return configuration.tenant }
        guard Self.anyTenant.contains(tenant.lowercased()) else {
            throw EntraError(
                400, "invalid_request", 90_002,
                "Tenant '\(printable(tenant))' not found. Check to make sure you have the correct tenant ID and are signing "
                    + "into the correct cloud.")
        }
        return tenant.lowercased()
    }

    /// - Parameter version: `/v2.0`, or nothing for the first.
    private func openID(_ tenant: String, _ base: String, version: String) -> JSONValue {
        let issuer = Self.anyTenant.contains(tenant) ? "{tenantid}" : tenant
        return [
            "issuer": .string(
                version.isEmpty ? "https://sts.windows.net/\(issuer)/" : "\(base)/\(issuer)\(version)"),
            "authorization_endpoint": .string("\(base)/\(tenant)/oauth2\(version)/authorize"),
            "token_endpoint": .string("\(base)/\(tenant)/oauth2\(version)/token"),
            "device_authorization_endpoint": .string("\(base)/\(tenant)/oauth2\(version)/devicecode"),
            "jwks_uri": .string("\(base)/\(tenant)/discovery\(version)/keys"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "response_types_supported": ["code", "id_token", "token"], "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"], "scopes_supported": ["openid"],
            "tenant_region_scope": "EU", "cloud_instance_name": "microsoftonline.com",
        ]
    }

    private func instance(_ request: EmulatorRequest) -> JSONValue {
        let host = String(request.base.dropFirst("https://".count))
        return [
            "tenant_discovery_endpoint": .string(
                "\(request.base)/\(configuration.tenant)/v2.0/.well-known/openid-configuration"),
            "api-version": "1.1",
            "metadata": [
                [
                    "preferred_network": .string(host), "preferred_cache": .string(host), "aliases": [.string(host)],
                ]
            ],
        ]
    }

    private func token(
        _ form: Form, _ tenant: String, _ request: EmulatorRequest, _ now: EmulatorTime, isVersion2: Bool
    ) throws(EntraError) -> EmulatorResponse {
        guard form["grant_type"] == "client_credentials" else {
            throw EntraError(
                400, "unsupported_grant_type", 70_003,
                "The app requested an unsupported grant type '\(printable(form["grant_type"] ?? ""))'.")
        }
        guard tenant == configuration.tenant else {
            throw EntraError(
                400, "invalid_request", 50_059,
                "No tenant-identifying information found in either the request or implied by any provided credentials.")
        }
        guard let client = form["client_id"],
            let application = configuration.applications.first(where: { $0.id.lowercased() == client.lowercased() })
        else {
            throw EntraError(
                400, "unauthorized_client", 700_016,
                "Application with identifier '\(printable(form["client_id"] ?? ""))' was not found in the directory "
                    + "'\(configuration.tenant)'.")
        }
        try checkCredential(form, of: application, request, now)
        let resource = try isVersion2 ? Self.scope(form) : Self.resource(form)
        guard Audience(resource) != nil else {
            throw EntraError(
                400, "invalid_resource", 500_011,
                "The resource principal named \(printable(resource)) was not found in the tenant named "
                    + "\(configuration.tenant).")
        }
        let claims = AccessTokens.Claims(
            tenant: configuration.tenant, client: application.id, object: application.objectID, audience: resource,
            expires: now + .seconds(AccessTokens.lifetimeSeconds))
        return EmulatorResponse(
            200, json: Self.answer(tokens.issue(claims, now: now), claims, now, isVersion2: isVersion2),
            headers: [("Cache-Control", "no-store, no-cache"), ("Pragma", "no-cache")])
    }

    private func checkCredential(
        _ form: Form, of application: EmulatorConfiguration.Application, _ request: EmulatorRequest,
        _ now: EmulatorTime
    ) throws(EntraError) {
        if let assertion = form["client_assertion"] {
            guard form["client_assertion_type"] == ClientAssertion.type else {
                throw EntraError(
                    400, "invalid_request", 50_027,
                    "The 'client_assertion_type' has to be '\(ClientAssertion.type)'.")
            }
            guard let token = JSONWebToken(assertion) else {
                throw .malformedAssertion("It is not three parts in base64.")
            }
            let tenant = "\(request.base)/\(configuration.tenant)"
            try ClientAssertion(token: token, application: application, now: now).check(
                audiences: [
                    "\(tenant)/oauth2/v2.0/token", "\(tenant)/oauth2/token", "\(tenant)/v2.0", tenant, "\(tenant)/",
                ])
            return
        }
        guard let secret = form["client_secret"] else {
            throw EntraError(
                401, "invalid_client", 7_000_218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
        }
        guard let wanted = application.secretSHA256,
            HMAC.areEqual(SHA256.digest(of: Array(secret.utf8)).bytes, wanted.bytes)
        else {
            throw EntraError(
                401, "invalid_client", 7_000_215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
                    + "not the client secret ID, for a secret added to app '\(application.id)'.")
        }
    }

    /// The resource of a second version's scope.
    private static func scope(_ form: Form) throws(EntraError) -> String {
        guard let scope = form["scope"], !scope.isEmpty else { throw .missing("scope") }
        // Clients add these, which mean nothing where an application signs in.
        let wanted = scope.split(separator: " ").map(String.init).filter {
            !["openid", "profile", "offline_access"].contains($0)
        }
        let suffix = "/.default"
        guard wanted.count == 1, let only = wanted.first, only.hasSuffix(suffix) else {
            throw EntraError(
                400, "invalid_scope", 1_002_012,
                "The provided value for scope \(printable(scope)) is not valid. Client credential flows must have a scope "
                    + "value with /.default suffixed to the resource identifier (application ID URI).")
        }
        return String(only.dropLast(suffix.count))
    }

    private static func resource(_ form: Form) throws(EntraError) -> String {
        guard let resource = form["resource"], !resource.isEmpty else { throw .missing("resource") }
        return resource
    }

    /// The first version writes numbers as texts.
    private static func answer(
        _ token: String, _ claims: AccessTokens.Claims, _ now: EmulatorTime, isVersion2: Bool
    ) -> JSONValue {
        guard !isVersion2 else {
            return [
                "token_type": "Bearer", "expires_in": .integer(AccessTokens.lifetimeSeconds),
                "ext_expires_in": .integer(AccessTokens.lifetimeSeconds), "access_token": .string(token),
            ]
        }
        let seconds = String(AccessTokens.lifetimeSeconds)
        return [
            "token_type": "Bearer", "expires_in": .string(seconds), "ext_expires_in": .string(seconds),
            "expires_on": .string(String(claims.expires.milliseconds / 1000)),
            "not_before": .string(String(now.milliseconds / 1000)), "resource": .string(claims.audience),
            "access_token": .string(token),
        ]
    }
}
