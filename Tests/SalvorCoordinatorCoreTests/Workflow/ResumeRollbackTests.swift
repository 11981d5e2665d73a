import SalvorAudit
import SalvorCoordinatorCore
import Synchronization
import Testing

@Suite struct ResumeRollbackTests {
    func interrupted(at point: String, _ world: FakeWorld = FakeWorld()) async throws -> (RunBench, RunResult) {
        let bench = try RunBench(world)
        let task = Mutex<Task<RunResult, any Error>?>(nil)
        let started = AsyncStream<Void>.makeStream()
        world.onEachPoint { here in
            guard here == point else { return }
            for await _ in started.stream { break }
            task.withLock { $0?.cancel() }
        }
        let running = Task { try await bench.run() }
        task.withLock { $0 = running }
        started.continuation.yield()
        started.continuation.finish()
        let result = try await running.value
        return (bench, result)
    }

    @Test(arguments: [
        "before copy m1", "after scan m1", "before apply m1", "after apply m1", "after detach m1", "before boot m1",
    ])
    func `an interrupted run ends its rescue VM, says so, and is finished by resume`(point: String) async throws {
        let (bench, result) = try await interrupted(at: point)
        #expect(result.isInterrupted)
        #expect(result.exitCode == .interrupted)
        #expect(bench.world.snapshot.hosts.isEmpty)
        let summary = try #require(try await Journal.open(bench.state).summaries(in: bench.state).first)
        #expect(summary.activity == .stopped)

        let resumed = try await bench.resume()
        #expect(resumed.machines.map(\.outcome?.kind) == [.repaired])
        #expect(resumed.exitCode == .success)
        try await checkInvariants(bench)
    }

    @Test func `a run that has ended is not done again`() async throws {
        let bench = try RunBench(FakeWorld())
        _ = try await bench.run()
        let effects = bench.world.effects
        let result = try await bench.resume()
        #expect(result.machines.map(\.outcome?.kind) == [.repaired])
        #expect(bench.world.effects == effects)
    }

    @Test func `two salvors do not drive the same run`() async throws {
        let world = FakeWorld()
        let bench = try RunBench(world)
        let second = Mutex<CoordinatorError?>(nil)
        world.onEachPoint { point in
            guard point == "before scan m1" else { return }
            do throws(CoordinatorError) {
                let run = try await Journal.open(bench.state).runs()[0].id
                _ = try await RescueRun.resume(run, dependencies: bench.dependencies)
            } catch {
                second.withLock { $0 = error }
            }
        }
        let result = try await bench.run()
        #expect(result.exitCode == .success)
        #expect(second.withLock { $0?.code } == .runBusy)
    }

    @Test func `a run that is not there is said, with the one that may be meant`() async throws {
        let bench = try RunBench(FakeWorld())
        let run = try await bench.run().run
        let error = await #expect(throws: CoordinatorError.self) {
            try await RescueRun.resume("\(run)x", dependencies: bench.dependencies)
        }
        #expect(error?.code == .noSuchRun)
        #expect(error?.nextStep.contains(run) == true)
    }

    @Test func `rollback puts the original back, last in first out`() async throws {
        let bench = try RunBench(FakeWorld(2))
        let run = try await bench.run().run
        let before = bench.world.effects.count
        let result = try await RescueRun.rollback(run, assumeYes: false, dependencies: bench.dependencies)
        #expect(result.machines.map(\.outcome?.kind) == [.rolledBack, .rolledBack])
        let undone = Array(bench.world.effects[before...])
        #expect(undone.firstIndex(of: "swapBack m1")! < undone.firstIndex(of: "deleteCopy m1")!)
        #expect(bench.world.snapshot.copies.isEmpty)
        #expect(bench.questions.all.last == .rollback(run: run, machines: ["m1", "m2"]))
        try await checkInvariants(bench)
    }

    @Test func `a rollback that is declined changes nothing`() async throws {
        var bench = try RunBench(FakeWorld())
        let run = try await bench.run().run
        let effects = bench.world.effects
        bench.answer = false
        let dependencies = bench.dependencies
        let error = await #expect(throws: CoordinatorError.self) {
            try await RescueRun.rollback(run, assumeYes: false, dependencies: dependencies)
        }
        #expect(error?.code == .declined)
        #expect(bench.world.effects == effects)
    }

    @Test func `a rollback that fails for one machine is done for the others, and can be repeated`() async throws {
        let bench = try RunBench(FakeWorld(2))
        let run = try await bench.run().run
        bench.world.fail("swapBack m1", with: ProviderError(.conflict, "the machine runs", nextStep: "Stop it."))
        let result = try await RescueRun.rollback(run, assumeYes: true, dependencies: bench.dependencies)
        #expect(result.machines.map(\.outcome?.kind) == [.failed, .rolledBack])
        #expect(bench.world.snapshot.copies.keys.map(\.machine) == ["m1"])

        let mended = try RunBench(FakeWorld(bench.world.snapshot))
        var dependencies = bench.dependencies
        dependencies.provider = FakeProvider(world: mended.world)
        let again = try await RescueRun.rollback(run, assumeYes: true, dependencies: dependencies)
        #expect(again.machines.map(\.outcome?.kind) == [.rolledBack, .rolledBack])
        #expect(mended.world.snapshot.copies.isEmpty)
    }
}
