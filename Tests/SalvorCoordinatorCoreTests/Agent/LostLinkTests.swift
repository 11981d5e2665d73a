import Foundation
import GRPCCore
import GRPCInProcessTransport
import SalvorCoordinatorCore
import SalvorDigest
import SalvorMessages
import Synchronization
import Testing

/// What an agent's calls do when their connection is lost (SPEC.md ).
@Suite struct LostLinkTests {
    private typealias Client = GRPCClient<InProcessTransport.Client>

    /// What the agent at the end of one connection does when it is called for the n-th time, from 1.
    private struct Connection: Sendable {
        var scan: @Sendable (_ call: Int) throws -> Void = { _ in }
        var apply: @Sendable (_ request: Salvor_V1_ApplyRequest) throws -> ClosedRange<UInt64> = { _ in 1...1 }
        /// After the events of `apply`: none goes on with the outcome.
        var end: RPCError?
        var fetched: @Sendable (_ call: Int) throws -> Void = { _ in }
    }

    private static let gone = RPCError(code: .unavailable, message: "the connection was lost")

    private struct Services: Salvor_V1_Scan.SimpleServiceProtocol {
        let connection: Connection
        let calls = Counter()

        func run(request: Salvor_V1_ScanRequest, context: ServerContext) async throws -> Salvor_V1_ScanResponse {
            try connection.scan(calls.next())
            var response = Salvor_V1_ScanResponse()
            response.outcome.message = "scanned"
            return response
        }
    }

    private struct Applies: Salvor_V1_Apply.SimpleServiceProtocol {
        let connection: Connection

        func run(
            request: Salvor_V1_ApplyRequest, response: RPCWriter<Salvor_V1_ApplyEvent>, context: ServerContext
        ) async throws {
            let numbers = try connection.apply(request)
            for number in numbers {
                var event = Salvor_V1_ApplyEvent()
                event.sequence = number
                event.deleted.path = ["\(number)"]
                try await response.write(event)
            }
            if let end = connection.end { throw end }
            var event = Salvor_V1_ApplyEvent()
            event.sequence = numbers.upperBound + 1
            event.outcome.kind = .repaired
            try await response.write(event)
        }
    }

    private struct Quarantines: Salvor_V1_Quarantine.SimpleServiceProtocol {
        let connection: Connection
        let calls = Counter()

        func fetch(
            request: Salvor_V1_FetchRequest, response: RPCWriter<Salvor_V1_FetchChunk>, context: ServerContext
        ) async throws {
            var chunk = Salvor_V1_FetchChunk()
            chunk.entry.path = ["a"]
            try await response.write(chunk)
            try connection.fetched(calls.next())
            chunk.data = Data([1])
            try await response.write(chunk)
        }

        func store(
            request: RPCAsyncSequence<Salvor_V1_StoreChunk, any Error>, context: ServerContext
        ) async throws -> Salvor_V1_StoreResponse {
            for try await _ in request {}
            return Salvor_V1_StoreResponse()
        }

        func discard(
            request: Salvor_V1_DiscardRequest, context: ServerContext
        ) async throws -> Salvor_V1_DiscardResponse { Salvor_V1_DiscardResponse() }
    }

    private struct Hosts: Salvor_V1_Host.SimpleServiceProtocol {
        func powerOff(
            request: Salvor_V1_PowerOffRequest, context: ServerContext
        ) async throws -> Salvor_V1_PowerOffResponse { throw LostLinkTests.gone }

        func logs(
            request: Salvor_V1_LogsRequest, response: RPCWriter<Salvor_V1_LogRecord>, context: ServerContext
        ) async throws { throw LostLinkTests.gone }
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)
        func next() -> Int {
            count.withLock {
                $0 += 1; return $0
            }
        }
    }

    /// An agent whose connections are these, one after the other.
    /// - Returns: how many were used.
    @discardableResult
    private func withAgent(
        _ connections: [Connection], deadlines: AgentDeadlines = AgentDeadlines(),
        _ body: @Sendable (any Agent) async throws -> Void
    ) async throws -> Int {
        let clients = Mutex<[Client]>([])
        let used = Mutex(1)
        try await withThrowingTaskGroup { group in
            for connection in connections {
                let transport = InProcessTransport()
                let server = GRPCServer(
                    transport: transport.server,
                    services: [
                        Services(connection: connection), Applies(connection: connection),
                        Quarantines(connection: connection), Hosts(),
                    ])
                let client = GRPCClient(transport: transport.client)
                clients.withLock { $0.append(client) }
                group.addTask { try await server.serve() }
                group.addTask { try await client.runConnections() }
            }
            let all = clients.withLock { $0 }
            let agent = GRPCAgent(
                host: HostName(run: "r1", number: 1), certificateFingerprint: SHA256.digest(of: [1]), client: all[0],
                deadlines: deadlines
            ) { lost in
                let next = all.firstIndex { $0 === lost }.map { $0 + 1 } ?? 0
                guard next < all.count else { return nil }
                used.withLock { $0 = max($0, next + 1) }
                return all[next]
            }
            try await body(agent)
            group.cancelAll()
        }
        return used.withLock { $0 }
    }

    private func scan(_ agent: any Agent) async throws(CoordinatorError) -> String {
        try await agent.scan(.serial("S1"), of: "m1", recipe: Salvor_V1_Recipe()).outcome.message
    }

    @Test func `an Apply is joined over the next connection, and no event is told twice`() async throws {
        let asked = Mutex<[UInt64]>([])
        let note = { @Sendable (request: Salvor_V1_ApplyRequest) in
            asked.withLock { $0.append(request.afterSequence) }
        }
        let connections = [
            Connection(
                apply: {
                    note($0); return 1...3
                }, end: Self.gone),
            Connection(apply: {
                note($0); throw Self.gone
            }),
            Connection(apply: {
                note($0); return 4...5
            }),
        ]
        let used = try await withAgent(connections) { agent in
            let seen = Mutex<[String]>([])
            let outcome = try await agent.apply(Salvor_V1_ApplyRequest(), to: "m1") { event in
                seen.withLock { $0 += event.deleted.path }
            }
            #expect(outcome.kind == .repaired)
            #expect(seen.withLock { $0 } == ["1", "2", "3", "4", "5"])
        }
        #expect(used == 3)
        #expect(asked.withLock { $0 } == [0, 3, 3])
    }

    @Test(arguments: [UInt64(2)...4, 4...5])
    func `an agent that sends an event twice, or leaves one out, is not believed`(
        second: ClosedRange<UInt64>
    ) async throws {
        try await withAgent([Connection(apply: { _ in 1...2 }, end: Self.gone), Connection(apply: { _ in second })]) {
            agent in
            let error = await #expect(throws: CoordinatorError.self) {
                try await agent.apply(Salvor_V1_ApplyRequest(), to: "m1") { _ in }
            }
            #expect(error?.code == .agentFault)
            #expect(error?.message.contains("twice, or left one out") == true)
        }
    }

    @Test func `where no connection follows, the first loss is what is told`() async throws {
        try await withAgent([Connection(end: Self.gone)]) { agent in
            let error = await #expect(throws: CoordinatorError.self) {
                try await agent.apply(Salvor_V1_ApplyRequest(), to: "m1") { _ in }
            }
            #expect(error?.code == .agentGone)
            #expect(error?.message.contains("the connection was lost") == true)
        }
    }

    @Test func `a scan is made again, once the lost one has let go of the disk`() async throws {
        let connections = [
            Connection(scan: { _ in throw Self.gone }),
            Connection(scan: { if $0 < 3 { throw RPCError(code: .aborted, message: "the disk is in use") } }),
        ]
        try await withAgent(connections) { agent in
            // The second time over the connection that works.
            for _ in 1...2 {
                let answer = try await scan(agent)
                #expect(answer == "scanned")
            }
        }
        // Where no link was lost, someone else has the disk, and no other link is waited for.
        let busy = Connection(scan: { _ in throw RPCError(code: .aborted, message: "in use") })
        let used = try await withAgent([busy, Connection()]) { agent in
            await #expect(throws: CoordinatorError.self) { try await scan(agent) }
        }
        #expect(used == 1)
    }

    @Test func `the deadline is one for all tries`() async throws {
        var deadlines = AgentDeadlines()
        deadlines.scan = .milliseconds(700)
        let busy = Connection(scan: { _ in throw RPCError(code: .aborted, message: "in use") })
        let began = ContinuousClock.now
        try await withAgent([Connection(scan: { _ in throw Self.gone }), busy], deadlines: deadlines) { agent in
            await #expect(throws: CoordinatorError.self) { try await scan(agent) }
        }
        #expect(ContinuousClock.now - began > .milliseconds(600))
    }

    private actor Sink: QuarantineSink {
        private(set) var story: [String] = []
        func restart() { story.append("restart") }
        func begin(_ entry: Salvor_V1_QuarantineEntry) { story.append("begin \(entry.path.joined())") }
        func append(_ data: [UInt8]) { story.append("\(data)") }
        func end() { story.append("end") }
    }

    @Test func `a quarantine is fetched from its beginning again`() async throws {
        try await withAgent([Connection(fetched: { _ in throw Self.gone }), Connection()]) { agent in
            let sink = Sink()
            try await agent.fetchQuarantine("q", of: "m1", into: sink)
            #expect(await sink.story == ["restart", "begin a", "restart", "begin a", "[1]", "end"])
        }
    }

    @Test func `what may not be done twice is not made again`() async throws {
        var deadlines = AgentDeadlines()
        // It is not about time.
        deadlines.powerOff = .seconds(600)
        let used = try await withAgent([Connection(), Connection()], deadlines: deadlines) { agent in
            let refused = await #expect(throws: CoordinatorError.self) { try await agent.powerOff() }
            #expect(refused?.code == .agentGone)
            await #expect(throws: CoordinatorError.self) { try await agent.logs { _ in } }
        }
        #expect(used == 1)
    }
}
