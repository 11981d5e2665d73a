internal import Logging
internal import SalvorTransport

/// The other way round: the coordinator dials. Only TCP is turned round. In TLS the agent stays the client, so that it
/// shows its token to nobody but the coordinator of its bootstrap data (SPEC.md R-4, N-5).
extension CoordinatorLink {
    /// More than one coordinator needs, and little to hold for strangers, who are gone after ``Endpoint/handshakeTimeout``.
    private static let maximumConnections = 16

    func keepListening(on port: UInt16) async {
        var backoff = Backoff(initial: .milliseconds(200), maximum: .seconds(10))
        var random = SystemRandomNumberGenerator()
        var identity: LocalIdentity?
        logger.info("waits for the coordinator on port \(port)")
        while !Task.isCancelled {
            do throws(TransportError) {
                if let own = identity {
                    try await serveThoseWhoDial(port, as: own)
                    // The certificate was refused: the token decides whether there is another.
                    identity = nil
                } else {
                    identity = try await enrolWithOneWhoDials(port)
                }
                backoff.reset()
            } catch {
                logger.warning("cannot wait for a coordinator on port \(port): \(error)")
                guard (try? await Task.sleep(for: backoff.next(using: &random))) != nil else { return }
            }
        }
    }

    /// - Returns: nil when cancelled.
    private func enrolWithOneWhoDials(_ port: UInt16) async throws(TransportError) -> LocalIdentity? {
        let listener = try await listen(port, as: nil) {}
        let identity = await withTaskCancellationHandler { () async -> LocalIdentity? in
            for await connection in listener.connections {
                do {
                    return try await enrol(over: connection)
                } catch {
                    logger.warning("no enrolment with the coordinator at \(connection.remoteAddress): \(error)")
                    connection.close()
                }
            }
            return nil
        } onCancel: {
            Task { await listener.close() }
        }
        await listener.close()
        return identity
    }

    /// Returns when a coordinator has refused the certificate, or when cancelled.
    private func serveThoseWhoDial(_ port: UInt16, as identity: LocalIdentity) async throws(TransportError) {
        let (refused, refuse) = AsyncStream.makeStream(of: Void.self)
        let listener = try await listen(port, as: identity) { [self] in
            // A link that works shows that there is one to whom the certificate is good.
            if !isServing { refuse.yield() }
        }
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    for await _ in refused { break }
                    await listener.close()
                }
                for await connection in listener.connections {
                    // An authenticated coordinator's: one that dials again has lost its old connection.
                    takeOver(connection)
                    group.addTask { [self] in
                        do {
                            try await serve(connection)
                        } catch {
                            logger.warning("the link to \(connection.remoteAddress) broke: \(error)")
                        }
                    }
                }
                refuse.finish()
            }
        } onCancel: {
            refuse.finish()
            closeLink()
        }
    }

    private func listen(
        _ port: UInt16, as identity: LocalIdentity?, onRefusal: @escaping @Sendable () -> Void
    ) async throws(TransportError) -> Listener {
        let strangers = Throttle(.seconds(1))
        return try await Listener.listen(
            host: "0.0.0.0", port: Int(port), as: endpoint(identity), tls: .client,
            maximumConnections: Self.maximumConnections
        ) { [logger] refusal in
            if let unsaid = strangers.pass() {
                let others = unsaid > 0 ? ", and \(unsaid) before it" : ""
                logger.warning("refused a connection from \(refusal.remoteAddress)\(others): \(refusal.error)")
            }
            if refusal.error.refusesOurCertificate { onRefusal() }
        }
    }
}
