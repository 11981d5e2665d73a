internal import GRPCCore
internal import Logging
internal import SalvorAgentCore
internal import SalvorDigest
internal import SalvorMessages
internal import SalvorTransport
internal import Synchronization

/// The agent's connection to its coordinator: dialled, enrolled for, kept, and dialled again when it breaks.
final class CoordinatorLink: Sendable {
    private let run: String
    private let host: String
    private let address: (host: String, port: UInt16)
    private let authority: Digest
    private let enrolment: Enrolment
    private let services: [any RegistrableRPCService]
    private let watch: CoordinatorWatch<ContinuousClock>
    private let logger: Logger
    private let serving = Mutex<Connection?>(nil)

    init(
        bootstrap: Salvor_V1_Bootstrap, address: (host: String, port: UInt16), key: KeyPair,
        services: [any RegistrableRPCService], watch: CoordinatorWatch<ContinuousClock>, logger: Logger
    ) throws(TransportError) {
        guard let authority = Digest(bytes: bootstrap.caFingerprint) else {
            preconditionFailure("Bootstrap.read has checked the fingerprint's length")
        }
        run = bootstrap.run
        host = bootstrap.host
        self.address = address
        self.authority = authority
        self.services = services
        self.watch = watch
        self.logger = logger
        enrolment = try Enrolment(run: run, host: host, key: key, token: bootstrap.enrolmentToken)
    }

    /// Stays linked until cancelled.
    func keep() async {
        var backoff = Backoff(initial: .milliseconds(200), maximum: .seconds(10))
        var random = SystemRandomNumberGenerator()
        var identity: LocalIdentity?
        while !Task.isCancelled {
            do {
                if let identity {
                    try await serve(as: identity) { backoff.reset() }
                } else {
                    identity = try await enrol()
                    logger.info("enrolled as \(host)")
                    backoff.reset()
                    continue
                }
            } catch {
                // A certificate that is refused is of no use any more: the token decides whether there is another.
                if (error as? TransportError)?.code == .refusedByPeer { identity = nil }
                logger.warning("no link to the coordinator at \(address.host):\(address.port): \(error)")
            }
            guard (try? await Task.sleep(for: backoff.next(using: &random))) != nil else { return }
        }
    }

    /// Lets the calls of the present connection end, and closes it.
    func drain() async {
        guard let connection = serving.withLock({ $0 }) else { return }
        connection.drain()
        await withTaskGroup { group in
            group.addTask { _ = await connection.closed() }
            group.addTask {
                // A caller that holds a call open must not keep the machine running.
                try? await Task.sleep(for: .seconds(2))
                connection.close()
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func enrol() async throws -> LocalIdentity {
        let connection = try await dial(as: nil)
        let service = enrolment.makeService()
        try await GRPCServer(transport: SalvorServerTransport(connection), services: [service]).serve()
        return try service.installedIdentity()
    }

    private func serve(as identity: LocalIdentity, onConnected: () -> Void) async throws {
        let connection = try await dial(as: identity)
        onConnected()
        logger.info("linked to the coordinator at \(address.host):\(address.port)")
        serving.withLock { $0 = connection }
        await watch.connected()
        let server = GRPCServer(transport: SalvorServerTransport(connection), services: services)
        let result = await Result { try await server.serve() }
        serving.withLock { $0 = nil }
        await watch.disconnected()
        try result.get()
        if let why = await connection.closed() { throw why }
        logger.info("the coordinator closed the link")
    }

    private func dial(as identity: LocalIdentity?) async throws(TransportError) -> Connection {
        let endpoint = Endpoint.host(run: run, authorityFingerprint: authority, identity: identity)
        return try await Dialler(as: endpoint).connect(host: address.host, port: Int(address.port))
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
