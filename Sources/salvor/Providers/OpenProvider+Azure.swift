internal import FoundationEssentials
internal import SalvorAzure
internal import SalvorCoordinatorCore
internal import SalvorDigest
internal import SalvorImage
internal import SalvorSystem
internal import SystemPackage

extension OpenProvider {
    static func azure(
        _ configuration: RunConfiguration, _ context: RunContext, progress: @escaping @Sendable (String) -> Void
    ) async throws -> OpenProvider {
        let settings = configuration.settings
        let session = try await AzureSession.open(settings)
        do {
            let provider = try AzureProvider(
                session, try await azureConfiguration(configuration, session, context), progress: progress)
            let port = settings["coordinator-port"].flatMap { Int($0) } ?? 0
            return OpenProvider(
                provider: provider,
                listening: configuration.agentsListen
                    ? nil : ListeningAddress(host: settings["bind"] ?? "0.0.0.0", port: port),
                close: { await session.close() })
        } catch {
            await session.close()
            throw error
        }
    }

    private static func azureConfiguration(
        _ run: RunConfiguration, _ session: AzureSession, _ context: RunContext
    ) async throws -> AzureConfiguration {
        let settings = run.settings
        var configuration = AzureConfiguration(subscription: session.subscription)
        configuration.resourceGroup = settings["resource-group"]
        configuration.subnet = settings["subnet"]
        configuration.size = settings["size"]
        configuration.rescueVMName = settings["repair-vm-name"]
        configuration.copyDiskName = settings["copy-disk-name"]
        configuration.advertised = settings["advertise"]
        configuration.unlocksDisks = settings["unlock-encrypted-vm"] == "true"
        configuration.hasOtherKeys = settings["keys-given"] == "true"
        configuration.keyVaultSuffix = session.environment.keyVaultSuffix
        if run.agentsListen { configuration.listenPort = settings["listen-port"].flatMap { UInt16($0) } }
        configuration.stopStyle = settings["deallocate"] == "true" ? .deallocate : .powerOff
        configuration.copiesPerHost = max(1, min(run.machines.count, run.hostCapacity))
        configuration.hostCount = max(1, (run.machines.count + run.hostCapacity - 1) / run.hostCapacity)
        for (key, value) in settings where key.hasPrefix("tag:") {
            configuration.tags[String(key.dropFirst("tag:".count))] = value
        }
        configuration.image = try await image(settings, context)
        return configuration
    }

    private static func image(
        _ settings: [String: String], _ context: RunContext
    ) async throws -> AzureConfiguration.RescueImage? {
        if let urn = settings["stock-image"] {
            guard let stock = StockImage(urn: urn), let url = settings["agent-url"] else {
                throw CommandFailure(
                    .invalidInput, "“\(urn)” is no image of the marketplace.",
                    nextStep: "Name PUBLISHER:OFFER:SKU:VERSION, as `az vm image list` does.")
            }
            let unit = context.installation.share.appending(path: "Agent/salvor-agent.service")
            let agent = context.installation.agent.path
            return .stock(
                stock, agentURL: url, agentSHA256: try await digest(of: agent),
                unit: try String(contentsOf: unit, encoding: .utf8))
        }
        if let path = settings["rescue-vhd"] { return .vhd(path: path, digest: try await digest(of: path)) }
        let agent = FilePath(context.installation.agent.path)
        guard FileManager.default.fileExists(atPath: agent.string),
            let disk = try await context.images.cachedDisk(agent: agent)
        else { return nil }
        return .vhd(path: disk.vhd.string, digest: disk.sha256)
    }

    private static func digest(of path: String) async throws -> Digest {
        try await Blocking.run { () throws(DigestFileError) in try SHA256.digest(ofFile: path) }
    }
}

extension AzureSession {
    /// - Parameter settings: as ``AzureAccountOptions/settings`` gives them.
    static func open(_ settings: [String: String]) async throws -> AzureSession {
        var account = Settings(variables: ProcessInfo.processInfo.environment)
        account.cloud = settings["cloud"]
        account.endpoint = settings["arm-endpoint"]
        account.authority = settings["authority"]
        account.authorityFile = settings["ca-file"]
        account.tenant = settings["tenant"]
        account.subscription = settings["subscription"]
        return try await open(account)
    }
}

extension AzureProvider {
    convenience init(
        _ session: AzureSession, _ configuration: AzureConfiguration, progress: @escaping @Sendable (String) -> Void
    ) throws(AzureError) {
        try self.init(
            arm: session.arm, transport: session.transport, configuration: configuration, progress: progress)
    }
}
