internal import Logging
internal import SalvorCoordinatorCore
internal import SalvorTransport

/// Hosts that wait to be dialled. In TLS the coordinator is the server all the same (SPEC.md R-4, N-5).
extension RunSwitchboard {
    func startDialling(_ host: String, at address: ListenAddress) {
        guard dialling[host] == nil else { return }
        dialling[host] = Task { await self.keepDialling(host, at: address) }
    }

    /// Stays linked with a host until cancelled.
    private func keepDialling(_ host: String, at address: ListenAddress) async {
        // Soon enough for an agent that turns from enrolling to serving, and never in step with other runs' dials.
        var backoff = Backoff(initial: .milliseconds(200), maximum: .seconds(5))
        var random = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            do throws(TransportError) {
                let connection = try await dial(host, at: address)
                // It came about too late: nobody would ever look at it.
                guard !Task.isCancelled else { return connection.close() }
                if await welcome(connection, expecting: host) { backoff.reset() }
            } catch {
                logger.debug("no link to the agent of \(host) at \(address): \(error)")
                if error.isAbsence {
                    await arrivals.unreached(error, host: host)
                } else {
                    await arrivals.refused(error, host: host)
                }
            }
            guard (try? await Task.sleep(for: backoff.next(using: &random))) != nil else { return }
        }
    }

    private func dial(_ host: String, at address: ListenAddress) async throws(TransportError) -> Connection {
        var endpoint = try Endpoint.coordinator(of: authority)
        endpoint.expectedPeer = .host(run: authority.run, host: host)
        return try await Dialler(as: endpoint, tls: .server).connect(host: address.host, port: Int(address.port))
    }
}

extension TransportError {
    /// Nobody is there yet, or nobody who speaks: a rescue VM that is starting, or a forward that leads to it.
    fileprivate var isAbsence: Bool {
        [.cannotConnect, .connectionLost, .handshakeFailed, .handshakeTimeout].contains(code)
    }
}
