internal import SalvorDigest
internal import SalvorJSON

/// Tokens for a machine's own identities, as its metadata service gives them out.
struct ManagedIdentity {
    let emulator: Emulator
    /// Nil for the machine that the emulator runs on.
    let machine: ResourceID?

    private struct Identity {
        var clientID: String
        var objectID: String
        /// Nil for the identity that goes with the machine.
        var resourceID: String?
    }

    private struct Refusal: Error {
        var error: String
        var text: String
    }

    /// `/metadata/identity/…`.
    func answer(_ request: EmulatorRequest, _ path: [String]) -> EmulatorResponse {
        func refuse(_ status: Int, _ error: String, _ text: String) -> EmulatorResponse {
            EmulatorResponse(status, json: ["error": .string(error), "error_description": .string(text)])
        }
        if let refusal = InstanceMetadata.refusal(of: request) { return refuse(400, "invalid_request", refusal) }
        guard request.method == "GET" else { return refuse(405, "invalid_request", "Method not allowed") }
        guard (try? APIVersion(request.query["api-version"])) != nil else {
            return refuse(400, "invalid_request", "Required query variable 'api-version' is missing or invalid")
        }
        switch path {
        case ["info"]:
            return EmulatorResponse(200, json: ["tenantId": .string(emulator.configuration.tenant)])
        case ["oauth2", "token"]:
            do throws(Refusal) {
                let (token, claims, now) = try token(
                    request.query, ids: ["client_id", "object_id", "mi_res_id", "msi_res_id"])
                let seconds = String(AccessTokens.lifetimeSeconds)
                return EmulatorResponse(
                    200,
                    json: [
                        "access_token": .string(token), "client_id": .string(claims.client),
                        "expires_in": .string(seconds), "ext_expires_in": .string(seconds),
                        "expires_on": .string(String(claims.expires.milliseconds / 1000)),
                        "not_before": .string(String(now.milliseconds / 1000)), "resource": .string(claims.audience),
                        "token_type": "Bearer",
                    ])
            } catch {
                return refuse(400, error.error, error.text)
            }
        default: return refuse(404, "not_found", "Not found")
        }
    }

    /// The form of App Service, Functions and Automation, 2019-08-01.
    func answerAppService(_ request: EmulatorRequest, header: String) -> EmulatorResponse {
        func refuse(_ status: Int64, _ text: String) -> EmulatorResponse {
            EmulatorResponse(Int(status), json: ["statusCode": .integer(status), "message": .string(text)])
        }
        guard request.method == "GET" else { return refuse(405, "Method not allowed") }
        let given = request.headers["x-identity-header"] ?? ""
        guard HMAC.areEqual(Array(given.utf8), Array(header.utf8)) else {
            return refuse(401, "The X-IDENTITY-HEADER is missing or wrong.")
        }
        guard request.query["api-version"] == "2019-08-01" else {
            return refuse(400, "The api-version is missing or not supported.")
        }
        do throws(Refusal) {
            let (token, claims, _) = try token(
                request.query, ids: ["client_id", "principal_id", "object_id", "mi_res_id"])
            return EmulatorResponse(
                200,
                json: [
                    "access_token": .string(token), "client_id": .string(claims.client),
                    "expires_on": .string(String(claims.expires.milliseconds / 1000)),
                    "resource": .string(claims.audience), "token_type": "Bearer",
                ])
        } catch {
            return refuse(400, error.text)
        }
    }

    private func token(
        _ query: [String: String], ids: [String]
    ) throws(Refusal) -> (String, AccessTokens.Claims, EmulatorTime) {
        guard let resource = query["resource"], !resource.isEmpty else {
            throw Refusal(error: "invalid_request", text: "Required query variable 'resource' is missing")
        }
        guard Audience(resource) != nil else {
            throw Refusal(
                error: "invalid_resource",
                text:
                    "AADSTS500011: The resource principal named \(printable(resource)) was not found in the tenant named "
                    + "\(emulator.configuration.tenant).")
        }
        let wanted = ids.compactMap { query[$0].map { $0.lowercased() } }
        guard wanted.count <= 1 else {
            throw Refusal(error: "invalid_request", text: "Only one of \(ids.joined(separator: ", ")) may be given")
        }
        let identities = identities()
        let found =
            if let id = wanted.first {
                identities.first {
                    [$0.clientID, $0.objectID, $0.resourceID ?? ""].map { $0.lowercased() }.contains(id)
                }
            } else {
                // One of many is not chosen by itself.
                identities.first { $0.resourceID == nil } ?? (identities.count == 1 ? identities.first : nil)
            }
        guard let found else { throw Refusal(error: "invalid_request", text: "Identity not found") }
        let now = emulator.clock.now
        let claims = AccessTokens.Claims(
            tenant: emulator.configuration.tenant, client: found.clientID, object: found.objectID, audience: resource,
            expires: now + .seconds(AccessTokens.lifetimeSeconds))
        return (emulator.tokens.issue(claims, now: now), claims, now)
    }

    /// That of the machine itself first.
    private func identities() -> [Identity] {
        guard let machine else {
            return emulator.configuration.hostIdentity.map {
                [Identity(clientID: $0.clientID, objectID: $0.objectID)]
            } ?? []
        }
        return emulator.look { state in
            guard let identity = state[machine]?.body["identity"] else { return [] }
            var found: [Identity] = []
            if let principal = identity["principalId"]?.string {
                found.append(Identity(clientID: PrincipalID.derived(from: principal), objectID: principal))
            }
            for id in (identity["userAssignedIdentities"]?.object ?? [:]).keys.sorted() {
                guard let assigned = ResourceID(id).flatMap({ state[$0] }),
                    let client = assigned.body[path: "properties.clientId"]?.string,
                    let principal = assigned.body[path: "properties.principalId"]?.string
                else { continue }
                found.append(Identity(clientID: client, objectID: principal, resourceID: id))
            }
            return found
        }
    }
}
