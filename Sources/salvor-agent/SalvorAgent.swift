internal import GRPCCore
internal import Glibc
internal import Logging
internal import SalvorAgentCore
internal import SalvorMessages
internal import SalvorTransport

/// `salvor-agent`: started at boot on a rescue VM, ends when the VM is to be powered off.
@main
struct SalvorAgent {
    static let usage = """
        usage: salvor-agent --bootstrap FILE [--or-imds]
               salvor-agent --version

        Dials the coordinator that the bootstrap data names, or waits to be dialled on the port that they name, and serves the
        coordinator's calls until it is told to end or the coordinator has been gone for too long. Whoever started it then
        powers the rescue VM off.

        --or-imds: if FILE is empty, the bootstrap data is the userData of this Azure VM.

        Exit codes: 0 ended as it should; 64 wrong arguments; 70 no key could be made; 78 unusable bootstrap data.
        """

    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments == ["--version"] {
            print("salvor-agent \(SalvorVersion.current)")
        } else if let code = RegistryReading.run(arguments) {
            exit(code)
        } else if arguments == ["--help"] {
            print(usage)
        } else if arguments.count == 2 || arguments.count == 3 && arguments[2] == "--or-imds",
            arguments[0] == "--bootstrap"
        {
            await run(bootstrapFile: arguments[1], orUserData: arguments.count == 3)
        } else {
            fail(usage, code: 64)
        }
    }

    private static func run(bootstrapFile: String, orUserData: Bool) async {
        shareMemoryBetweenThreads()
        let key: KeyPair
        do throws(TransportError) {
            // Before the bootstrap data is there: /init hands it over once it has found the devices.
            key = try KeyPair.generate()
        } catch {
            fail("\(error)", code: 70)
        }
        let bootstrap: Salvor_V1_Bootstrap
        let route: Salvor_V1_Bootstrap.Route
        do throws(AgentError) {
            bootstrap =
                orUserData
                ? try await .read(from: bootstrapFile, orFrom: InstanceMetadata()) { note("no userData yet: \($0)") }
                : try .read(from: bootstrapFile)
            route = try bootstrap.route()
        } catch {
            fail("\(error)", code: 78)
        }
        // A coordinator that goes away in the middle of a write is an error of that write, not the agent's end.
        signal(SIGPIPE, SIG_IGN)

        let console = ConsoleWriter()
        let logs = LogRing { console.write($0) }
        let logger = logs.logger("agent")
        let (stopped, stop) = AsyncStream.makeStream(of: Void.self)
        let disks = SystemDisks()
        var tools = AgentTools()
        tools.registryReader = "/proc/self/exe"
        tools.confiner = "/proc/self/exe"
        var configuration = AgentConfiguration(
            host: bootstrap.host, version: SalvorVersion.current, tools: tools,
            // Half of what /init gives /run: what is written is prepared in the other half, and libhivex works there.
            quarantine: QuarantineStore(budgetBytes: physicalMemoryBytes() / 4), disks: disks, logs: logs,
            logger: logger, powerOff: { stop.yield() })
        configuration.isLinkLost = { ($0.transportSpecific as? SalvorServerContext)?.isConnectionLost == true }
        let services = AgentServices(configuration)
        let watch = CoordinatorWatch(
            timeout: .seconds(Int64(bootstrap.coordinatorTimeoutSeconds)), clock: ContinuousClock()
        ) {
            logger.error("no coordinator for \(bootstrap.coordinatorTimeoutSeconds) s; powering off")
            await services.powerOffWhenIdle()
        }
        let link: CoordinatorLink
        do {
            link = try CoordinatorLink(
                bootstrap: bootstrap, route: route, key: key, services: services.all, watch: watch, logger: logger)
        } catch {
            fail("\(error)", code: 70)
        }
        logger.info("agent \(SalvorVersion.current) of \(bootstrap.host), run \(bootstrap.run)")

        await watch.start()
        let linked = Task { await link.keep() }
        let announced = Task { await disks.announce(to: logger) }
        for await _ in stopped { break }
        await link.drain()
        linked.cancel()
        await linked.value
        await announced.value
        logger.info("agent ends")
        await console.drain()
    }

    private static func fail(_ message: String, code: Int32) -> Never {
        note(message)
        exit(code)
    }

    private static func note(_ message: String) {
        let line = message + "\n"
        _ = line.utf8.withContiguousStorageIfAvailable { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
