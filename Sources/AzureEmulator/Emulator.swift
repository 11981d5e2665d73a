internal import SalvorJSON
internal import Synchronization

/// An Azure Resource Manager and its sign-in, without the network: a request in, an answer out, the answer's effect on
/// disk.
package final class Emulator: Sendable {
    /// What is behind the lock.
    struct Core: Sendable {
        var state: EmulatorState
        /// Operations whose work is being done outside of the lock.
        var work: [String: Task<Void, Never>] = [:]
        /// Work that is done, while what it leaves behind is cleared away.
        var ending: [String: Task<Void, Never>] = [:]
        /// Operations that are looked at again when another ends.
        var waiting: Set<String> = []
    }

    let configuration: EmulatorConfiguration
    let equipment: Equipment
    let kinds: [String: any ResourceKind]
    let endpoints: [any Endpoint]
    let tokens: AccessTokens
    let bearer: BearerCheck
    let access: AccessRules
    let throttle: Throttle
    let replication: Replication
    let faults: Faults
    let clock: any EmulatorClock
    let makeID: @Sendable () -> String
    /// Where clients sign in; nil while it is not served.
    let address = Mutex<String?>(nil)
    let core: Mutex<Core>
    /// Woken when an operation begins.
    let bell = Bell()
    let file: StateFile
    private let recorder: Recorder?

    /// - Parameters:
    ///   - tokenKey: 32 secret bytes that tokens are signed with.
    ///   - clock: the time of operations and tokens.
    ///   - makeID: ids of operations and requests: UUIDs.
    package init(
        _ configuration: EmulatorConfiguration, equipment: Equipment = Equipment(), file: StateFile, tokenKey: [UInt8],
        faults: Faults = Faults(), recorder: Recorder? = nil, clock: any EmulatorClock,
        makeID: @escaping @Sendable () -> String
    ) throws {
        self.configuration = configuration
        self.equipment = equipment
        self.file = file
        self.clock = clock
        self.faults = faults
        self.recorder = recorder
        self.makeID = makeID
        let state = try file.load()
        try equipment.contents?.sweep(keeping: state.contents)
        core = Mutex(Core(state: state))
        replication = Replication(lag: configuration.replicationLag)
        access = AccessRules(configuration)
        throttle = Throttle(isOn: configuration.throttles)
        tokens = AccessTokens(secret: tokenKey, key: configuration.signingKey)
        bearer = BearerCheck(tenant: configuration.tenant, tokens: tokens)
        endpoints = [
            VaultService(),
            CloudMetadata(tenant: configuration.tenant), SignIn(configuration: configuration, tokens: tokens),
            Blobs(), BootDiagnostics(), Controls(), Directory(), TenantScope(),
        ]
        var kinds: [String: any ResourceKind] = [:]
        for kind in Self.allKinds { kinds[kind.type.lowercased()] = kind }
        self.kinds = kinds
    }

    /// The longest body that Azure takes.
    package static let longestBody = 4 << 20

    private static let allKinds: [any ResourceKind] =
        [
            ResourceGroups(), Deployments(), DeploymentOperations(), Tags(),
            Locks(), RoleDefinitions(), RoleAssignments(), Permissions(), PolicyDefinitions(), PolicyAssignments(),
            PolicyRestrictions(), UserAssignedIdentities(),
            Vaults(), VaultAccessPolicies(), DeletedVaults(), DeletedVaultList.ofVaults,
            Disks(), Snapshots(), VirtualMachines(), VMExtensions(),
            Images(), Galleries(), GalleryImages(), GalleryVersions(), AvailabilitySets(), DiskEncryptionSets(),
            VirtualNetworks(), Subnets(), NetworkInterfaces(), NetworkSecurityGroups(), SecurityRules(),
            PublicAddresses(),
        ] + DeletedVaultList.ofModules

    /// What is answered where a body is too long to be read.
    static func refuseBody(of path: String) -> EmulatorResponse {
        BlobPath.content(path.split(separator: "/").map(String.init)) == nil
            ? EmulatorResponse(.bodyTooLong) : BlobError.bodyTooLarge.response
    }

    /// Answers one request. What it has changed is on disk when this returns.
    package func answer(_ request: EmulatorRequest) async -> EmulatorResponse {
        let now = clock.now
        var response: EmulatorResponse
        do throws(ARMError) {
            response = try await answerOrThrow(request, now)
        } catch {
            response = EmulatorResponse(error)
        }
        let id = makeID()
        response.headers += [
            ("x-ms-request-id", id), ("x-ms-correlation-request-id", id), ("Cache-Control", "no-cache"),
            ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
        ]
        if let recorder, request.path.lowercased().hasPrefix("/subscriptions") { recorder.record(request, response) }
        return response
    }

    private func answerOrThrow(_ request: EmulatorRequest, _ now: EmulatorTime) async throws(ARMError)
        -> EmulatorResponse
    {
        let segments = request.path.split(separator: "/").map(String.init)
        for endpoint in endpoints {
            if let response = try await endpoint.answer(request, segments, now, self) { return response }
        }
        let caller = try bearer.check(request, now)
        _ = try APIVersion(request.query["api-version"])
        guard request.body.count <= Self.longestBody else { throw .bodyTooLong }
        guard let path = ARMPath(request.path, isType: { kinds[$0.lowercased()] != nil }) else {
            throw ARMError(
                404, "InvalidResourcePath", "The request path '\(printable(request.path))' names no resource.")
        }
        let body = try request.json()
        let surroundings = surroundings(
            now, base: request.base, caller: Caller(client: caller.client, object: caller.object))
        return try await faults.around(request, clock) { () throws(ARMError) in
            try await commit(now) { (state) throws(ARMError) in
                let headers = try throttle.take(path, request, in: state, now)
                let view = try access.check(path, request, body, surroundings, state, kinds)
                var response = try answer(path, request, body, surroundings, &state)
                view?.restrict(&response, state)
                response.headers += headers
                return response
            }
        }
    }

    func surroundings(_ now: EmulatorTime, base: String, caller: Caller?) -> Surroundings {
        Surroundings(
            now: now, base: base, caller: caller, tenant: configuration.tenant, roles: access.roles,
            latencies: configuration.latencies, offer: configuration.offer,
            isKind: { [kinds] in kinds[$0.lowercased()] != nil }, makeID: makeID)
    }

    /// Changes the state, and returns when that is on disk, and all that it may have seen.
    func commit<Result: Sendable>(
        _ now: EmulatorTime, _ body: (inout EmulatorState) throws(ARMError) -> Result
    ) async throws(ARMError) -> Result {
        let (result, written, changes) = core.withLock { core in
            // What has come due has come about, whatever becomes of the request.
            var changes = completeDue(&core, now)
            let result: Swift.Result<Result, ARMError>
            do throws(ARMError) {
                result = .success(try body(&core.state))
                changes.merge(core.state.takeChanges())
            } catch {
                // A refused request leaves nothing half-made.
                core.state.undo()
                result = .failure(error)
            }
            // Under the lock, so that changes reach the file in the order in which they were made.
            return (result, file.write(changes), changes)
        }
        if !changes.operations.isEmpty { bell.ring() }
        try await settle(written, changes)
        return try result.get()
    }

    /// Waits until changes are on disk, and clears away what they leave behind.
    func settle(_ written: StateFile.Written?, _ changes: EmulatorState.Changes) async throws(ARMError) {
        do {
            try await written?.wait()
        } catch {
            throw ARMError(500, "InternalServerError", "The emulator could not write its state to disk: \(error)")
        }
        // What cannot be removed now is removed at the next start.
        for content in changes.droppedContents { try? await equipment.contents?.remove(content) }
    }
}
