import SalvorCoordinatorCore
import Testing

/// A rescue in three commands, each a process of its own that knows no more than what is on record.
@Suite struct StepwiseRescueTests {
    private func create(_ bench: RunBench) async throws -> RunResult {
        try await StepwiseRescue.create(
            bench.configuration(.create), recipe: try RunBench.recipe(), dependencies: bench.dependencies)
    }

    private func repair(_ bench: RunBench, recipe: Recipe? = nil) async throws -> RunResult {
        try await StepwiseRescue.repair(
            try await bench.runID(), recipe: recipe, assumeYes: true, dependencies: bench.dependencies)
    }

    private func restore(_ bench: RunBench, assumeYes: Bool = true) async throws -> RunResult {
        try await StepwiseRescue.restore(
            try await bench.runID(), assumeYes: assumeYes, dependencies: bench.dependencies)
    }

    @Test(arguments: [false, true])
    func `create, run and restore do together what a rescue does`(isCloud: Bool) async throws {
        let bench = try RunBench(FakeWorld(isCloud: isCloud))
        let created = try await create(bench)
        #expect(created.machines.map(\.outcome?.kind) == [.created])
        #expect(created.exitCode == .success)
        #expect(bench.world.snapshot.hosts.count == 1)
        #expect(bench.world.snapshot.copies.values.map(\.content) == [.faulty])

        let repaired = try await repair(bench)
        #expect(repaired.machines.map(\.outcome?.kind) == [.copyRepaired])
        #expect(bench.world.snapshot.machines["m1"]?.swappedTo == nil)

        let restored = try await restore(bench)
        #expect(restored.machines.map(\.outcome?.kind) == [.repaired])
        #expect(restored.exitCode == .success)
        #expect(bench.world.snapshot.machines["m1"]?.swappedTo != nil)
        try await checkInvariants(bench)
    }

    @Test func `between the commands the run waits, and says for what`() async throws {
        let bench = try RunBench(FakeWorld())
        let created = try await create(bench)
        let summary = try #require(try await Journal.open(bench.state).summaries(in: bench.state).first)
        #expect(summary.activity == .waiting)
        #expect(created.machines.first?.outcome?.nextStep.contains("salvor run") == true)
        let repaired = try await repair(bench)
        #expect(repaired.machines.first?.outcome?.nextStep.contains("salvor restore") == true)
    }

    @Test func `a machine has one such run at a time`() async throws {
        let bench = try RunBench(FakeWorld())
        let run = try await create(bench).run
        let effects = bench.world.effects
        let error = await #expect(throws: CoordinatorError.self) { try await self.create(bench) }
        #expect(error?.code == .conflict)
        #expect(error?.nextStep.contains(run) == true)
        #expect(bench.world.effects == effects)
    }

    @Test func `what was not repaired is not swapped in`() async throws {
        let bench = try RunBench(FakeWorld())
        _ = try await create(bench)
        let effects = bench.world.effects
        let error = await #expect(throws: CoordinatorError.self) { try await self.restore(bench) }
        #expect(error?.code == .conflict)
        #expect(error?.nextStep.contains("salvor run") == true)
        #expect(bench.world.effects == effects)
    }

    @Test func `a second run that finds nothing more leaves the copy as it is, repaired`() async throws {
        let bench = try RunBench(FakeWorld())
        _ = try await create(bench)
        _ = try await repair(bench)
        let again = try await repair(bench, recipe: try RunBench.recipe())
        #expect(again.machines.map(\.outcome?.kind) == [.nothingToRepair])
        #expect(try await restore(bench).machines.map(\.outcome?.kind) == [.repaired])
        try await checkInvariants(bench)
    }

    @Test func `a copy that was left half repaired is used no more, and resume makes another`() async throws {
        let bench = try RunBench(FakeWorld())
        _ = try await create(bench)
        bench.world.fail("apply m1", with: CoordinatorError(.agentGone, "lost", nextStep: "-"))
        let failed = try await repair(bench)
        #expect(failed.machines.map(\.outcome?.kind) == [.failed])
        #expect(failed.machines.first?.outcome?.nextStep.contains("salvor resume") == true)
        #expect(bench.world.snapshot.hosts.count == 1)

        let again = await #expect(throws: CoordinatorError.self) { try await self.repair(bench) }
        let swap = await #expect(throws: CoordinatorError.self) { try await self.restore(bench) }
        for error in [again, swap] {
            #expect(error?.code == .conflict)
            #expect(error?.message.contains("half repaired") == true)
        }

        bench.world.mend("apply m1")
        #expect(try await bench.resume().machines.map(\.outcome?.kind) == [.created])
        #expect(bench.world.snapshot.copies.values.map(\.content) == [.faulty])
        _ = try await repair(bench)
        #expect(try await restore(bench).machines.map(\.outcome?.kind) == [.repaired])
        try await checkInvariants(bench)
    }

    @Test func `a repaired copy is not thrown away by resume`() async throws {
        let bench = try RunBench(FakeWorld())
        _ = try await create(bench)
        _ = try await repair(bench)
        let effects = bench.world.effects
        let error = await #expect(throws: CoordinatorError.self) { try await bench.resume() }
        #expect(error?.code == .conflict)
        #expect(error?.nextStep.contains("salvor restore") == true)
        #expect(bench.world.effects == effects)
    }

    @Test func `the operator's no to a restore leaves everything for another`() async throws {
        var bench = try RunBench(FakeWorld())
        _ = try await create(bench)
        _ = try await repair(bench)
        bench.answer = false
        let effects = bench.world.effects
        let refusing = bench
        let error = await #expect(throws: CoordinatorError.self) {
            try await self.restore(refusing, assumeYes: false)
        }
        #expect(error?.code == .declined)
        #expect(bench.world.effects == effects)
        bench.answer = true
        #expect(try await restore(bench, assumeYes: false).machines.map(\.outcome?.kind) == [.repaired])
        #expect(bench.questions.all.count == 2)
    }

    @Test func `what create could not finish it takes away again`() async throws {
        for effect in ["preflight m1", "copy m1", "host rescue-1", "attach m1", "connect rescue-1"] {
            let bench = try RunBench(FakeWorld())
            bench.world.fail(effect, with: ProviderError(.failed, "\(effect) failed", nextStep: "-"))
            let result = try await create(bench)
            #expect(result.machines.map(\.outcome?.kind) == [.failed], "\(effect)")
            #expect(bench.world.snapshot.copies.isEmpty, "\(effect)")
            try await checkInvariants(bench, "\(effect)")
        }
    }

    @Test func `a rescue VM whose agent calls no more is said, and nothing is lost`() async throws {
        let bench = try RunBench(FakeWorld())
        _ = try await create(bench)
        bench.world.change { $0.hosts = [] }
        let result = try await repair(bench)
        #expect(result.exitCode == .agentLost)
        #expect(result.machines.first?.outcome?.nextStep.contains("salvor resume") == true)
        bench.world.change { $0.copies = $0.copies.mapValues { WorldState.Copy(content: $0.content) } }
        #expect(try await bench.resume().machines.map(\.outcome?.kind) == [.created])
        _ = try await repair(bench)
        #expect(try await restore(bench).exitCode == .success)
    }

    @Test(arguments: 0...2)
    func `rollback gives up at any step`(steps: Int) async throws {
        let bench = try RunBench(FakeWorld())
        _ = try await create(bench)
        if steps > 0 { _ = try await repair(bench) }
        if steps > 1 { _ = try await restore(bench) }
        let result = try await RescueRun.rollback(
            try await bench.runID(), assumeYes: true, dependencies: bench.dependencies)
        #expect(result.machines.map(\.outcome?.kind) == [.rolledBack])
        #expect(bench.world.snapshot.copies.isEmpty)
        #expect(bench.world.snapshot.machines["m1"]?.swappedTo == nil)
        try await checkInvariants(bench)
    }

    @Test func `the run is found by the machine's name, with or without its group`() async throws {
        let world = FakeWorld()
        world.change { state in
            for group in ["web", "db"] {
                var machine = state.machines["m1"]
                machine?.machine.name = "\(group)/vm1"
                state.machines["\(group)/vm1"] = machine
            }
        }
        let bench = try RunBench(world)
        var runs: [String: String] = [:]
        for group in ["web", "db"] {
            var dependencies = bench.dependencies
            dependencies.random = { UInt64(group.utf8.count) }
            runs[group] = try await StepwiseRescue.create(
                RunConfiguration(.create, machines: ["\(group)/vm1"]), recipe: try RunBench.recipe(),
                dependencies: dependencies
            ).run
        }
        #expect(try await StepwiseRescue.run(for: "VM1", group: "Web", in: bench.state).id == runs["web"])
        #expect(try await StepwiseRescue.run(for: "db/vm1", group: nil, in: bench.state).id == runs["db"])
        let both = await #expect(throws: CoordinatorError.self) {
            try await StepwiseRescue.run(for: "vm1", group: nil, in: bench.state)
        }
        #expect(both?.message.contains("More than one") == true)
        let none = await #expect(throws: CoordinatorError.self) {
            try await StepwiseRescue.run(for: "vm2", group: "web", in: bench.state)
        }
        #expect(none?.code == .noSuchRun)
        #expect(none?.nextStep.contains("salvor create") == true)
    }

    @Test(arguments: [false, true])
    func `killed at any point of any command, the rescue is finished by the commands that the errors name`(
        isCloud: Bool
    ) async throws {
        let wrecks = Wrecks()
        let bench = wrecks.collect(from: try RunBench(FakeWorld(isCloud: isCloud)))
        _ = try await create(bench)
        _ = try await repair(bench)
        _ = try await restore(bench)
        bench.world.stopWatching()
        #expect(wrecks.list.count > 30)
        for wreck in wrecks.list {
            let bench = try wreck.bench()
            try await finish(bench, wreck.at)
            #expect(bench.world.snapshot.machines["m1"]?.swappedTo != nil, "killed at: \(wreck.at)")
            try await checkInvariants(bench, "killed at: \(wreck.at)")
        }
    }

    /// As an operator does it: the last command that is not refused, again and again.
    private func finish(_ bench: RunBench, _ comment: String) async throws {
        for _ in 0..<4 {
            let run = try #require(try await Journal.open(bench.state).runs().first, "killed at: \(comment)")
            guard run.state != .finished else { return }
            if try await isTaken({ try await self.restore(bench) }) { continue }
            if try await isTaken({ try await self.repair(bench) }) { continue }
            _ = try await bench.resume()
        }
        Issue.record("killed at: \(comment): not finished after four commands")
    }

    private func isTaken(_ command: () async throws -> RunResult) async throws -> Bool {
        do {
            _ = try await command()
            return true
        } catch let error as CoordinatorError where error.code == .conflict {
            return false
        }
    }
}
