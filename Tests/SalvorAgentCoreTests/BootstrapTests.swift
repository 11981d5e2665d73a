import FoundationEssentials
import SalvorMessages
import SwiftProtobuf
import Testing

@testable import SalvorAgentCore

struct BootstrapTests {
    private static let good = Salvor_V1_Bootstrap.with {
        $0.version = 1
        $0.host = "rescue-1"
        $0.run = "run-7"
        $0.coordinator = "10.0.2.100:7291"
        $0.caFingerprint = Data(repeating: 1, count: 32)
        $0.enrolmentToken = Data(repeating: 0x5A, count: 32)
        $0.coordinatorTimeoutSeconds = 600
        $0.network.address = "10.0.2.15/24"
        $0.network.gateway = "10.0.2.2"
    }

    @Test("Good bootstrap data is read from its file")
    func good() throws {
        let scratch = try Scratch()
        let bytes: [UInt8] = try Self.good.serializedBytes()
        try Data(bytes).write(to: URL(filePath: "\(scratch.path)/\(Salvor_V1_Bootstrap.fileName)"))
        let bootstrap = try Salvor_V1_Bootstrap.read(from: "\(scratch.path)/\(Salvor_V1_Bootstrap.fileName)")
        #expect(bootstrap == Self.good)
        let address = try bootstrap.coordinatorAddress()
        #expect(address.host == "10.0.2.100")
        #expect(address.port == 7291)
    }

    @Test("Each fault is told by name, and no message holds the token", arguments: 0..<18)
    func faults(number: Int) throws {
        let faults: [(String, (inout Salvor_V1_Bootstrap) -> Void)] = [
            ("version 2", { $0.version = 2 }), ("host name", { $0.host = "" }), ("host name", { $0.host = "a b" }),
            ("run", { $0.run = "\n" }), ("host:port", { $0.coordinator = "" }),
            ("host:port", { $0.coordinator = "host" }),
            ("host:port", { $0.coordinator = ":1" }), ("host:port", { $0.coordinator = "host:0" }),
            ("host:port", { $0.coordinator = "host:65536" }), ("31 bytes", { $0.caFingerprint.removeLast() }),
            ("token has 33 bytes", { $0.enrolmentToken.append(0x5A) }),
            ("timeout", { $0.coordinatorTimeoutSeconds = 0 }),
            ("prefix length", { $0.network.address = "10.0.2.15" }),
            ("prefix length", { $0.network.address = "10.0.2.15/33" }),
            ("prefix length", { $0.network.address = "10.0.2/8" }), ("gateway", { $0.network.gateway = "10.0.2.256" }),
            ("a coordinator and a port", { $0.listenPort = 7443 }),
            (
                "65536 is no TCP port",
                {
                    $0.coordinator = ""
                    $0.listenPort = 65536
                }
            ),
        ]
        var bootstrap = Self.good
        faults[number].1(&bootstrap)
        let bytes: [UInt8] = try bootstrap.serializedBytes()
        let error = #expect(throws: AgentError.self) { try Salvor_V1_Bootstrap.parse(bytes) }
        let text = String(describing: error)
        #expect(text.contains(faults[number].0), "\(text)")
        #expect(!text.contains("ZZZZ") && !text.lowercased().contains("5a5a"))
    }

    @Test("An agent that is to listen needs no coordinator's address, and is given none")
    func listening() throws {
        var bootstrap = Self.good
        let dials = try bootstrap.route()
        #expect(dials == .dial(host: "10.0.2.100", port: 7291))
        bootstrap.coordinator = ""
        bootstrap.listenPort = 7443
        let bytes: [UInt8] = try bootstrap.serializedBytes()
        let listens = try Salvor_V1_Bootstrap.parse(bytes).route()
        #expect(listens == .listen(port: 7443))
    }

    @Test("Bytes that are no message, and a file that is not there, are told as such")
    func noMessage() {
        let garbage = #expect(throws: AgentError.self) { try Salvor_V1_Bootstrap.parse([0xFF, 0xFF, 0x5A]) }
        #expect(garbage?.message.contains("3 bytes are no Bootstrap message") == true)
        let missing = #expect(throws: AgentError.self) {
            try Salvor_V1_Bootstrap.read(from: "/nonexistent/salvor-bootstrap")
        }
        #expect(missing?.message.contains("No such file") == true)
    }

    @Test("An IPv6 coordinator is written in brackets")
    func ipv6() throws {
        let address = try Salvor_V1_Bootstrap.with { $0.coordinator = "[fd00::1]:7291" }.coordinatorAddress()
        #expect(address.host == "fd00::1")
        #expect(address.port == 7291)
    }
}

/// A clock that moves when told to.
private final class ManualClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    actor SleepBook {
        var now = Instant(offset: .zero)
        private var sleepers: [Int: (Instant, CheckedContinuation<Void, any Error>)] = [:]
        private var next = 0
        var count: Int { sleepers.count }

        func sleep(until deadline: Instant) async throws {
            try Task.checkCancellation()
            next += 1
            let id = next
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                    if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
                    sleepers[id] = (deadline, continuation)
                }
            } onCancel: {
                Task { await self.cancel(id) }
            }
        }

        private func cancel(_ id: Int) { sleepers.removeValue(forKey: id)?.1.resume(throwing: CancellationError()) }

        func advance(by duration: Duration) {
            now = now.advanced(by: duration)
            for (id, (deadline, continuation)) in sleepers where deadline <= now {
                sleepers[id] = nil
                continuation.resume()
            }
        }
    }

    let book = SleepBook()
    var minimumResolution: Duration { .zero }
    // Deadlines count from the beginning: the tests arm at known moments and advance in one direction.
    var now: Instant { Instant(offset: .zero) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await book.sleep(until: await book.now.advanced(by: deadline.offset))
    }

    func sleepers(_ count: Int) async { while await book.count != count { await Task.yield() } }
}

struct CoordinatorWatchTests {
    @Test("Without any coordinator it fires once, after the whole time")
    func neverConnected() async throws {
        let clock = ManualClock()
        let fired = Flag()
        let watch = CoordinatorWatch(timeout: .seconds(60), clock: clock) { fired.raise() }
        await watch.start()
        await clock.sleepers(1)
        await clock.book.advance(by: .seconds(59))
        #expect(await clock.book.count == 1)
        #expect(!fired.isRaised)
        await clock.book.advance(by: .seconds(1))
        #expect(try await fired.wait())
    }

    @Test("A connection stops the time, and the last one's end starts it anew")
    func reconnects() async throws {
        let clock = ManualClock()
        let fired = Flag()
        let watch = CoordinatorWatch(timeout: .seconds(60), clock: clock) { fired.raise() }
        await watch.start()
        await clock.sleepers(1)
        await clock.book.advance(by: .seconds(59))
        await watch.connected()
        await watch.connected()
        await clock.sleepers(0)
        await clock.book.advance(by: .seconds(1000))
        await watch.disconnected()
        #expect(await clock.book.count == 0)
        await watch.disconnected()
        await watch.disconnected()
        await clock.sleepers(1)
        await clock.book.advance(by: .seconds(59))
        #expect(await clock.book.count == 1)
        #expect(!fired.isRaised)
        await clock.book.advance(by: .seconds(1))
        #expect(try await fired.wait())
    }
}
