internal import GRPCCore
internal import SalvorCoordinatorCore
internal import SalvorTransport

/// The agents that are there, and those who wait for one.
actor Arrivals {
    enum Answer: Sendable {
        case arrived(any Agent)
        /// Time was up.
        case late(Absence?)
        /// The host is not there any more.
        case hostGone
        case cancelled
    }

    /// What is known of a host whose agent has not come.
    enum Absence: Sendable {
        /// Nobody was there when it was dialled last.
        case unreached(any Error)
        /// The last one of its name was refused, or refused this side.
        case refused(any Error)

        var error: any Error {
            switch self {
            case .unreached(let error), .refused(let error): error
            }
        }
    }

    typealias Client = GRPCClient<SalvorClientTransport>

    private struct Guest {
        var agent: any Agent
        var client: Client
        var connection: Connection
    }

    private struct Waiter {
        var host: String
        var continuation: CheckedContinuation<Answer, Never>
        var timer: Task<Void, Never>
    }

    private var guests: [String: Guest] = [:]
    private var waiters: [Int: Waiter] = [:]
    private var absences: [String: Absence] = [:]
    /// Which hosts are still there, by name.
    private var presences: [String: @Sendable () async -> Bool] = [:]
    /// Between two looks at whether a host is there.
    private static let lookInterval = Duration.seconds(1)
    private var lastWaiter = 0
    private var isClosed = false

    /// - Parameter isThere: is asked for as long as someone waits for that host.
    func agent(
        on host: String, within timeout: Duration, while isThere: @escaping @Sendable () async -> Bool
    ) async -> Answer {
        presences[host] = isThere
        if let guest = guests[host] { return .arrived(guest.agent) }
        return await nextAgent(on: host, within: timeout)
    }

    /// The client of the connection that follows `lost`; nil where none comes in time, or the host is not there any more.
    func client(on host: String, after lost: Client, within timeout: Duration) async -> Client? {
        // One that was let go does not come back.
        guard presences[host] != nil else { return nil }
        if guests[host] == nil || guests[host]?.client === lost {
            guard case .arrived = await nextAgent(on: host, within: timeout) else { return nil }
        }
        return guests[host]?.client
    }

    private func nextAgent(on host: String, within timeout: Duration) async -> Answer {
        lastWaiter += 1
        let number = lastWaiter
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard !Task.isCancelled, !isClosed else { return continuation.resume(returning: .cancelled) }
                let isThere = presences[host]
                let timer = Task {
                    let end = ContinuousClock.now + timeout
                    while ContinuousClock.now < end {
                        if let isThere, await !isThere() { return self.answer(number, .hostGone) }
                        let pause = min(Self.lookInterval, end - .now)
                        guard (try? await Task.sleep(for: pause)) != nil else { return }
                    }
                    self.timeUp(for: number)
                }
                waiters[number] = Waiter(host: host, continuation: continuation, timer: timer)
            }
        } onCancel: {
            Task { await self.answer(number, .cancelled) }
        }
    }

    func arrived(_ agent: any Agent, client: Client, connection: Connection, host: String) {
        // A host that dials again has lost its old connection, even where this side has not noticed yet.
        guests[host]?.connection.close()
        guests[host] = Guest(agent: agent, client: client, connection: connection)
        for (number, waiter) in waiters where waiter.host == host { answer(number, .arrived(agent)) }
    }

    func left(_ connection: Connection, host: String) {
        if guests[host]?.connection === connection { guests[host] = nil }
    }

    /// Ends the link to a host that is let go.
    func dismiss(_ host: String) {
        guests.removeValue(forKey: host)?.connection.close()
        presences[host] = nil
        for (number, waiter) in waiters where waiter.host == host { answer(number, .hostGone) }
    }

    func refused(_ why: any Error, host: String) {
        // What made them too many says more than that they are.
        if (why as? TransportError)?.code == .tooManyAttempts, absences[host] != nil { return }
        absences[host] = .refused(why)
    }

    /// Says less than a refusal, and takes the place of none.
    func unreached(_ why: any Error, host: String) {
        if case .refused? = absences[host] { return }
        absences[host] = .unreached(why)
    }

    func close() {
        isClosed = true
        for guest in guests.values { guest.connection.close() }
        guests = [:]
        for number in waiters.keys { answer(number, .cancelled) }
    }

    private func timeUp(for number: Int) {
        guard let host = waiters[number]?.host else { return }
        answer(number, .late(absences[host]))
    }

    private func answer(_ number: Int, _ answer: Answer) {
        guard let waiter = waiters.removeValue(forKey: number) else { return }
        waiter.timer.cancel()
        waiter.continuation.resume(returning: answer)
    }
}
