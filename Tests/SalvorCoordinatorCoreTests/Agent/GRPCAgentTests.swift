import Foundation
import GRPCCore
import GRPCInProcessTransport
import SalvorCoordinatorCore
import SalvorDigest
import SalvorMessages
import Synchronization
import Testing

/// What the service at the other end does.
private enum Behaviour: Sendable {
    case asItShould
    case refuses(RPCError.Code)
    case hangs
    case endsWithoutOutcome
    case goesOnAfterOutcome
    case wrongDigest
}

extension Behaviour {
    func behave() async throws {
        switch self {
        case .refuses(let code): throw RPCError(code: code, message: "because\u{1B}[31m")
        // Longer than the caller waits; not for ever, because the in-process server learns nothing of a caller that left
        // and ends only with its calls.
        case .hangs: try await Task.sleep(for: .seconds(2))
        default: break
        }
    }
}

private struct ScanService: Salvor_V1_Scan.SimpleServiceProtocol {
    let behaviour: Behaviour

    func run(
        request: Salvor_V1_ScanRequest, context: ServerContext
    ) async throws -> Salvor_V1_ScanResponse {
        try await behaviour.behave()
        var response = Salvor_V1_ScanResponse()
        response.disk.serial = request.disk.serial
        response.outcome.message = request.recipe.name
        return response
    }
}

private struct ApplyService: Salvor_V1_Apply.SimpleServiceProtocol {
    let behaviour: Behaviour

    func run(
        request: Salvor_V1_ApplyRequest, response: RPCWriter<Salvor_V1_ApplyEvent>, context: ServerContext
    ) async throws {
        try await behaviour.behave()
        var deleted = Salvor_V1_ApplyEvent()
        deleted.sequence = 1
        deleted.deleted.path = ["a"]
        try await response.write(deleted)
        if case .endsWithoutOutcome = behaviour { return }
        var end = Salvor_V1_ApplyEvent()
        end.sequence = 2
        end.outcome.kind = .repaired
        try await response.write(end)
        if case .goesOnAfterOutcome = behaviour { try await response.write(deleted) }
    }
}

private struct QuarantineService: Salvor_V1_Quarantine.SimpleServiceProtocol {
    let behaviour: Behaviour

    func fetch(
        request: Salvor_V1_FetchRequest, response: RPCWriter<Salvor_V1_FetchChunk>, context: ServerContext
    ) async throws {
        try await behaviour.behave()
        var entry = Salvor_V1_FetchChunk()
        entry.entry.path = ["a"]
        entry.entry.sizeBytes = 2
        entry.entry.sha256 = Data(SHA256.digest(of: [1, 2]).bytes)
        try await response.write(entry)
        for byte: UInt8 in [1, 2] {
            var chunk = Salvor_V1_FetchChunk()
            var value = byte
            if case .wrongDigest = behaviour { value = 9 }
            chunk.data = Data([value])
            try await response.write(chunk)
        }
    }

    func store(
        request: RPCAsyncSequence<Salvor_V1_StoreChunk, any Error>, context: ServerContext
    ) async throws -> Salvor_V1_StoreResponse {
        try await behaviour.behave()
        var response = Salvor_V1_StoreResponse()
        for try await chunk in request {
            if case .entry = chunk.part { response.files += 1 }
        }
        return response
    }

    func discard(
        request: Salvor_V1_DiscardRequest, context: ServerContext
    ) async throws -> Salvor_V1_DiscardResponse {
        try await behaviour.behave()
        return Salvor_V1_DiscardResponse()
    }
}

@Suite struct GRPCAgentTests {
    private func withAgent(
        _ behaviour: Behaviour, deadlines: AgentDeadlines = AgentDeadlines(),
        _ body: @Sendable (GRPCAgent<InProcessTransport.Client>) async throws -> Void
    ) async throws {
        let transport = InProcessTransport()
        let services: [any RegistrableRPCService] = [
            ScanService(behaviour: behaviour), ApplyService(behaviour: behaviour),
            QuarantineService(behaviour: behaviour),
        ]
        try await withGRPCServer(transport: transport.server, services: services) { _ in
            try await withGRPCClient(transport: transport.client) { client in
                try await body(
                    GRPCAgent(
                        host: HostName(run: "r1", number: 1), certificateFingerprint: SHA256.digest(of: [1]),
                        client: client, deadlines: deadlines))
            }
        }
    }

    private func scan(_ agent: any Agent) async throws(CoordinatorError) -> Salvor_V1_ScanResponse {
        var recipe = Salvor_V1_Recipe()
        recipe.name = "some-recipe"
        return try await agent.scan(.serial("S1"), of: "m1", recipe: recipe)
    }

    @Test func `a scan carries disk and recipe there and the answer back`() async throws {
        try await withAgent(.asItShould) { agent in
            let response = try await scan(agent)
            #expect(response.disk.serial == "S1")
            #expect(response.outcome.message == "some-recipe")
        }
    }

    @Test func `apply hands on each event and returns the outcome`() async throws {
        try await withAgent(.asItShould) { agent in
            let events = Mutex<[Salvor_V1_ApplyEvent]>([])
            let outcome = try await agent.apply(Salvor_V1_ApplyRequest(), to: "m1") { event in
                events.withLock { $0.append(event) }
            }
            #expect(outcome.kind == .repaired)
            #expect(events.withLock { $0.map(\.deleted.path) } == [["a"]])
        }
    }

    @Test(arguments: [
        (RPCError.Code.unavailable, CoordinatorError.Code.agentGone), (.unauthenticated, .agentGone),
        (.deadlineExceeded, .agentTimedOut), (.resourceExhausted, .noSpace), (.unimplemented, .agentFault),
        (.invalidArgument, .agentRefused), (.failedPrecondition, .agentRefused), (.internalError, .agentFault),
        (.unknown, .agentFault),
    ])
    func `a status becomes an error that names host and machine, and prints no escape`(
        status: RPCError.Code, code: CoordinatorError.Code
    ) async throws {
        try await withAgent(.refuses(status)) { agent in
            let error = await #expect(throws: CoordinatorError.self) { try await scan(agent) }
            #expect(error?.code == code)
            #expect(error?.message.contains("rescue-1") == true)
            #expect(error?.message.contains("m1") == true)
            #expect(error?.message.contains("\u{1B}") == false)
        }
    }

    @Test func `a call that hangs ends at its deadline`() async throws {
        var deadlines = AgentDeadlines()
        deadlines.scan = .milliseconds(100)
        try await withAgent(.hangs, deadlines: deadlines) { agent in
            let error = await #expect(throws: CoordinatorError.self) { try await scan(agent) }
            #expect(error?.code == .agentTimedOut)
        }
    }

    @Test func `an apply without an outcome, or that goes on after it, is the agent's fault`() async throws {
        for behaviour in [Behaviour.endsWithoutOutcome, .goesOnAfterOutcome] {
            try await withAgent(behaviour) { agent in
                let error = await #expect(throws: CoordinatorError.self) {
                    try await agent.apply(Salvor_V1_ApplyRequest(), to: "m1") { _ in }
                }
                #expect(error?.code == .agentFault)
            }
        }
    }

    @Test func `what the agent has in quarantine arrives in the store, or not at all`() async throws {
        let folder = try TemporaryFolder()
        try await withAgent(.asItShould) { agent in
            let store = QuarantineStore(folder: "\(folder.path)/q", run: "r1", machine: "m1")
            try await agent.fetchQuarantine("q1", of: "m1", into: store)
            #expect(await store.files.count == 1)
            try await agent.discardQuarantine("q1", of: "m1")
        }
        try await withAgent(.wrongDigest) { agent in
            let store = QuarantineStore(folder: "\(folder.path)/p", run: "r1", machine: "m1")
            let error = await #expect(throws: CoordinatorError.self) {
                try await agent.fetchQuarantine("q1", of: "m1", into: store)
            }
            #expect(error?.code == .quarantineMismatch)
        }
    }
}
