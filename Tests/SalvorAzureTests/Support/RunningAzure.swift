import AzureEmulator
import Foundation
import Logging
import SalvorAzure
import SalvorDigest
import SalvorJSON
import SalvorTransport

/// An emulator that serves HTTPS on a port of this machine, with an authority, a state and secrets of its own, for as long
/// as a test needs it. Its machines are simulated.
struct RunningAzure: Sendable {
    static let tenant = "11111111-1111-4111-8111-111111111111"
    static let subscription = "22222222-2222-4222-8222-222222222222"
    static let client = "33333333-3333-4333-8333-333333333333"
    /// The application's secret. Other tests look for it where it must not be.
    static let secret = "s3cret~of.the-application"
    /// Of the identity that the metadata service signs in.
    static let identityClient = "44444444-4444-4444-8444-444444444444"
    static let identityHeader = "header-of-the-identity"

    /// For what is not asked by HTTP: faults, the clock.
    let emulator: Emulator
    let faults: Faults
    let clock: any EmulatorClock
    /// `https://localhost:PORT`: Resource Manager's, and that of the sign-in.
    let endpoint: String
    /// `http://127.0.0.1:PORT`: the metadata service of the machine that Salvor runs on.
    let metadata: String
    /// The PEM file of its authority.
    let authorityFile: String
    /// Trusts that authority.
    let connections: HTTPConnections
    /// A folder that goes with the emulator.
    let folder: String

    /// Runs `body` beside an emulator, which has gone when this returns.
    /// - Parameters:
    ///   - clock: nil for the world's time.
    ///   - contents: whether disks have bytes.
    ///   - configure: applications, latencies, throttling: off, unless this turns it on.
    static func run<Result: Sendable>(
        clock: (any EmulatorClock)? = nil, contents: Bool = false,
        configure: (inout EmulatorConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (RunningAzure) async throws -> Result
    ) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("azure-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: folder) }
        var configuration = EmulatorConfiguration(
            tenant: tenant, subscriptions: [.init(id: subscription, name: "Test")],
            applications: [.init(id: client, secretSHA256: SHA256.digest(of: Array(secret.utf8)))],
            hostIdentity: .init(clientID: identityClient), throttles: false)
        configure(&configuration)
        return try await serve(
            configuration, clock: clock ?? WorldClock(), hasContents: contents, folder: folder.path, body)
    }

    private static func serve<Result: Sendable>(
        _ configuration: EmulatorConfiguration, clock: any EmulatorClock, hasContents: Bool, folder: String,
        _ body: @escaping @Sendable (RunningAzure) async throws -> Result
    ) async throws -> Result {
        let certificate = try ServerCertificate(
            hosts: ["localhost"], addresses: [[127, 0, 0, 1]], validFor: .seconds(86_400))
        let authorityFile = "\(folder)/authority.pem"
        try Data(try certificate.authorityPEM()).write(to: URL(fileURLWithPath: authorityFile))
        var logger = Logger(label: "azure-emulator") { StreamLogHandler.standardError(label: $0) }
        // It complains of connections that are open when it is ended, as they are here.
        logger.logLevel = .critical
        let vaults = try VaultListeners(identity: certificate.identity, logger: logger)
        let faults = Faults()
        let emulator = try Emulator(
            configuration,
            equipment: Equipment(
                contents: hasContents ? try DiskContents(folder: "\(folder)/disks") : nil, vaults: vaults),
            file: try StateFile(path: "\(folder)/state.sqlite"), tokenKey: Array(repeating: 7, count: 32),
            faults: faults, clock: clock, makeID: { UUID().uuidString.lowercased() })
        let server = try EmulatorServer(emulator, identity: certificate.identity, logger: logger)
        let metadata = MetadataServer(emulator, machine: nil, identityHeader: identityHeader, logger: logger)
        return try await withThrowingTaskGroup(of: Result?.self) { tasks in
            let (ports, listening) = AsyncStream<(server: Int?, metadata: Int?)>.makeStream()
            tasks.addTask {
                try await server.run(port: 0) { listening.yield(($0, nil)) }
                return nil
            }
            tasks.addTask {
                try await metadata.run(on: .loopback(port: 0)) { listening.yield((nil, $0)) }
                return nil
            }
            tasks.addTask {
                await vaults.run(emulator)
                return nil
            }
            tasks.addTask {
                await emulator.keepTime()
                return nil
            }
            tasks.addTask {
                var found: (server: Int?, metadata: Int?) = (nil, nil)
                for await next in ports {
                    found = (found.server ?? next.server, found.metadata ?? next.metadata)
                    if found.server != nil && found.metadata != nil { break }
                }
                guard let serverPort = found.server, let metadataPort = found.metadata else { return nil }
                let connections = try HTTPConnections(.init(authorityFile: authorityFile))
                let azure = RunningAzure(
                    emulator: emulator, faults: faults, clock: clock, endpoint: "https://localhost:\(serverPort)",
                    metadata: "http://127.0.0.1:\(metadataPort)", authorityFile: authorityFile,
                    connections: connections, folder: folder)
                let outcome: Swift.Result<Result, any Error>
                do { outcome = .success(try await body(azure)) } catch { outcome = .failure(error) }
                await connections.close()
                return try outcome.get()
            }
            defer { tasks.cancelAll() }
            // The servers end only where they fail, which throws.
            while let ended = try await tasks.next() {
                if let result = ended { return result }
            }
            throw CancellationError()
        }
    }
}
