internal import SalvorJSON
internal import Synchronization

/// What is in the vaults: Key Vault's own interface, at each vault's address.
struct VaultService: Endpoint {
    private static let suffix = ".vault.localhost"

    func answer(
        _ request: EmulatorRequest, _ segments: [String], _ now: EmulatorTime, _ emulator: Emulator
    ) async throws(ARMError) -> EmulatorResponse? {
        guard let name = request.vault?.name ?? Self.name(in: request.base) else { return nil }
        let caller = try caller(of: request, now, emulator)
        let subscriptions = emulator.configuration.subscriptions.map(\.id)
        let vault = emulator.look { state in
            subscriptions.lazy.compactMap { Vaults.named(name, in: state, $0) }.first
        }
        guard let vault else {
            throw .vault(404, "VaultNotFound", "There is no vault '\(printable(name))'.")
        }
        guard request.query["api-version"]?.isEmpty == false else {
            throw .vault(400, "BadParameter", "api-version must be specified")
        }
        guard request.body.count <= Emulator.longestBody else { throw .bodyTooLong }
        let call = VaultCall(
            vault: vault, method: request.method, segments: segments, query: request.query, body: try request.json(),
            now: now, version: emulator.makeID().filter { $0 != "-" },
            access: VaultAccess(
                vault: vault, caller: caller, roles: emulator.access.roles, tenant: emulator.configuration.tenant))
        return try await emulator.faults.around(request, emulator.clock) { () throws(ARMError) in
            // Keys are made before the state is locked: it takes its time.
            let key = try emulator.look(call.isAllowedToAddKey).get() ? call.newKey() : nil
            return try await emulator.commit(now) { (state) throws(ARMError) in try call.answer(key, in: &state) }
        }
    }

    /// The vault that an address of the emulator's own port names.
    private static func name(in base: String) -> String? {
        let host = base.dropFirst("https://".count).prefix { $0 != ":" }.lowercased()
        guard host.hasSuffix(suffix) else { return nil }
        return String(host.dropLast(suffix.count))
    }

    /// - Throws: 401 with the challenge from which clients learn where to sign in, and for what.
    private func caller(
        of request: EmulatorRequest, _ now: EmulatorTime, _ emulator: Emulator
    ) throws(ARMError) -> Caller {
        let address = emulator.address.withLock { $0 } ?? request.base
        let tenant = emulator.configuration.tenant
        let challenge =
            "Bearer authorization=\"\(address)/\(tenant)\", resource=\"\(Audience.ofVaults)\""
        func refusal(_ message: String) -> ARMError {
            ARMError(401, "Unauthorized", message, headers: ["WWW-Authenticate": challenge])
        }
        guard let header = request.headers["authorization"], header.lowercased().hasPrefix("bearer ") else {
            throw refusal("AKV10000: Request is missing a Bearer or PoP token.")
        }
        guard let claims = emulator.tokens.claims(of: String(header.dropFirst("bearer ".count))) else {
            throw refusal("AKV10046: Unable to resolve the key used for signature validation.")
        }
        guard claims.expires > now else { throw refusal("[TokenExpired] Error validating token: 'S2S12086'.") }
        guard claims.tenant.lowercased() == tenant.lowercased() else {
            throw refusal(
                "AKV10032: Invalid issuer. Expected one of https://sts.windows.net/\(tenant)/, found "
                    + "https://sts.windows.net/\(printable(claims.tenant))/.")
        }
        guard Audience(claims.audience) == .vault else {
            throw refusal(
                "AKV10022: Invalid audience. Expected \(Audience.ofVaults), found: \(printable(claims.audience)).")
        }
        return Caller(client: claims.client, object: claims.object)
    }
}
