internal import Foundation
internal import SalvorAudit
internal import SalvorDigest
internal import SalvorMessages
internal import SwiftProtobuf

/// One rescue VM while it lasts: made beside the copies that it will serve, shared by their machines.
struct HostLease: Sendable {
    /// The version of Protocol/salvor/v1 that this coordinator speaks.
    static let protocolVersion: UInt32 = 1

    let name: HostName
    private let creation: Task<Result<RescueHost, StepFailure>, Never>
    private let connection: Task<Result<any Agent, StepFailure>, Never>

    /// Begins to make the host, and to wait for its agent, at once.
    init(
        name: HostName, configuration: RunConfiguration, machines: [Machine], provider: any Provider,
        switchboard: any AgentSwitchboard, ledger: RunLedger, consoleLog: String
    ) {
        let subject = StepSubject(machine: nil, host: name)
        self.name = name
        let creation = Task {
            await Result { () async throws(StepFailure) in
                try await ledger.perform(
                    .host, on: subject,
                    change: ResourceChange(kind: .host, name: "\(name.number)", atIntent: .intended, whenDone: .made),
                    events: { [Self.started($0)] }
                ) {
                    let specification = try await Self.specification(
                        name, configuration, machines, provider, switchboard)
                    var host = try await provider.createHost(specification)
                    host.coordinatorPort = specification.coordinatorPort
                    return host
                }
            }
        }
        self.creation = creation
        connection = Task {
            await Result { () async throws(StepFailure) in
                let host = try await creation.value.get()
                do throws(StepFailure) {
                    return try await Self.connect(to: host, configuration, provider, switchboard, ledger, subject)
                } catch {
                    // It is ended soon, and what it printed goes with it.
                    if !error.isInterruption, await provider.saveConsole(of: host, to: consoleLog) {
                        ledger.tell(.connect, subject, .remark("What \(name.host) printed is in \(consoleLog)."))
                    }
                    throw error
                }
            }
        }
    }

    /// Waits for the agent of a host that an earlier process has made, and that agent knows.
    init(
        of host: RescueHost, configuration: RunConfiguration, provider: any Provider,
        switchboard: any AgentSwitchboard, ledger: RunLedger
    ) {
        name = host.name
        creation = Task { .success(host) }
        connection = Task {
            await Result { () async throws(StepFailure) in
                try await Self.connect(
                    to: host, configuration, provider, switchboard, ledger, StepSubject(machine: nil, host: host.name))
            }
        }
    }

    /// Waits until copies can be attached.
    func host() async throws(StepFailure) -> RescueHost { try await creation.value.get() }

    /// Waits until the agent has called.
    func agent() async throws(StepFailure) -> any Agent { try await connection.value.get() }

    /// Gives up what has not come about yet.
    func cancel() {
        creation.cancel()
        connection.cancel()
    }

    /// Returns once nothing is being made any more.
    func settled() async {
        _ = await creation.value
        _ = await connection.value
    }

    private static func specification(
        _ name: HostName, _ configuration: RunConfiguration, _ machines: [Machine], _ provider: any Provider,
        _ switchboard: any AgentSwitchboard
    ) async throws -> HostSpecification {
        let credentials = try await switchboard.credentials(for: name)
        let route = provider.route(toCoordinatorPort: switchboard.port)
        var bootstrap = Salvor_V1_Bootstrap()
        bootstrap.version = 1
        bootstrap.host = name.host
        bootstrap.run = name.run
        bootstrap.coordinator = route.coordinator
        bootstrap.listenPort = UInt32(route.listenPort ?? 0)
        bootstrap.caFingerprint = Data(credentials.authorityFingerprint.bytes)
        bootstrap.enrolmentToken = Data(credentials.token)
        bootstrap.coordinatorTimeoutSeconds = UInt32(clamping: configuration.coordinatorTimeoutSeconds)
        if let address = route.staticAddress {
            bootstrap.network.address = address
            bootstrap.network.gateway = route.gateway ?? ""
        }
        return HostSpecification(
            name: name, coordinatorPort: switchboard.port, route: route,
            bootstrap: [UInt8](try bootstrap.serializedData()), machines: machines)
    }

    private static func connect(
        to host: RescueHost, _ configuration: RunConfiguration, _ provider: any Provider,
        _ switchboard: any AgentSwitchboard, _ ledger: RunLedger, _ subject: StepSubject
    ) async throws(StepFailure) -> any Agent {
        let (agent, _) = try await ledger.perform(
            .connect, on: subject, recording: { try JSONText.encode($0.1) }, events: { [$0.1.auditEvent] }
        ) { () async throws -> (any Agent, AgentIdentity) in
            let agent = try await switchboard.agent(
                on: host, within: .seconds(configuration.agentCallsWithinSeconds),
                while: { await provider.mayRun(host) })
            let version = try await agent.version()
            guard version.protocol == protocolVersion else {
                throw CoordinatorError(
                    .agentFault,
                    "The agent on \(host.name.host) speaks version \(version.protocol) of the protocol, this Salvor "
                        + "\(protocolVersion).",
                    nextStep: "Build the rescue image with this Salvor (salvor image build).")
            }
            return (agent, AgentIdentity(version, fingerprint: agent.certificateFingerprint))
        }
        return agent
    }

    private static func started(_ host: RescueHost) -> AuditEvent {
        .hostStarted(
            AuditEvent.HostStarted(
                identifier: host.identifier, acceleration: host.details["acceleration"], imageDigest: host.imageDigest,
                details: host.details))
    }
}

extension Result where Success: Sendable {
    /// The result of an asynchronous body.
    init(_ body: () async throws(Failure) -> Success) async {
        do throws(Failure) {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
