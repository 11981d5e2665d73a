internal import Logging
internal import SalvorJSON
internal import Synchronization

/// An Azure Resource Manager and its sign-in, without the network: a request in, an answer out, the answer's effect on
/// disk.
package final class Emulator: Sendable {
    let configuration: EmulatorConfiguration
    private let file: StateFile
    private let state: Mutex<EmulatorState>
    let kinds: [String: any ResourceKind]
    private let signIn: SignIn
    private let bearer: BearerCheck
    private let clock: @Sendable () -> EmulatorTime
    let makeID: @Sendable () -> String

    /// - Parameters:
    ///   - tokenKey: 32 secret bytes that tokens are signed with.
    ///   - clock: the time of operations and tokens.
    ///   - makeID: ids of operations and requests: UUIDs.
    package init(
        _ configuration: EmulatorConfiguration, file: StateFile, tokenKey: [UInt8],
        clock: @escaping @Sendable () -> EmulatorTime, makeID: @escaping @Sendable () -> String
    ) throws {
        self.configuration = configuration
        self.file = file
        self.clock = clock
        self.makeID = makeID
        state = Mutex(try file.load())
        let tokens = AccessTokens(key: tokenKey)
        bearer = BearerCheck(tenant: configuration.tenant, tokens: tokens)
        signIn = SignIn(configuration: configuration, tokens: tokens)
        var kinds: [String: any ResourceKind] = [:]
        for kind in Self.allKinds { kinds[kind.type.lowercased()] = kind }
        self.kinds = kinds
    }

    /// The longest body that Azure takes.
    package static let longestBody = 4 << 20

    private static let allKinds: [any ResourceKind] = [
        ResourceGroups(), Disks(), Snapshots(), VirtualMachines(), VirtualNetworks(), Subnets(), NetworkInterfaces(),
        NetworkSecurityGroups(), PublicAddresses(), Deployments(),
    ]

    /// Answers one request. What it has changed is on disk when this returns.
    package func answer(_ request: EmulatorRequest) async -> EmulatorResponse {
        let now = clock()
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
        return response
    }

    private func answerOrThrow(_ request: EmulatorRequest, _ now: EmulatorTime) async throws(ARMError)
        -> EmulatorResponse
    {
        let segments = request.path.split(separator: "/").map(String.init)
        if segments.map({ $0.lowercased() }) == ["metadata", "endpoints"] {
            return EmulatorResponse(200, json: CloudMetadata.document(request.base, tenant: configuration.tenant))
        }
        if let response = signIn.answer(request, segments, now: now) { return response }
        try bearer.check(request, now)
        _ = try APIVersion(request.query["api-version"])
        guard request.body.count <= Self.longestBody else {
            throw .bodyTooLong
        }
        guard let path = ARMPath(request.path, isType: { kinds[$0.lowercased()] != nil }) else {
            throw ARMError(
                404, "InvalidResourcePath", "The request path '\(printable(request.path))' names no resource.")
        }
        let body = try request.json()
        return try await commit(now) { (state) throws(ARMError) in
            try answer(path, request, body, now, &state)
        }
    }

    /// Changes the state, and returns when that is on disk.
    private func commit(
        _ now: EmulatorTime, _ body: (inout EmulatorState) throws(ARMError) -> EmulatorResponse
    ) async throws(ARMError) -> EmulatorResponse {
        let (result, written) = state.withLock { state in
            // What has come due has come about, whatever becomes of the request.
            completeDue(&state, now)
            var changes = state.takeChanges()
            let result: Result<EmulatorResponse, ARMError>
            do throws(ARMError) {
                result = .success(try body(&state))
                changes.merge(state.takeChanges())
            } catch {
                // A refused request leaves nothing half-made.
                state.undo()
                result = .failure(error)
            }
            // Under the lock, so that changes reach the file in the order in which they were made.
            return (result, file.write(changes))
        }
        do {
            try await written?.value
        } catch {
            throw ARMError(500, "InternalServerError", "The emulator could not write its state to disk: \(error)")
        }
        return try result.get()
    }

    private func completeDue(_ state: inout EmulatorState, _ now: EmulatorTime) {
        let context = EffectContext(now: now, latencies: configuration.latencies, makeID: makeID, kinds: kinds)
        for var operation in state.due(at: now) {
            do throws(ARMError) {
                switch try context.kind(operation.target.type).complete(operation, context, in: &state) {
                case .done(let output):
                    operation.output = output
                    operation.status = .succeeded
                case .again(let pause):
                    operation.due = operation.due + pause
                    state.put(operation)
                    continue
                }
            } catch {
                operation.status = .failed
                operation.error = error.json
            }
            operation.ended = operation.due
            state.put(operation)
        }
    }
}
