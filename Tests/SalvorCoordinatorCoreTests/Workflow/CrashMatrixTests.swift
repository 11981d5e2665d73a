import Foundation
import SalvorAudit
import SalvorCoordinatorCore
import Synchronization
import Testing

/// What is left when the power goes: the state folder as it is on the disk, and the world as it is.
private struct Wreck: Sendable {
    let at: String
    let folder: TemporaryFolder
    let world: WorldState

    init(_ bench: RunBench, at point: String) throws {
        at = point
        folder = try TemporaryFolder()
        world = bench.world.snapshot
        let source = URL(fileURLWithPath: bench.state.path)
        let target = URL(fileURLWithPath: folder.path)
        // The journal first: the audit log is always written before the journal that remembers it.
        for name in ["journal.sqlite", "journal.sqlite-wal", "runs"] {
            let item = source.appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: item.path) else { continue }
            try FileManager.default.copyItem(at: item, to: target.appendingPathComponent(name))
        }
    }

    /// A new process in the same world.
    func bench() throws -> RunBench {
        let bench = try RunBench(FakeWorld(world))
        try FileManager.default.createDirectory(atPath: bench.folder.path, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: folder.path, toPath: bench.state.path)
        return bench
    }
}

/// A wreck for each point that a run passes: before and after each effect, and whenever it has something to report.
private final class Wrecks: Sendable {
    private let all = Mutex<[Wreck]>([])
    var list: [Wreck] { all.withLock { $0 } }

    func collect(from bench: RunBench) -> RunBench {
        var bench = bench
        let plain = bench
        bench.world.onEachPoint { point in
            let wreck = try Wreck(plain, at: point)
            self.all.withLock { $0.append(wreck) }
        }
        bench.progress = { event in
            guard let step = event.step else { return }
            if let wreck = try? Wreck(plain, at: "\(event.change) \(step) \(event.machine ?? "")") {
                self.all.withLock { $0.append(wreck) }
            }
        }
        return bench
    }
}

@Suite struct CrashMatrixTests {
    private func wrecks(of world: FakeWorld, _ expected: [MachineOutcome.Kind]) async throws -> [Wreck] {
        let wrecks = Wrecks()
        let bench = wrecks.collect(from: try RunBench(world))
        let result = try await bench.run()
        #expect(result.machines.map(\.outcome?.kind) == expected)
        #expect(wrecks.list.count > 20)
        return wrecks.list
    }

    private func checkResume(_ wreck: Wreck, _ expected: [MachineOutcome.Kind]) async throws {
        let bench = try wreck.bench()
        let result = try await bench.resume()
        #expect(result.machines.map(\.outcome?.kind) == expected, "killed at: \(wreck.at)")
        try await checkInvariants(bench, "killed at: \(wreck.at)")
    }

    @Test(arguments: [false, true])
    func `killed at any point, a rescue is finished by resume`(isCloud: Bool) async throws {
        for wreck in try await wrecks(of: FakeWorld(isCloud: isCloud), [.repaired]) {
            try await checkResume(wreck, [.repaired])
        }
    }

    @Test func `killed at any point, a rescue of two machines is finished by resume`() async throws {
        let world = FakeWorld(2)
        world.change { $0.machines["m2"]?.nature = .locked }
        for wreck in try await wrecks(of: world, [.repaired, .locked]) {
            try await checkResume(wreck, [.repaired, .locked])
        }
    }

    @Test func `killed at any point, a rescue whose boot fails ends with the original disk`() async throws {
        let world = FakeWorld()
        world.change { $0.machines["m1"]?.bootVerdict = .failed }
        for wreck in try await wrecks(of: world, [.bootFailed]) { try await checkResume(wreck, [.bootFailed]) }
    }

    @Test(arguments: [false, true])
    func `killed at any point, a rescue can be rolled back`(isCloud: Bool) async throws {
        for wreck in try await wrecks(of: FakeWorld(isCloud: isCloud), [.repaired]) {
            let bench = try wreck.bench()
            let result = try await RescueRun.rollback(
                try await bench.runID(), assumeYes: true, dependencies: bench.dependencies)
            #expect(result.machines.map(\.outcome?.kind) == [.rolledBack], "killed at: \(wreck.at)")
            #expect(bench.world.snapshot.machines["m1"]?.swappedTo == nil, "killed at: \(wreck.at)")
            #expect(bench.world.snapshot.copies.isEmpty, "killed at: \(wreck.at)")
            try await checkInvariants(bench, "killed at: \(wreck.at)")
        }
    }

    @Test func `killed at any point and killed again while resuming, a rescue is finished by the next resume`()
        async throws
    {
        for (index, wreck) in try await wrecks(of: FakeWorld(), [.repaired]).enumerated() {
            let again = Wrecks()
            let bench = again.collect(from: try wreck.bench())
            _ = try await bench.resume()
            let second = again.list
            // Another point each time: together they cover the whole of a resume.
            guard !second.isEmpty else { continue }
            try await checkResume(second[(index * 7) % second.count], [.repaired])
        }
    }
}
