internal import FoundationEssentials
internal import Glibc
internal import Logging
internal import SalvorAudit
internal import SalvorCoordinatorCore
internal import SalvorImage
internal import SalvorLocal
internal import SalvorMessages
internal import SalvorQEMU
internal import SystemPackage

/// What commands work with, put together from options, environment and this machine.
struct RunContext: Sendable {
    let installation: Installation
    let state: StateDirectory
    let images: ImageBuilder

    init(_ options: SharedOptions) throws {
        let environment = ProcessInfo.processInfo.environment
        installation = try Installation.find(environment: environment)
        if let named = options.state {
            state = StateDirectory(path: Self.absolute(named))
        } else {
            state = try StateDirectory.find(environment: environment)
        }
        images = ImageBuilder(
            recipe: try ImageRecipe(directory: FilePath(installation.imageRecipe.path)),
            cacheDirectory: ImageBuilder.defaultCacheDirectory)
    }

    /// Relative paths on the command line start from the working directory.
    static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

    /// The local provider, with the rescue image if one has been built from this recipe and agent.
    /// - Parameter rescueMemory: of a rescue VM, in MiB; nil for what is usual.
    func localProvider(
        inventory: String, agentsListen: Bool = false, rescueMemory: Int? = nil
    ) async throws -> LocalProvider {
        let agent = FilePath(installation.agent.path)
        let built = FileManager.default.fileExists(atPath: agent.string) ? try await images.cached(agent: agent) : nil
        var configuration = LocalConfiguration(
            inventory: FilePath(Self.absolute(inventory)), stateFolder: FilePath("\(state.path)/local"),
            rescueImage: built.map { .init(kernel: $0.kernel, initramfs: $0.initramfs, digest: $0.digest) },
            accelerationCache: ImageBuilder.defaultCacheDirectory.appending("acceleration.json"),
            makeConfigDisk: { specification, path in try await Self.makeConfigDisk(specification, at: path) })
        configuration.agentsListen = agentsListen
        if let rescueMemory { configuration.rescueHardware.memoryMiB = rescueMemory }
        return LocalProvider(configuration)
    }

    private static func makeConfigDisk(_ specification: HostSpecification, at path: FilePath) async throws {
        var files = [ConfigDisk.File(name: ConfigDisk.bootstrapName, bytes: specification.bootstrap)]
        if let address = specification.route.staticAddress {
            let line = [address, specification.route.gateway].compactMap { $0 }.joined(separator: " ") + "\n"
            files.append(.init(name: ConfigDisk.networkName, bytes: Array(line.utf8)))
        } else {
            files.append(.init(name: ConfigDisk.dhcpName, bytes: []))
        }
        try await ConfigDisk.make(at: path, files: files)
    }

    /// Runs `work` with the provider of a run, which is let go afterwards.
    func with<Value: Sendable>(
        _ kind: String, _ configuration: RunConfiguration, renderer: ProgressRenderer, verbose: Bool,
        _ work: @Sendable (RunDependencies) async throws -> Value
    ) async throws -> Value {
        let open = try await OpenProvider.open(kind, configuration, self) { StandardStreams.note($0) }
        do {
            let value = try await work(dependencies(open, renderer: renderer, verbose: verbose))
            await open.close()
            return value
        } catch {
            await open.close()
            throw error
        }
    }

    private func dependencies(_ open: OpenProvider, renderer: ProgressRenderer, verbose: Bool) -> RunDependencies {
        var logger = Logger(label: "salvor") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = verbose ? .debug : .error
        let log = logger
        let address = open.listening
        var dependencies = RunDependencies(
            provider: open.provider,
            openSwitchboard: { run, directory, port throws(CoordinatorError) in
                try await RunSwitchboard.open(
                    run: run, directory: directory,
                    on: address.map { ListeningAddress(host: $0.host, port: port ?? $0.port) }, logger: log)
            },
            confirmation: TerminalConfirmation(renderer: renderer), state: state,
            operator: AuditEvent.Operator(name: Self.userName, host: Self.hostName),
            salvorVersion: SalvorVersion.current)
        dependencies.logger = logger
        dependencies.progress = { renderer.show($0) }
        return dependencies
    }

    private static var userName: String {
        guard let entry = getpwuid(getuid()) else { return "uid \(getuid())" }
        return String(cString: entry.pointee.pw_name)
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
