internal import SalvorCoordinatorCore

/// A provider that is ready for a run, with where its rescue VMs' agents call, or nil where they are dialled.
struct OpenProvider: Sendable {
    let provider: any Provider
    let listening: ListeningAddress?
    /// Lets go of what it holds open.
    let close: @Sendable () async -> Void

    /// - Parameters:
    ///   - kind: as ``Provider/kind`` has it.
    ///   - configuration: of the run, new or recorded.
    static func open(
        _ kind: String, _ configuration: RunConfiguration, _ context: RunContext,
        progress: @escaping @Sendable (String) -> Void
    ) async throws -> OpenProvider {
        switch ProviderKind(rawValue: kind) {
        case .local:
            let agentsListen = configuration.agentsListen
            return OpenProvider(
                provider: try await context.localProvider(
                    inventory: configuration.inventory ?? ".", agentsListen: agentsListen,
                    rescueMemory: configuration.settings[LocalRescueOptions.memorySetting].flatMap { Int($0) }),
                listening: agentsListen ? nil : .loopback, close: {})
        case .azure: return try await azure(configuration, context, progress: progress)
        case nil:
            throw CommandFailure(
                .stateUnusable, "This Salvor has no provider “\(kind)”.", nextStep: "Use the Salvor that began the run."
            )
        }
    }
}

extension RunConfiguration {
    /// True where the run was begun with `--listen`.
    var agentsListen: Bool { settings[ProviderOptions.listenSetting] == "true" }
}

/// Where the coordinator waits for agents.
struct ListeningAddress: Hashable, Sendable {
    var host: String
    /// 0 for any that is free.
    var port: Int

    static let loopback = ListeningAddress(host: "127.0.0.1", port: 0)
}
