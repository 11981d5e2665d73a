import GRPCCore
import Glibc
import Logging
import SalvorMessages
import SwiftProtobuf
import Synchronization
import Testing

@testable import SalvorAgentCore

struct ServicesTests {
    @Test("Health says who the agent is, and that it serves")
    func health() async throws {
        var agent = TestAgent(try Scratch(), [])
        agent.tools.ntfs3g = "/bin/echo"
        let (check, version) = try await agent.call { client in
            let health = Salvor_V1_Health.Client(wrapping: client)
            return (try await health.check(.init()), try await health.version(.init()))
        }
        #expect(check.serving == .ok)
        #expect(version.agent == "0.1.0")
        #expect(version.host == "rescue-1")
        #expect(version.protocol == 1)
        #expect(!version.kernel.isEmpty)
        #expect(version.ntfs3G.hasPrefix("echo (GNU"))
    }

    @Test("Logs come with what was before, and the call ends when it is cancelled")
    func logs() async throws {
        let agent = TestAgent(try Scratch(), [])
        let logger = agent.logs.logger("test")
        logger.info("before", metadata: ["name": "a\nb"])
        let records = try await agent.call { client in
            try await Salvor_V1_Host.Client(wrapping: client).logs(.init()) { response in
                var records: [Salvor_V1_LogRecord] = []
                for try await record in response.messages {
                    records.append(record)
                    if records.count == 1 { logger.warning("after") }
                    if records.count == 2 { break }
                }
                return records
            }
        }
        #expect(records.map(\.message) == ["before", "after"])
        #expect(records.map(\.level) == ["info", "warning"])
        #expect(records.map(\.sequence) == [1, 2])
        #expect(records.first?.metadata == ["name": "a\nb", "source": "test"])
    }

    @Test("Power goes off once, when no disk is worked on, and Health says so before")
    func powerOff() async throws {
        let agent = TestAgent(try Scratch(), [])
        let serving = try await agent.call { client in
            _ = try await Salvor_V1_Host.Client(wrapping: client).powerOff(.init())
            return try await Salvor_V1_Health.Client(wrapping: client).check(.init()).serving
        }
        #expect(serving == .draining)
        #expect(try await agent.poweredOff.wait())
    }

    @Test("A dead coordinator's rescue VM powers off after the repair that runs, not under it")
    func powerOffWhenIdle() async throws {
        let leases = DiskLeases()
        let off = Flag()
        let access = VolumeAccess(tools: AgentTools())
        let power = PowerSwitch(leases: leases, mounter: try Scratch().mounter, access: access) { off.raise() }
        var waiting: Task<Void, Never>?
        try await leases.withLease(on: "/dev/vdb", for: "repair") { () async throws(AgentError) in
            waiting = Task { await power.turnOffWhenIdle() }
            while !leases.isDraining { await Task.yield() }
            #expect(!off.isRaised)
        }
        await waiting?.value
        #expect(off.isRaised)
    }

    @Test("Every code has its gRPC status in the table, and an Apply with a bad quarantine id is refused")
    func statuses() async throws {
        #expect(AgentError(.drift, "a.", next: "b.").rpcErrorCode == .failedPrecondition)
        #expect(AgentError(.drift, "a.", next: "b.").rpcErrorMessage == "a. b.")
        let agent = TestAgent(try Scratch(), [])
        for id in ["", "../x", "A", String(repeating: "a", count: 65)] {
            let error = await #expect(throws: RPCError.self) { try await agent.apply([], id: id) }
            #expect(error?.code == .invalidArgument)
        }
    }
}

struct LogRingTests {
    @Test("The ring keeps the last records, and a line on the console is one line of plain characters")
    func ring() async {
        let lines = Mutex<[String]>([])
        let ring = LogRing(capacity: 3) { line in lines.withLock { $0.append(line) } }
        let logger = ring.logger("agent")
        for number in 1...5 { logger.info("n\(number)\u{1B}[2J\n", metadata: ["path": "\"Ä\""]) }
        logger.debug("below the level")
        var sequences: [UInt64] = []
        for await record in ring.records() {
            sequences.append(record.sequence)
            if sequences.count == 3 { break }
        }
        #expect(sequences == [3, 4, 5])
        let line = lines.withLock { $0.first ?? "" }
        #expect(line.hasSuffix(#"level=info msg="n1\u{1b}[2J\u{a}" path="\"\u{c4}\"" source="agent""#), "\(line)")
    }
}

struct ConsoleWriterTests {
    @Test("Lines reach the console in order, and draining waits for them")
    func drain() async throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let reading = Descriptor(owning: ends[0])
        let console = ConsoleWriter(descriptor: ends[1])
        for number in 0..<1000 { console.write("line \(number)") }
        await console.drain()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = buffer.withUnsafeMutableBytes { read(reading.number, $0.baseAddress, $0.count) }
        let lines = String(decoding: buffer[..<max(0, count)], as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 1000)
        #expect(lines.first == "line 0")
        #expect(lines.last == "line 999")
    }
}
