internal import GRPCCore
internal import Logging
internal import SalvorAgentCore
internal import SalvorDigest
internal import SalvorMessages
internal import SalvorTransport
internal import Synchronization

/// The agent's connection to its coordinator: dialled or waited for, enrolled for, kept, and had again when it breaks.
final class CoordinatorLink: Sendable {
    let run: String
    let host: String
    let authority: Digest
    private let route: Salvor_V1_Bootstrap.Route
    private let enrolment: Enrolment
    private let services: [any RegistrableRPCService]
    private let watch: CoordinatorWatch<ContinuousClock>
    let logger: Logger
    private let serving = Mutex<Connection?>(nil)

    init(
        bootstrap: Salvor_V1_Bootstrap, route: Salvor_V1_Bootstrap.Route, key: KeyPair,
        services: [any RegistrableRPCService], watch: CoordinatorWatch<ContinuousClock>, logger: Logger
    ) throws(TransportError) {
        guard let authority = Digest(bytes: bootstrap.caFingerprint) else {
            preconditionFailure("Bootstrap.read has checked the fingerprint's length")
        }
        run = bootstrap.run
        host = bootstrap.host
        self.route = route
        self.authority = authority
        self.services = services
        self.watch = watch
        self.logger = logger
        enrolment = try Enrolment(run: run, host: host, key: key, token: bootstrap.enrolmentToken)
    }

    /// Stays linked until cancelled.
    func keep() async {
        switch route {
        case .dial(let host, let port): await keepDialling(host, port)
        case .listen(let port): await keepListening(on: port)
        }
    }

    private func keepDialling(_ address: String, _ port: UInt16) async {
        var backoff = Backoff(initial: .milliseconds(200), maximum: .seconds(10))
        var random = SystemRandomNumberGenerator()
        var identity: LocalIdentity?
        while !Task.isCancelled {
            do {
                let dialler = try Dialler(as: endpoint(identity))
                let connection = try await dialler.connect(host: address, port: Int(port))
                if identity != nil {
                    backoff.reset()
                    takeOver(connection)
                    try await serve(connection)
                } else {
                    identity = try await enrol(over: connection)
                    backoff.reset()
                    continue
                }
            } catch {
                // A certificate that is refused is of no use any more: the token decides whether there is another.
                if (error as? TransportError)?.refusesOurCertificate == true { identity = nil }
                logger.warning("no link to the coordinator at \(address):\(port): \(error)")
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

    func endpoint(_ identity: LocalIdentity?) -> Endpoint {
        .host(run: run, authorityFingerprint: authority, identity: identity)
    }

    func enrol(over connection: Connection) async throws -> LocalIdentity {
        let service = enrolment.makeService()
        try await GRPCServer(transport: SalvorServerTransport(connection), services: [service]).serve()
        let identity = try service.installedIdentity()
        logger.info("enrolled as \(host)")
        return identity
    }

    var isServing: Bool { serving.withLock { $0 != nil } }

    /// Makes this the one connection that is served; an older one is closed.
    func takeOver(_ connection: Connection) {
        let older = serving.withLock { serving in
            defer { serving = connection }
            return serving
        }
        older?.close()
    }

    func closeLink() { serving.withLock { $0 }?.close() }

    /// Serves the coordinator's calls until the connection, which has been taken over, ends.
    func serve(_ connection: Connection) async throws {
        logger.info("linked to the coordinator at \(connection.remoteAddress)")
        await watch.connected()
        let server = GRPCServer(transport: SalvorServerTransport(connection), services: services)
        let result = await Result { try await server.serve() }
        // A newer one may have taken its place.
        serving.withLock { if $0 === connection { $0 = nil } }
        await watch.disconnected()
        try result.get()
        if let why = await connection.closed() { throw why }
        logger.info("the coordinator closed the link")
    }
}

extension TransportError {
    /// A refusal by the coordinator itself: a stranger's must not cost the agent what its token gives but once.
    var refusesOurCertificate: Bool { code == .refusedByPeer && isOfVerifiedPeer }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
