import Foundation
import Glibc
import Logging
import SalvorAgentCore
import SalvorCoordinatorCore
import SalvorMessages
import SalvorTransport
import Testing

@testable import salvor
@testable import salvor_agent

/// SPEC.md N-5 through the link of the agent and the switchboard of the coordinator.
@Suite(.timeLimit(.minutes(3))) struct ListeningLinkTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let rescue = HostName(run: "run-1", number: 1)

    /// A port that nobody else gets while this is held, because it is bound; the agent may listen on it.
    private final class HeldPort {
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

    private static func coordinator(_ folder: URL) async throws -> RunSwitchboard {
        let directory = StateDirectory(path: folder.path).run("run-1")
        try FileManager.default.createDirectory(atPath: directory.authority, withIntermediateDirectories: true)
        return try await RunSwitchboard.open(run: "run-1", directory: directory, on: .loopback, logger: logger)
    }

    private static func agent(_ credentials: EnrolmentCredentials, port: UInt16) throws -> CoordinatorLink {
        let logs = LogRing { _ in }
        let services = AgentServices(
            AgentConfiguration(
                host: rescue.host, version: "1.2.3", quarantine: QuarantineStore(budgetBytes: 1 << 20),
                disks: SystemDisks(), logs: logs, logger: logger, powerOff: {}))
        let bootstrap = Salvor_V1_Bootstrap.with {
            $0.version = 1
            $0.run = "run-1"
            $0.host = rescue.host
            $0.listenPort = UInt32(port)
            $0.caFingerprint = Data(credentials.authorityFingerprint.bytes)
            $0.enrolmentToken = Data(credentials.token)
            $0.coordinatorTimeoutSeconds = 600
        }
        return try CoordinatorLink(
            bootstrap: bootstrap, route: bootstrap.route(), key: KeyPair.generate(), services: services.all,
            watch: CoordinatorWatch(timeout: .seconds(600), clock: ContinuousClock()) {}, logger: logger)
    }

    private static func host(_ name: HostName = rescue, at port: HeldPort) -> RescueHost {
        RescueHost(
            name: name, identifier: "test", listenAddress: ListenAddress(host: "127.0.0.1", port: port.number))
    }

    private static func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "link-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    @Test func `an agent that listens is enrolled, called, and not taken by a stranger who dials first`() async throws {
        try await Self.withFolder { folder in
            let port = try HeldPort()
            let ours = try await Self.coordinator(folder.appending(path: "ours"))
            let link = Task {
                [agent = try Self.agent(try await ours.credentials(for: Self.rescue), port: port.number)] in
                await agent.keep()
            }
            // The same run and host, but another authority, and a token of its own.
            let strangers = try await Self.coordinator(folder.appending(path: "strangers"))
            _ = try await strangers.credentials(for: Self.rescue)
            let refused = await #expect(throws: CoordinatorError.self) {
                _ = try await strangers.agent(on: Self.host(at: port), within: .seconds(3))
            }
            #expect(refused?.code == .agentGone)

            // It goes on dialling all the while.
            let agent = try await ours.agent(on: Self.host(at: port), within: .seconds(60))
            #expect(try await agent.version().agent == "1.2.3")
            await strangers.close()
            #expect(try await agent.version().agent == "1.2.3")
            await ours.close()
            link.cancel()
            await link.value
        }
    }

    @Test func `a host that answers in another's place is not taken for it`() async throws {
        try await Self.withFolder { folder in
            let port = try HeldPort()
            let coordinator = try await Self.coordinator(folder)
            let link = Task {
                [agent = try Self.agent(try await coordinator.credentials(for: Self.rescue), port: port.number)] in
                await agent.keep()
            }
            let second = HostName(run: "run-1", number: 2)
            _ = try await coordinator.credentials(for: second)
            let error = await #expect(throws: CoordinatorError.self) {
                _ = try await coordinator.agent(on: Self.host(second, at: port), within: .seconds(5))
            }
            #expect("\(String(describing: error))".contains("another rescue VM answers"))
            await coordinator.close()
            link.cancel()
            await link.value
        }
    }
}
