import SalvorMessages
import SwiftProtobuf
import Synchronization
import Testing

@testable import SalvorAgentCore

@Suite struct DiskWaitTests {
    /// Shows at each look what the kernel shows by then; the last state stays.
    private final class Arriving: DiskSource {
        private let states: [[Salvor_V1_Disk]]
        private let looks = Atomic(0)

        init(_ states: [[Salvor_V1_Disk]]) { self.states = states }

        var lookCount: Int { looks.load(ordering: .relaxed) }

        func disks(
            lookingInto isWanted: @Sendable (Salvor_V1_Disk) -> Bool
        ) async throws(AgentError) -> [Salvor_V1_Disk] {
            let look = looks.wrappingAdd(1, ordering: .relaxed).oldValue
            return states[min(look, states.count - 1)]
        }
    }

    private let selector = Salvor_V1_DiskSelector.with { $0.serial = "copy" }

    private static func disk(volumes: Int) -> Salvor_V1_Disk {
        .with {
            $0.serial = "copy"
            $0.device = "/dev/vdb"
            $0.partitionTable = .gpt
            $0.volumes = (0..<volumes).map { number in .with { $0.number = UInt32(number + 1) } }
        }
    }

    @Test("A disk that appears after it was plugged in is waited for, and then its partitions")
    func appears() async throws {
        let source = Arriving([[], [], [Self.disk(volumes: 0)], [Self.disk(volumes: 2)]])
        let disk = try await source.awaitDisk(selector, limit: .seconds(60), interval: .milliseconds(1))
        #expect(disk.volumes.count == 2)
        #expect(source.lookCount == 4)
    }

    @Test("A disk that never appears is an error, after the limit and not before")
    func never() async throws {
        let source = Arriving([[]])
        let error = await #expect(throws: AgentError.self) {
            try await source.awaitDisk(selector, limit: .milliseconds(20), interval: .milliseconds(1))
        }
        #expect(error?.code == .noSuchDisk)
        #expect(source.lookCount > 1)
    }

    @Test("A table without partitions is taken as it is, once it has had its time")
    func empty() async throws {
        let source = Arriving([[Self.disk(volumes: 0)]])
        let disk = try await source.awaitDisk(selector, limit: .milliseconds(50), interval: .milliseconds(1))
        #expect(disk.volumes.isEmpty)
    }

    @Test("Two disks of one serial number are an error at once")
    func several() async throws {
        let source = Arriving([[Self.disk(volumes: 1), Self.disk(volumes: 1)]])
        let error = await #expect(throws: AgentError.self) {
            try await source.awaitDisk(selector, limit: .seconds(60))
        }
        #expect(error?.code == .severalDisks)
        #expect(source.lookCount == 1)
    }
}
