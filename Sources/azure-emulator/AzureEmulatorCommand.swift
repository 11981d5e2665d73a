import ArgumentParser
import AzureEmulator
import Foundation
import Logging
import SalvorJSON
import SalvorTransport

/// `azure-emulator`: an Azure Resource Manager on this machine.
@main
struct AzureEmulatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "azure-emulator",
        abstract: "An Azure Resource Manager that runs on this machine.",
        discussion: """
            Clients trust it by its own authority's certificate, which it writes into its state folder:

              azure-emulator --state azure --port 8443
              export REQUESTS_CA_BUNDLE=$PWD/azure/authority.pem
              az cloud register -n emulator --endpoint-resource-manager https://localhost:8443
              az cloud set -n emulator
              az config set core.instance_discovery=false
              az login --service-principal -u APP -p "$(cat azure/client-secret)" --tenant TENANT

            APP and TENANT are printed when it starts.
            """)

    @Option(help: "The folder of its state; made where it is missing, and open to you alone.")
    var state = "azure-emulator"

    @Option(help: "The port on 127.0.0.1; 0 for any that is free.")
    var port = 8443

    @Option(help: ArgumentHelp("How long operations take.", valueName: "milliseconds"))
    var latency = 0

    @Option(
        help: ArgumentHelp(
            "How long one operation takes: Microsoft.Compute/virtualMachines/start=30000. Can be repeated.",
            valueName: "type/verb=milliseconds"))
    var latencyOf: [String] = []

    @Option(help: "Whose time it is: the world's, or a clock that stands still until POST /emulator/clock moves it.")
    var clock = ClockChoice.world

    @Option(
        help: ArgumentHelp("For how long something new may still be said to be missing.", valueName: "milliseconds"))
    var replicationLag = 0

    @Option(help: "Whether Azure's limits on requests hold.")
    var throttling = Switch.on

    @Option(help: ArgumentHelp("What is to go wrong, as PUT /emulator/faults takes it.", valueName: "file.json"))
    var faults: String?

    @Option(help: "Of faults that happen at a rate.")
    var seed: UInt64 = 0

    @Option(
        help: ArgumentHelp("Write down requests and answers, without secrets, a line each.", valueName: "file.jsonl"))
    var record: String?

    @Option(help: "The port on 127.0.0.1 of the metadata service, by plain HTTP; 0 for any that is free.")
    var imdsPort = 0

    @Option(
        help: ArgumentHelp(
            "A further application that may sign in, with a role on the subscription: ops:Reader. Its secret is in "
                + "client-secret-NAME. Can be repeated.", valueName: "name:role|name:none"))
    var application: [Principals.Wanted] = []

    @Option(
        help: ArgumentHelp(
            "A size that is not to be had in a location, or in one of its zones. Can be repeated.",
            valueName: "size@location[/zone]"))
    var unavailable: [String] = []

    @Option(
        help: ArgumentHelp(
            "Most cores in each location, of a family (standardDSv5Family) or of all (cores). Can be repeated.",
            valueName: "family=cores"))
    var quota: [String] = []

    @OptionGroup(title: "Machines") var machines: MachineOptions

    enum ClockChoice: String, ExpressibleByArgument, CaseIterable { case world, manual }
    enum Switch: String, ExpressibleByArgument, CaseIterable { case on, off }

    private static let tenant = "11111111-1111-4111-8111-111111111111"
    private static let subscription = "22222222-2222-4222-8222-222222222222"

    func validate() throws {
        guard (0...65_535).contains(port), (0...65_535).contains(imdsPort) else {
            throw ValidationError("A port is 0 to 65535.")
        }
        guard latency >= 0, replicationLag >= 0 else { throw ValidationError("A time is 0 or more.") }
        _ = try latencies()
        _ = try offer()
    }

    func run() async throws {
        // The state holds secrets of vaults and of machines, whoever may look into its folder.
        umask(0o077)
        let folder = try StateFolder(state)
        let principals = try Principals(folder, application)
        var logger = Logger(label: "azure-emulator") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        let identity = try folder.identity()
        let vaults = try VaultListeners(identity: identity, logger: logger)
        let contents = try DiskContents(folder: folder.path("disks"))
        let emulator = try Emulator(
            EmulatorConfiguration(
                tenant: Self.tenant, subscriptions: [.init(id: Self.subscription, name: "Emulated")],
                applications: principals.applications, hostIdentity: principals.host,
                signingKey: try folder.signingKey(), latencies: try latencies(), throttles: throttling == .on,
                replicationLag: .milliseconds(replicationLag), offer: try offer()),
            equipment: Equipment(
                contents: contents, hypervisor: try machines.hypervisor(contents, folder), vaults: vaults),
            file: try StateFile(path: folder.path("state.sqlite")), tokenKey: try folder.tokenKey(),
            faults: Faults(try rules(), seed: seed), recorder: try record.map { try Recorder(path: $0) },
            clock: clock == .world ? WorldClock() : ManualClock(WorldClock().now),
            makeID: { UUID().uuidString.lowercased() })
        let server = try EmulatorServer(emulator, identity: identity, logger: logger)
        let metadata = MetadataServer(
            emulator, machine: nil, identityHeader: principals.identityHeader, logger: logger)
        await emulator.findMachines(logger: logger)
        async let _: Void = emulator.keepTime()
        async let _: Void = emulator.attendMachines(logger: logger)
        // The metadata service first: what is printed can be used at once.
        try await withThrowingTaskGroup(of: Void.self) { [port, imdsPort] tasks in
            let (ports, listening) = AsyncStream<Int>.makeStream()
            tasks.addTask {
                try await metadata.run(on: .loopback(port: imdsPort)) { port in listening.yield(port) }
            }
            tasks.addTask { await vaults.run(emulator) }
            tasks.addTask {
                guard let imds = await ports.first(where: { _ in true }) else { return }
                try await server.run(port: port) { port in
                    // Unbuffered: whoever reads it through a pipe waits for it.
                    let text = """
                        azure-emulator listens at https://localhost:\(port)
                        tenant        \(Self.tenant)
                        subscription  \(Self.subscription)
                        \(principals.text)\
                        imds          http://127.0.0.1:\(imds)
                        authority     \(folder.path("authority.pem"))

                        """
                    FileHandle.standardOutput.write(Data(text.utf8))
                }
            }
            defer { tasks.cancelAll() }
            try await tasks.next()
        }
    }

    private func latencies() throws -> Latencies {
        var exceptions: [String: Duration] = [:]
        for text in latencyOf {
            let halves = text.split(separator: "=")
            guard halves.count == 2, let time = Int64(halves[1]), time >= 0, halves[0].contains("/") else {
                throw ValidationError("'\(text)' is not of the form type/verb=milliseconds.")
            }
            exceptions[halves[0].lowercased()] = .milliseconds(time)
        }
        return Latencies(standard: .milliseconds(latency), exceptions: exceptions)
    }

    private func offer() throws -> ComputeOffer {
        let restrictions = try unavailable.map { text in
            let halves = text.split(separator: "@", omittingEmptySubsequences: false)
            let place = halves.count == 2 ? halves[1].split(separator: "/", omittingEmptySubsequences: false) : []
            guard !halves[0].isEmpty, (1...2).contains(place.count), !place.contains("") else {
                throw ValidationError("'\(text)' is not of the form size@location or size@location/zone.")
            }
            return ComputeOffer.Restriction(
                size: String(halves[0]), location: String(place[0]), zone: place.count == 2 ? String(place[1]) : nil)
        }
        var limits: [String: Int64] = [:]
        for text in quota {
            let halves = text.split(separator: "=")
            guard halves.count == 2, let cores = Int64(halves[1]), cores >= 0 else {
                throw ValidationError("'\(text)' is not of the form family=cores.")
            }
            limits[String(halves[0])] = cores
        }
        return ComputeOffer(restrictions: restrictions, coreLimits: limits)
    }

    private func rules() throws -> [FaultRule] {
        guard let faults else { return [] }
        do {
            let json = try JSONValue.parse(try Data(contentsOf: URL(fileURLWithPath: faults)))
            return try (json["rules"]?.array ?? []).map { try FaultRule(json: $0) }
        } catch let error as ARMError {
            throw ValidationError("\(faults): \(error.message)")
        } catch {
            throw ValidationError("\(faults) cannot be read as JSON: \(error)")
        }
    }
}
