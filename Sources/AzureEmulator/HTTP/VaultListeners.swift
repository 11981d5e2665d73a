internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import SalvorJSON
package import SalvorTransport
internal import Synchronization

/// A port of its own for each vault: clients take a vault's items apart by the paths of their addresses, so that each vault
/// needs an origin.
package final class VaultListeners: Sendable {
    private struct Opening {
        let vault: ResourceID
        let port: Int
        let closing: AsyncStream<Never>
        let done: @Sendable (Result<Int, ARMError>) -> Void
    }

    private let tls: TLSContext
    private let logger: Logger
    private let openings: AsyncStream<Opening>
    private let opened: AsyncStream<Opening>.Continuation
    /// Ports that are open, with what ends them, by the vault's key.
    private let known = Mutex<[String: (port: Int, close: AsyncStream<Never>.Continuation)]>([:])

    /// - Parameter identity: the server's certificate and key.
    package init(identity: LocalIdentity, logger: Logger) throws(TransportError) {
        tls = try TLSContext(TLSConfiguration(role: .server, identity: identity, trust: nil))
        self.logger = logger
        (openings, opened) = AsyncStream.makeStream()
    }

    /// Opens a vault's port, where it is not open.
    /// - Parameter port: 0 for any that is free.
    /// - Returns: the port, once clients can connect.
    package func open(_ vault: ResourceID, port: Int) async throws(ARMError) -> Int {
        if let port = known.withLock({ $0[vault.key]?.port }) { return port }
        let (closing, close) = AsyncStream<Never>.makeStream()
        let result = await withCheckedContinuation { continuation in
            let once = Once { continuation.resume(returning: $0) }
            opened.yield(Opening(vault: vault, port: port, closing: closing) { once.say($0) })
        }
        let found = try result.get()
        known.withLock { $0[vault.key] = (found, close) }
        return found
    }

    package func close(_ vault: ResourceID) {
        known.withLock { $0.removeValue(forKey: vault.key) }?.close.finish()
    }

    /// Serves until cancelled: the vaults that there are, each at its old port, and those that are made meanwhile.
    package func run(_ emulator: Emulator) async {
        await withDiscardingTaskGroup { tasks in
            tasks.addTask {
                for (vault, port) in emulator.vaultPorts {
                    do throws(ARMError) {
                        _ = try await self.open(vault, port: port)
                    } catch {
                        self.logger.error("\(vault.name): \(error.message)")
                    }
                }
            }
            for await opening in openings {
                tasks.addTask { await self.serve(opening, emulator) }
            }
        }
    }

    private func serve(_ opening: Opening, _ emulator: Emulator) async {
        let vault = opening.vault
        // Of a port that is closed while clients are connected Hummingbird complains, which is nothing to anybody.
        var quiet = logger
        quiet.logLevel = .critical
        let application = Application(
            responder: EmulatorResponder(scheme: "https", host: "localhost") { request in
                var request = request
                request.vault = vault
                return await emulator.answer(request)
            },
            server: HTTPServerBuilder { [tls] responder in
                TLSChannel(base: HTTP1Channel(responder: responder), tls: tls)
            },
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: opening.port)),
            onServerRunning: { opening.done(.success($0.localAddress?.port ?? opening.port)) }, logger: quiet)
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                do {
                    try await application.run()
                } catch {
                    let failure = ARMError(
                        500, "InternalServerError", "The vault's port \(opening.port) cannot be opened: \(error)")
                    opening.done(.failure(failure))
                }
            }
            tasks.addTask { for await _ in opening.closing {} }
            await tasks.next()
            tasks.cancelAll()
        }
    }
}

/// Says something once, whoever is first.
private final class Once: Sendable {
    private let say: @Sendable (Result<Int, ARMError>) -> Void
    private let isSaid = Mutex(false)

    init(_ say: @escaping @Sendable (Result<Int, ARMError>) -> Void) { self.say = say }

    func say(_ result: Result<Int, ARMError>) {
        let isFirst = isSaid.withLock { isSaid in
            defer { isSaid = true }
            return !isSaid
        }
        if isFirst { say(result) }
    }
}

extension Emulator {
    /// The vaults that have a port, and are not being made.
    var vaultPorts: [(ResourceID, Int)] {
        look { state in
            configuration.subscriptions.flatMap {
                state.list("Microsoft.KeyVault/vaults", in: ResourceID(subscription: $0.id))
            }.filter { $0.provisioningState == "Succeeded" }.compactMap { record in
                record.hidden["port"]?.integer.map { (record.id, Int($0)) }
            }
        }
    }
}
