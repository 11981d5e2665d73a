import SalvorAzure
import Synchronization

/// Carries requests, except for one that it loses before it is sent. Its patience is a hundredth of what is asked for, so
/// that a call without an answer does not take a minute.
final class TroubledTransport: HTTPTransport {
    struct Target: Hashable, Sendable {
        var method: String
        /// Part of the address, lower-cased.
        var part: String

        func fits(_ request: HTTPRequest) -> Bool {
            request.method == method && request.url.lowercased().contains(part)
        }
    }

    private struct State {
        var target: Target?
        var loses = false
        var isImpatient = false
        var count = 0
    }

    private let inner: any HTTPTransport
    private let state = Mutex(State())

    init(_ inner: any HTTPTransport) { self.inner = inner }

    /// Begins to count what is sent to a target, and loses the first of it if it is to.
    func watch(_ target: Target, loses: Bool, isImpatient: Bool) {
        state.withLock { $0 = State(target: target, loses: loses, isImpatient: isImpatient) }
    }

    /// How often the target was asked, what was lost counted.
    var count: Int { state.withLock { $0.count } }

    func calmDown() { state.withLock { $0 = State() } }

    func send(_ request: HTTPRequest) async throws(AzureError) -> HTTPResponse {
        let (isLost, isImpatient) = state.withLock { state -> (Bool, Bool) in
            guard let target = state.target, target.fits(request) else { return (false, false) }
            state.count += 1
            return (state.loses && state.count == 1, state.isImpatient)
        }
        if isLost { throw AzureError(.unreachable, "localhost cannot be reached.", nextStep: "Check the network.") }
        var request = request
        if isImpatient { request.timeout = .milliseconds(300) }
        return try await inner.send(request)
    }
}
