import Foundation
import Glibc
import Logging
import SalvorAgentCore
import SalvorCoordinatorCore
import SalvorDigest
import SalvorMessages
import SalvorSystem
import SalvorTransport
import SwiftProtobuf
import Testing

@testable import salvor
@testable import salvor_agent

/// SPEC.md R-4 and N-5 through the link of the agent and the switchboard of the coordinator.
@Suite(.timeLimit(.minutes(3))) struct ListeningLinkTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let rescue = HostName(run: "run-1", number: 1)

    /// A port that nobody else gets while this is held, because it is bound; the agent may listen on it.
    private final class HeldPort: Sendable {
        let number: UInt16
        private let descriptor: Int32

        init() throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var yes: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let size = length
            let descriptor = descriptor
            let isBound = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &length) == 0
                }
            }
            try #require(isBound)
            number = UInt16(bigEndian: address.sin_port)
        }

        deinit { close(descriptor) }
    }

    private static func directory(_ folder: URL) -> RunDirectory { StateDirectory(path: folder.path).run("run-1") }

    /// It dials, and listens nowhere.
    private static func coordinator(_ folder: URL) async throws -> RunSwitchboard {
        let directory = directory(folder)
        try FileManager.default.createDirectory(atPath: directory.authority, withIntermediateDirectories: true)
        return try await RunSwitchboard.open(run: "run-1", directory: directory, on: nil, logger: logger)
    }

    /// Dials as the coordinator of that folder does, beside it.
    private static func dial(_ folder: URL, at port: HeldPort) async throws -> Connection {
        let authority = try CertificateAuthority(contentsOfFile: "\(directory(folder).authority)/authority.pem")
        return try await Dialler(as: .coordinator(of: authority), tls: .server)
            .connect(host: "127.0.0.1", port: Int(port.number))
    }

    private static func link(
        _ credentials: EnrolmentCredentials, token: [UInt8]?, at port: HeldPort
    ) throws -> CoordinatorLink {
        let services = AgentServices(
            AgentConfiguration(
                host: rescue.host, version: "1.2.3", quarantine: QuarantineStore(budgetBytes: 1 << 20),
                disks: SystemDisks(), logs: LogRing(), logger: logger, powerOff: {}))
        let bootstrap = Salvor_V1_Bootstrap.with {
            $0.version = 1
            $0.run = "run-1"
            $0.host = rescue.host
            $0.listenPort = UInt32(port.number)
            $0.caFingerprint = Data(credentials.authorityFingerprint.bytes)
            $0.enrolmentToken = Data(token ?? credentials.token)
            $0.coordinatorTimeoutSeconds = 600
        }
        return try CoordinatorLink(
            bootstrap: bootstrap, route: bootstrap.route(), key: KeyPair.generate(), services: services.all,
            watch: CoordinatorWatch(timeout: .seconds(600), clock: ContinuousClock()) {}, logger: logger)
    }

    /// An agent that listens while `body` runs, with the credentials of the coordinator `ours`.
    /// - Parameter token: another than its own.
    private static func withAgent(
        token: [UInt8]? = nil,
        _ body: (_ ours: RunSwitchboard, _ folder: URL, _ port: HeldPort) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "link-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let port = try HeldPort()
        let ours = try await coordinator(folder.appending(path: "ours"))
        let link = try link(try await ours.credentials(for: rescue), token: token, at: port)
        let agent = Task { await link.keep() }
        let result = await Result { try await body(ours, folder, port) }
        await ours.close()
        agent.cancel()
        await agent.value
        try result.get()
    }

    private static func host(_ name: HostName = rescue, at port: HeldPort) -> RescueHost {
        RescueHost(
            name: name, identifier: "group/rescue-vm",
            listenAddress: ListenAddress(host: "127.0.0.1", port: port.number))
    }

    /// Why that host's agent could not be had, as the operator is told.
    private static func failure(
        of switchboard: RunSwitchboard, _ host: RescueHost, within timeout: Duration
    ) async throws -> (error: CoordinatorError, cause: TransportError) {
        let error = await #expect(throws: CoordinatorError.self) {
            _ = try await switchboard.agent(on: host, within: timeout, while: { true })
        }
        let failure = try #require(error)
        #expect(failure.code == .agentGone)
        for words in [host.name.host, host.identifier, "\(try #require(host.listenAddress))"] {
            #expect(failure.message.contains(words))
        }
        #expect(failure.nextStep.contains("original disks") && failure.nextStep.contains("resume the run"))
        return (failure, try #require(failure.cause as? TransportError))
    }

    @Test func `N-7: a certificate of a host that was released, or has enrolled anew, is refused as revoked`()
        async throws
    {
        try await Self.withAgent { ours, _, port in
            let agent = try await ours.agent(on: Self.host(at: port), within: .seconds(60), while: { true })
            #expect(try await agent.version().agent == "1.2.3")
            await ours.release(Self.rescue)
            // The agent goes on listening with the certificate that it has.
            let refused = try await Self.failure(of: ours, Self.host(at: port), within: .seconds(3))
            #expect(refused.cause.code == .certificateRevoked, "\(refused.cause)")
            #expect(refused.cause.message.contains("no longer good"))
            _ = try await ours.credentials(for: Self.rescue)
            let again = try await Self.failure(of: ours, Self.host(at: port), within: .seconds(3))
            #expect(again.cause.code == .certificateRevoked, "\(again.cause)")
        }
    }

    @Test func `an agent that listens is enrolled and called, and refuses a stranger who dials first`() async throws {
        try await Self.withAgent { ours, folder, port in
            // The same run and host, but another authority, and a token of its own.
            let strangers = try await Self.coordinator(folder.appending(path: "strangers"))
            _ = try await strangers.credentials(for: Self.rescue)
            let refused = try await Self.failure(of: strangers, Self.host(at: port), within: .seconds(3))
            #expect(refused.cause.code == .refusedByPeer)
            #expect(refused.cause.message.contains("belongs to another run"))
            #expect(refused.error.message.contains("not who answered"))

            // The stranger goes on dialling all the while.
            let agent = try await ours.agent(on: Self.host(at: port), within: .seconds(60), while: { true })
            #expect(try await agent.version().agent == "1.2.3")
            await strangers.close()
            #expect(try await agent.version().agent == "1.2.3")
            #expect(ours.port == 0)
        }
    }

    @Test func `a wrong token is told from a wrong authority, and lets nobody in`() async throws {
        try await Self.withAgent(token: [UInt8](repeating: 7, count: 32)) { ours, _, port in
            let refused = try await Self.failure(of: ours, Self.host(at: port), within: .seconds(5))
            #expect(refused.cause.code == .unknownToken)
            #expect(!"\(refused.error)".contains("7, 7"))
        }
    }

    @Test func `a host that answers in another's place is not taken for it`() async throws {
        try await Self.withAgent { ours, _, port in
            let second = HostName(run: "run-1", number: 2)
            _ = try await ours.credentials(for: second)
            let refused = try await Self.failure(of: ours, Self.host(second, at: port), within: .seconds(5))
            #expect(refused.cause.code == .wrongName)
            #expect(refused.cause.message.contains("another rescue VM answers"))
        }
    }

    @Test func `an agent that is never there is said to be out of reach, with what to look at`() async throws {
        try await Self.withAgent { ours, _, _ in
            let nobody = try HeldPort()
            let missed = try await Self.failure(of: ours, Self.host(at: nobody), within: .seconds(2))
            #expect(missed.cause.code == .cannotConnect)
            #expect(missed.error.message.contains("within 2 s"))
            #expect(missed.error.nextStep.contains("network security group"))
            #expect(missed.error.nextStep.contains("TCP port \(nobody.number)"))
        }
    }

    @Test func `one coordinator has the agent at a time, and a lost link is taken up again until the host goes`()
        async throws
    {
        try await Self.withAgent { ours, folder, port in
            let host = Self.host(at: port)
            let agent = try await ours.agent(on: host, within: .seconds(60), while: { true })
            #expect(try await agent.version().agent == "1.2.3")

            // Another dial of the run's coordinator: the link that there was is lost by it. The first dials again, and takes
            // the other's place by it.
            let other = try await Self.dial(folder.appending(path: "ours"), at: port)
            _ = await other.closed()
            // whoever holds the agent need not know.
            #expect(try await agent.version().agent == "1.2.3")
            let again = try await ours.agent(on: host, within: .seconds(60), while: { true })
            #expect(try await again.version().agent == "1.2.3")
            #expect(again.certificateFingerprint == agent.certificateFingerprint)

            await ours.release(Self.rescue)
            #expect(await ours.dialling.isEmpty)
            // It was let go: nobody waits for it to come back.
            let gone = await #expect(throws: CoordinatorError.self) { try await agent.version() }
            #expect(gone?.code == .agentGone)
        }
    }

    @Test func `no alert of a stranger makes an agent give up its certificate`() async throws {
        try await Self.withAgent { ours, folder, port in
            _ = try await ours.agent(on: Self.host(at: port), within: .seconds(60), while: { true })
            await ours.release(Self.rescue)
            for _ in 0..<5 {
                // Takes the place of the link that there is, and leaves none.
                let last = try await Self.dial(folder.appending(path: "ours"), at: port)
                #expect(last.peer == .host(run: "run-1", host: Self.rescue.host))
                last.close()
                _ = await last.closed()
                try await Self.refuse(at: port)
            }
        }
    }

    /// Sends the alert that says that a certificate's authority is unknown, and waits for the connection's end.
    private static func refuse(at port: HeldPort) async throws {
        try await Blocking.run {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { Glibc.close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.number.bigEndian
            address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            try #require(result == 0)
            let alert: [UInt8] = [21, 3, 3, 0, 2, 2, 48]
            try #require(send(descriptor, alert, alert.count, Int32(MSG_NOSIGNAL)) == alert.count)
            var rest = [UInt8](repeating: 0, count: 4096)
            while recv(descriptor, &rest, rest.count, 0) > 0 {}
        }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
