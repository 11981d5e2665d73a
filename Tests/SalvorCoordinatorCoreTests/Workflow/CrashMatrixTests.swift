import SalvorCoordinatorCore
import Testing

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
