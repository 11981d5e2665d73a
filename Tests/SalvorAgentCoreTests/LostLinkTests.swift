import GRPCCore
import GRPCInProcessTransport
import SalvorMessages
import SwiftProtobuf
import Synchronization
import Testing

@testable import SalvorAgentCore

/// SPEC.md: what becomes of an Apply whose caller's link is lost.
@Suite(.enabled(if: canMountNTFS, whyNotMountNTFS))
struct LostLinkTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func agent(files: Int, linksAreLost: Bool = false) async throws -> TestAgent {
        let image = try await NTFSImage(in: scratch)
        try await image.change { editor in
            try Incident.broken(editor)
            for number in 0..<files {
                try editor.file(
                    "\(Incident.folder)/C-00000291-\(number).sys", Incident.content(7, size: 500),
                    modified: NTFSImage.faultyTime)
            }
        }
        var agent = try TestAgent(scratch, .ntfs(image))
        agent.linksAreLost = linksAreLost
        return agent
    }

    private typealias Client = GRPCClient<InProcessTransport.Client>

    /// - Returns: the events that came before `isEnough`, at which the call is cancelled.
    private func beginning(
        _ request: Salvor_V1_ApplyRequest, over client: Client,
        until isEnough: @escaping @Sendable (Salvor_V1_ApplyEvent) -> Bool
    ) async throws -> [Salvor_V1_ApplyEvent] {
        let seen = Mutex<[Salvor_V1_ApplyEvent]>([])
        let enough = Flag()
        let call = Task {
            try await Salvor_V1_Apply.Client(wrapping: client).run(request) { response in
                for try await event in response.messages {
                    if enough.isRaised { return }
                    seen.withLock { $0.append(event) }
                    if isEnough(event) { enough.raise() }
                }
            }
        }
        #expect(try await enough.wait())
        call.cancel()
        _ = await call.result
        return seen.withLock { $0 }
    }

    private func all(_ request: Salvor_V1_ApplyRequest, over client: Client) async throws -> [Salvor_V1_ApplyEvent] {
        try await Salvor_V1_Apply.Client(wrapping: client).run(request) { response in
            try await response.messages.reduce(into: []) { $0.append($1) }
        }
    }

    @Test func `A-1, A-2: it goes on, and a later call has the events since the last one, none twice`() async throws {
        let agent = try await agent(files: 60, linksAreLost: true)
        let request = agent.applyRequest(try await agent.scan().findings)
        try await agent.call { client in
            let first = try await beginning(request, over: client) {
                if case .quarantined = $0.event { true } else { false }
            }
            var rest = request
            rest.afterSequence = try #require(first.last).sequence
            let second = try await all(rest, over: client)
            let events = first + second
            #expect(events.map(\.sequence) == Array(1...UInt64(events.count)))
            #expect(events.outcome.kind == .repaired, "\(events.outcome.message)")
            #expect(events.deletedPaths.count == 61)

            // The answer itself may have been lost: it is there until its caller has no more use for it.
            let again = try await all(request, over: client)
            #expect(again == events)
            var last = request
            last.afterSequence = UInt64(events.count)
            #expect(try await all(last, over: client).isEmpty)
            _ = try await Salvor_V1_Quarantine.Client(wrapping: client).discard(
                .with { $0.quarantineID = request.quarantineID })
            await refused(rest, .notFound, over: client)
        }
        #expect(try scratch.mounts() == [])
    }

    /// Gives the call up as soon as a file is in quarantine. gRPC's own transport in one process tells a handler nothing of
    /// a caller that has left.
    private struct Leaver: RPCWriterProtocol {
        let handle: ServerContext.RPCCancellationHandle
        let seen: EventBox

        func write(_ event: Salvor_V1_ApplyEvent) async throws {
            seen.append(event)
            if case .quarantined = event.event { handle.cancel() }
        }

        func write(contentsOf events: some Sequence<Salvor_V1_ApplyEvent>) async throws {
            for event in events { try await write(event) }
        }
    }

    @Test(arguments: [false, true])
    func `A-1: the caller's own cancellation ends an Apply at its next safe point, the loss of its link does not`(
        isLinkLost: Bool
    ) async throws {
        let agent = try await agent(files: 200, linksAreLost: isLinkLost)
        let request = agent.applyRequest(try await agent.scan().findings)
        let services = AgentServices(agent.configuration)
        let service = try #require(services.all.lazy.compactMap { $0 as? ApplyService }.first)
        let seen = EventBox()
        try? await withServerContextRPCCancellationHandle { handle in
            let context = ServerContext(
                descriptor: Salvor_V1_Apply.Method.Run.descriptor, remotePeer: "", localPeer: "", cancellation: handle)
            try await service.run(
                request: request, response: RPCWriter(wrapping: Leaver(handle: handle, seen: seen)), context: context)
        }
        let journal = try #require(service.applies[request.quarantineID]?.journal)
        if !isLinkLost { #expect(journal.isEnded, "the call ended before its Apply") }
        let events = try await journal.events().reduce(into: []) { $0.append($1) }
        #expect(Array(events.prefix(seen.all.count)) == seen.all)
        #expect(events.outcome.kind == (isLinkLost ? .repaired : .failed), "\(events.outcome.message)")
        #expect(events.deletedPaths.count == (isLinkLost ? 201 : 0))
        #expect(events.outcome.message.contains("gave the work up") == !isLinkLost)
        #expect(try scratch.mounts() == [])
    }

    @Test func `A-3: the name of an Apply is good for one request, and what is not known cannot be joined`()
        async throws
    {
        let agent = try await agent(files: 1, linksAreLost: true)
        let findings = try await agent.scan().findings
        let request = agent.applyRequest(findings)
        let other = agent.applyRequest(Array(findings.dropLast()))
        try await agent.call { client in
            var unknown = request
            unknown.afterSequence = 1
            await refused(unknown, .notFound, over: client)
            let events = try await all(request, over: client)
            #expect(events.outcome.kind == .repaired)
            await refused(other, .invalidArgument, over: client)
        }
    }

    @Test func `an Apply that never began is told so, and may be begun again`() async throws {
        var agent = try await agent(files: 1)
        let request = agent.applyRequest(try await agent.scan().findings)
        let disks = agent.disks
        agent.disks.list = []
        try await agent.call { client in await refused(request, .notFound, over: client) }
        agent.disks = disks
        let events = try await agent.call { try await all(request, over: $0) }
        #expect(events.outcome.kind == .repaired)
    }

    @Test func `a reader that joins late and one that was there from the beginning have the same events`() async throws
    {
        let journal = ApplyJournal()
        let early = journal.events()
        for number in 1...3 { journal.record(.deleted(.with { $0.path = ["\(number)"] })) }
        let late = journal.events(after: 2)
        journal.finish(.with { $0.kind = .repaired })
        journal.fail(.givenUp)
        #expect(journal.isEnded)
        await journal.awaitEnd()
        let whole = try await early.reduce(into: []) { $0.append($1) }
        #expect(whole.map(\.sequence) == [1, 2, 3, 4])
        let rest = try await late.reduce(into: []) { $0.append($1) }
        #expect(rest == Array(whole.dropFirst(2)))
        let none = try await journal.events(after: .max).reduce(into: []) { $0.append($1) }
        #expect(none.isEmpty)
    }

    @Test func `what has ended is forgotten when there is too much of it, the oldest first`() throws {
        let applies = Applies()
        let request = { (number: Int) in Salvor_V1_ApplyRequest.with { $0.quarantineID = "a-\(number)" } }
        for number in 0..<70 {
            let member = try applies.join(request(number)) { _ in }
            member.journal.finish(.with { $0.kind = .repaired })
            applies.ended("a-\(number)")
        }
        let begun = Mutex<[Int]>([])
        for number in [0, 5, 6, 69] {
            _ = try applies.join(request(number)) { _ in begun.withLock { $0.append(number) } }
        }
        #expect(begun.withLock { $0 } == [0, 5])
        // One that goes on is not forgotten, whoever asks for that.
        applies.forget("a-0")
        _ = try applies.join(request(0)) { _ in begun.withLock { $0.append(0) } }
        #expect(begun.withLock { $0 } == [0, 5])
    }

    private func refused(_ request: Salvor_V1_ApplyRequest, _ code: RPCError.Code, over client: Client) async {
        let error = await #expect(throws: RPCError.self) { try await all(request, over: client) }
        #expect(error?.code == code, "\(error.map(String.init(describing:)) ?? "")")
    }
}

private final class EventBox: Sendable {
    private let events = Mutex<[Salvor_V1_ApplyEvent]>([])
    var all: [Salvor_V1_ApplyEvent] { events.withLock { $0 } }
    func append(_ event: Salvor_V1_ApplyEvent) { events.withLock { $0.append(event) } }
}
