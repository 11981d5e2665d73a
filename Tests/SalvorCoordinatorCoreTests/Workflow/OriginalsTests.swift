import SalvorAudit
import SalvorCoordinatorCore
import Testing

/// Deleting what a rescue keeps.
@Suite struct OriginalsTests {
    private static func deletions(_ world: FakeWorld) -> [String] {
        world.effects.filter { $0.hasPrefix("deleteOriginal") }
    }

    private static func cleanUp(_ bench: RunBench, assumeYes: Bool = false) async throws -> [OriginalCleanup] {
        try await RescueRun.cleanUpOriginals(
            try await bench.runID(), assumeYes: assumeYes, dependencies: bench.dependencies)
    }

    private static func failure(_ bench: RunBench) async throws -> CoordinatorError.Code? {
        do {
            _ = try await cleanUp(bench)
            return nil
        } catch let error as CoordinatorError {
            return error.code
        }
    }

    @Test func `only the original of a machine with a repaired disk goes, once, after a question`() async throws {
        let world = FakeWorld(2, isCloud: true)
        world.change { $0.machines["m2"]?.nature = .clean }
        let bench = try RunBench(world)
        _ = try await bench.run()
        let results = try await Self.cleanUp(bench)
        #expect(results.map(\.state) == [.deleted, .kept])
        #expect(results[1].reason?.contains("uses the original") == true)
        #expect(results.map(\.exitCode) == [0, 0])
        #expect(Self.deletions(world) == ["deleteOriginal m1"])
        let asked = bench.questions.all.compactMap { question -> [String]? in
            if case .deleteOriginals(_, let swaps) = question { swaps.map(\.original.identifier) } else { nil }
        }
        #expect(asked == [["/disks/m1.qcow2"]])

        let questions = bench.questions.all.count
        let again = try await Self.cleanUp(bench)
        #expect(again.map(\.state) == [.alreadyDeleted, .kept])
        #expect(Self.deletions(world).count == 1)
        #expect(bench.questions.all.count == questions, "there is nothing to ask")

        let record = try await Journal.open(bench.state).run(try await bench.runID())
        #expect(record.state == .finished && record.exitCode == .success)
        let reading = try AuditReading.read(path: bench.state.run(record.id).auditLog, head: record.auditHead)
        #expect(reading.verdict.isSound, "\(reading.verdict.statement)")
    }

    @Test func `a no keeps them all, and so does a run that is not over or was rolled back`() async throws {
        let world = FakeWorld(isCloud: true)
        var bench = try RunBench(world)
        _ = try await bench.run()
        bench.answer = false
        #expect(try await Self.failure(bench) == .declined)
        _ = try await RescueRun.rollback(
            try await bench.runID(), assumeYes: true, dependencies: bench.dependencies)
        #expect(try await Self.failure(bench) == .conflict)
        #expect(Self.deletions(world).isEmpty)

        let (stopped, _) = try await ResumeRollbackTests().interrupted(
            at: "before boot m1", FakeWorld(isCloud: true))
        #expect(try await Self.failure(stopped) == .conflict)
        #expect(Self.deletions(stopped.world).isEmpty)
    }

    @Test func `a machine that does not run well keeps its original, and the others do not wait`() async throws {
        let world = FakeWorld(3, isCloud: true)
        let bench = try RunBench(world)
        _ = try await bench.run()
        world.change { $0.machines["m2"]?.isRunning = false }
        let results = try await Self.cleanUp(bench, assumeYes: true)
        #expect(results.map(\.state) == [.deleted, .kept, .deleted])
        #expect(results[1].reason?.contains("does not run well") == true)
        #expect(results[1].exitCode == ExitCode.failed.rawValue)

        world.change { $0.machines["m2"]?.isRunning = true }
        let again = try await Self.cleanUp(bench, assumeYes: true)
        #expect(again.map(\.state) == [.alreadyDeleted, .deleted, .alreadyDeleted])
    }

    @Test func `a rollback leaves a machine alone whose original is gone`() async throws {
        let world = FakeWorld(2, isCloud: true)
        let bench = try RunBench(world)
        _ = try await bench.run()
        world.change { $0.machines["m2"]?.isRunning = false }
        _ = try await Self.cleanUp(bench, assumeYes: true)
        let before = world.effects.count
        let result = try await RescueRun.rollback(
            try await bench.runID(), assumeYes: true, dependencies: bench.dependencies)
        #expect(result.machines.map(\.outcome?.kind) == [.failed, .rolledBack])
        #expect(result.machines[0].outcome?.message.contains("original disk was deleted") == true)
        #expect(!world.effects.dropFirst(before).contains { $0.hasSuffix(" m1") }, "\(world.effects)")
        #expect(world.snapshot.machines["m1"]?.swappedTo != nil)
    }
}
