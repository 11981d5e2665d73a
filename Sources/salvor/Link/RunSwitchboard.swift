internal import GRPCCore
internal import Logging
internal import SalvorCoordinatorCore
internal import SalvorDigest
internal import SalvorMessages
internal import SalvorTransport

/// Where the agents of one run come in: the listener, or what dials them, the run's authority, and enrolment.
actor RunSwitchboard: AgentSwitchboard {
    nonisolated let port: Int
    /// nil where agents are dialled: then this computer has no port open.
    private let listener: Listener?
    let authority: CertificateAuthority
    private let tokens = EnrolmentTokens()
    /// An agent notices a dead link after 25 s at the latest (SPEC.md K-1), and dials again within 10 s.
    private static let returnsWithin = Duration.seconds(60)
    let logger: Logger
    let arrivals = Arrivals()
    /// The rescue VMs that this process has started, by the name that their certificates bear.
    private var expected: [String: HostName] = [:]
    /// SHA-256 of the certificates given out, by host.
    private var issued: [String: Digest] = [:]
    private var accepting: Task<Void, Never>?
    /// What dials the hosts that wait for it, by name.
    var dialling: [String: Task<Void, Never>] = [:]

    private init(listener: Listener?, authority: CertificateAuthority, logger: Logger) {
        self.listener = listener
        self.authority = authority
        self.logger = logger
        port = listener?.port ?? 0
    }

    /// Opens the way in for the agents of `run`, with the authority in the run's folder; one is made where there is none
    /// yet.
    /// - Parameter address: where to listen; nil where all agents are dialled.
    static func open(
        run: String, directory: RunDirectory, on address: ListeningAddress?, logger: Logger
    ) async throws(CoordinatorError) -> RunSwitchboard {
        do {
            let authority = try await authority(ofRun: run, in: directory)
            var listener: Listener?
            if let address {
                listener = try await Listener.listen(
                    host: address.host, port: address.port, as: try .coordinator(of: authority)
                ) { refusal in
                    logger.warning("refused a connection from \(refusal.remoteAddress): \(refusal.error)")
                }
            }
            let switchboard = RunSwitchboard(listener: listener, authority: authority, logger: logger)
            await switchboard.start()
            return switchboard
        } catch let error as TransportError {
            throw CoordinatorError(
                .state, "The coordinator cannot listen for the agents of run \(run).",
                nextStep: "Nothing was changed. Mend what the cause names, then resume or repeat the run.", cause: error
            )
        } catch {
            throw CoordinatorError(
                .failed, "The coordinator cannot listen for the agents of run \(run).",
                nextStep: "Nothing was changed. Resume or repeat the run.", cause: error)
        }
    }

    private static func authority(ofRun run: String, in directory: RunDirectory) async throws -> CertificateAuthority {
        let file = "\(directory.authority)/authority.pem"
        return try await Task.detached {
            if let kept = try? CertificateAuthority(contentsOfFile: file), kept.run == run { return kept }
            let new = try CertificateAuthority(run: run)
            try new.save(toFile: file)
            return new
        }.value
    }

    private func start() {
        guard let listener else { return }
        accepting = Task { [weak self] in
            for await connection in listener.connections {
                guard let self else { return connection.close() }
                Task { await self.welcome(connection) }
            }
        }
    }

    func credentials(for host: HostName) async throws(CoordinatorError) -> EnrolmentCredentials {
        do throws(TransportError) {
            let token = try tokens.issue(forHost: host.host).token
            expected[host.host] = host
            issued[host.host] = nil
            return EnrolmentCredentials(authorityFingerprint: authority.fingerprint, token: token.bytes)
        } catch {
            throw CoordinatorError(
                .failed, "No credentials could be made for the rescue VM \(host.host).",
                nextStep: "Nothing was started for it. Resume or repeat the run.", cause: error)
        }
    }

    func expect(_ host: HostName, certificate: Digest) {
        expected[host.host] = host
        issued[host.host] = certificate
    }

    func agent(
        on rescue: RescueHost, within timeout: Duration, while isThere: @escaping @Sendable () async -> Bool
    ) async throws(CoordinatorError) -> any Agent {
        let host = rescue.name
        if let address = rescue.listenAddress { startDialling(host.host, at: address) }
        switch await arrivals.agent(on: host.host, within: timeout, while: isThere) {
        case .arrived(let agent): return agent
        case .cancelled:
            throw CoordinatorError(
                .interrupted, "Waiting for the rescue VM \(host.host) was interrupted.", nextStep: "Resume the run.")
        case .hostGone:
            throw CoordinatorError(
                .agentGone, "The rescue VM \(host.host) (\(rescue.identifier)) ended before its agent called.",
                nextStep: "The original disks are as they were. See the rescue VM's console in the run's folder, "
                    + "then resume the run.")
        case .late(let why): throw Self.late(rescue, after: timeout, why)
        }
    }

    private static func late(
        _ rescue: RescueHost, after timeout: Duration, _ absence: Arrivals.Absence?
    ) -> CoordinatorError {
        let name = rescue.name.host
        let within = "within \(timeout.components.seconds) s"
        guard let address = rescue.listenAddress else {
            let refused = absence == nil ? "" : " One that claimed to be it was refused."
            return CoordinatorError(
                .agentGone, "The agent of the rescue VM \(name) did not call \(within).\(refused)",
                nextStep: "The original disks are as they were. See the rescue VM's console in the run's folder, "
                    + "then resume the run.", cause: absence?.error)
        }
        let place = "The rescue VM \(name) (\(rescue.identifier))"
        if case .refused(let error)? = absence {
            return CoordinatorError(
                .agentGone,
                "\(place) was dialled at \(address), and this run's agent was not who answered, or could not prove it, "
                    + "\(within).",
                nextStep:
                    "The original disks are as they were. See what else may have the address \(address.host), and the "
                    + "rescue VM's console in the run's folder, then resume the run.", cause: error)
        }
        return CoordinatorError(
            .agentGone, "\(place) was dialled at \(address), and its agent did not answer \(within).",
            nextStep:
                "The original disks are as they were. See that this computer reaches \(address.host), from the same "
                + "network or one that is joined to it, that neither a firewall nor a network security group keeps TCP port "
                + "\(address.port) from it, and what the rescue VM's console in the run's folder says. Then resume the run.",
            cause: absence?.error)
    }

    /// The host's certificate is good for nothing from here on.
    func release(_ host: HostName) async {
        issued[host.host] = nil
        await arrivals.dismiss(host.host)
        dialling.removeValue(forKey: host.host)?.cancel()
    }

    func close() async {
        await listener?.close()
        accepting?.cancel()
        for task in dialling.values { task.cancel() }
        dialling = [:]
        await arrivals.close()
    }

    /// One connection from its acceptance to its end.
    /// - Parameter expected: the host that was dialled; nil for one that dialled.
    /// - Returns: whether the peer was one of this run's hosts.
    @discardableResult
    func welcome(_ connection: Connection, expecting expected: String? = nil) async -> Bool {
        do {
            if connection.isEnrolment {
                try await enrol(connection, expecting: expected)
            } else {
                try await serve(connection)
            }
            return true
        } catch {
            logger.warning("a connection from \(connection.remoteAddress) ended: \(error)")
            connection.close()
            if case .host(_, let host)? = connection.peer {
                await arrivals.refused(error, host: host)
            }
            return false
        }
    }

    private func enrol(_ connection: Connection, expecting expected: String?) async throws {
        let client = GRPCClient(transport: SalvorClientTransport(connection))
        try await withThrowingTaskGroup { group in
            group.addTask { try await client.runConnections() }
            defer {
                client.beginGracefulShutdown()
                group.cancelAll()
            }
            let enrolment = Salvor_V1_Enrolment.Client(wrapping: client)
            var options = CallOptions.defaults
            options.timeout = .seconds(30)
            let answer = try await enrolment.request(Salvor_V1_EnrolmentRequest(), options: options)
            do {
                guard expected == nil || answer.host == expected else {
                    throw TransportError(.wrongName, "another rescue VM answers where \(expected ?? "") was dialled")
                }
                let request = try CertificateRequest(der: Array(answer.certificateSigningRequest))
                let record = try tokens.redeem(
                    Array(answer.token), forHost: answer.host, publicKey: request.publicKey,
                    from: connection.remoteHost)
                let certificate = try authority.sign(request, forHost: record.host)
                issued[record.host] = certificate.fingerprint
                var installation = Salvor_V1_InstallRequest()
                installation.certificate = .init(certificate.der)
                _ = try await enrolment.install(installation, options: options)
            } catch {
                await arrivals.refused(error, host: expected ?? answer.host)
                throw error
            }
        }
    }

    private func serve(_ connection: Connection) async throws {
        guard case .host(_, let name)? = connection.peer, let host = expected[name] else {
            throw TransportError(
                .wrongName,
                "no rescue VM of that name was started by this coordinator: \(connection.peer?.uri ?? "nobody")")
        }
        // A host that enrols anew, or is released, has no use for the certificate that it had: whoever shows it is another.
        guard let fingerprint = issued[name], connection.peerCertificateFingerprint == fingerprint else {
            throw TransportError(
                .certificateRevoked,
                "the certificate of the rescue VM \(name) was issued by this run, and is no longer good for it")
        }
        let client = GRPCClient(transport: SalvorClientTransport(connection))
        let agent = GRPCAgent(host: host, certificateFingerprint: fingerprint, client: client) {
            [arrivals, logger] lost in
            logger.warning("the link to \(name) is lost; waiting for its agent to come back")
            return await arrivals.client(on: name, after: lost, within: Self.returnsWithin)
        }
        logger.info("the agent of \(name) is linked")
        await withTaskGroup { group in
            group.addTask { _ = try? await client.runConnections() }
            await arrivals.arrived(agent, client: client, connection: connection, host: name)
            let why = await connection.closed()
            await arrivals.left(connection, host: name)
            logger.info("the agent of \(name) has left\(why.map { ": \($0)" } ?? "")")
            client.beginGracefulShutdown()
            group.cancelAll()
        }
    }
}
