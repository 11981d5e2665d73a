internal import Hummingbird
internal import HummingbirdCore
package import Logging

/// Serves, by plain HTTP, what a machine reaches at 169.254.169.254 and 168.63.129.16: its metadata, its identity's tokens
/// and the place where it reports that it is ready.
package struct MetadataServer: Sendable {
    package enum Place: Sendable {
        /// A socket of this path; what is in its way is removed.
        case unix(String)
        /// A port of 127.0.0.1; 0 for any that is free.
        case loopback(port: Int)
    }

    private let metadata: InstanceMetadata
    private let logger: Logger

    /// - Parameters:
    ///   - machine: nil for the machine that the emulator runs on, which has an identity alone.
    ///   - identityHeader: the secret of the App Service form; nil where there is no such form.
    package init(_ emulator: Emulator, machine: ResourceID?, identityHeader: String? = nil, logger: Logger) {
        metadata = InstanceMetadata(emulator, machine: machine, identityHeader: identityHeader)
        self.logger = logger
    }

    /// Serves until cancelled.
    /// - Parameter onListening: called with the port, as soon as clients can connect; 0 for a socket.
    package func run(on place: Place, onListening: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
        let address: BindAddress =
            switch place {
            case .unix(let path): .unixDomainSocket(path: path)
            case .loopback(let port): .hostname("127.0.0.1", port: port)
            }
        let metadata = metadata
        let application = Application(
            responder: EmulatorResponder(scheme: "http", host: InstanceMetadata.address) { await metadata.answer($0) },
            configuration: ApplicationConfiguration(address: address),
            onServerRunning: { await onListening($0.localAddress?.port ?? 0) }, logger: logger)
        try await application.run()
    }
}
