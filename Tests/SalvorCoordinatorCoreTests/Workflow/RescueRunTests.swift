import Foundation
import SalvorAudit
import SalvorCoordinatorCore
import Testing

@Suite struct RescueRunTests {
    @Test func `one machine is copied, repaired, swapped and seen to boot, in this order`() async throws {
        let bench = try RunBench(FakeWorld())
        let result = try await bench.run()

        #expect(result.machines.map(\.outcome?.kind) == [.repaired])
        #expect(result.exitCode == .success)
        let effects = bench.world.effects.filter { $0.hasSuffix("m1") }
        #expect(
            effects == [
                "preflight m1", "copy m1", "attach m1", "scan m1", "apply m1", "fetch m1", "discard m1", "detach m1",
                "swap m1", "boot m1",
            ])
        #expect(bench.world.effects.contains("deleteHost rescue-1"))
        #expect(result.remarks.isEmpty)
        #expect(result.machines[0].untilVerified != nil)
        #expect(result.machines[0].phases.map(\.step).contains(.apply))
        try await checkInvariants(bench)
    }

    @Test func `in a cloud the machine is stopped before its swap, and the last copy leaves with its host`()
        async throws
    {
        let bench = try RunBench(FakeWorld(isCloud: true))
        let result = try await bench.run()

        #expect(result.machines.map(\.outcome?.kind) == [.repaired])
        #expect(
            bench.world.effects.filter { !["host", "connect", "deleteHost"].contains($0.prefix { $0 != " " }) } == [
                "preflight m1", "copy m1", "attach m1", "scan m1", "apply m1", "fetch m1", "discard m1",
                "retireHost rescue-1", "detach m1", "stop m1", "swap m1", "boot m1",
            ])
        try await checkInvariants(bench)
    }

    @Test func `asked to, it stops the machine before it copies its disk`() async throws {
        let bench = try RunBench(FakeWorld(isCloud: true))
        var configuration = bench.configuration()
        configuration.stopsFirst = true
        _ = try await bench.run(configuration)
        let effects = bench.world.effects
        #expect(try #require(effects.firstIndex(of: "stop m1")) < #require(effects.firstIndex(of: "copy m1")))
    }

    @Test func `machines of different placements share no rescue VM`() async throws {
        let world = FakeWorld(3)
        world.change { $0.machines["m2"]?.machine.placement = "elsewhere" }
        let bench = try RunBench(world)
        let result = try await bench.run()
        #expect(result.machines.allSatisfy { $0.outcome?.kind == .repaired })
        #expect(bench.world.effects.filter { $0.hasPrefix("host ") }.sorted() == ["host rescue-1", "host rescue-2"])
    }

    @Test func `what was deleted lies in quarantine under its digest, with a manifest`() async throws {
        let bench = try RunBench(FakeWorld())
        let result = try await bench.run()
        let folder = result.machines[0].quarantine
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(names.contains("manifest.json"))
        #expect(names.count == 2)
    }

    @Test func `the operator is asked once for all machines, after all scans`() async throws {
        let bench = try RunBench(FakeWorld(5))
        _ = try await bench.run()
        guard bench.questions.all.count == 1, case .repair(let plans) = bench.questions.all[0] else {
            Issue.record("asked \(bench.questions.all.count) times")
            return
        }
        #expect(plans.map(\.machine) == ["m1", "m2", "m3", "m4", "m5"])
        #expect(plans[0].changes.map(\.path.components) == [faultyPath])
        let effects = bench.world.effects
        let lastScan = try #require(effects.lastIndex { $0.hasPrefix("scan") })
        let firstApply = try #require(effects.firstIndex { $0.hasPrefix("apply") })
        #expect(lastScan < firstApply)
    }

    @Test func `a yes beforehand asks nothing`() async throws {
        let bench = try RunBench(FakeWorld(2))
        var configuration = bench.configuration()
        configuration.assumeYes = true
        let result = try await bench.run(configuration)
        #expect(bench.questions.all.isEmpty)
        #expect(result.exitCode == .success)
    }

    @Test func `a no leaves every machine untouched and deletes the copies`() async throws {
        var bench = try RunBench(FakeWorld(2))
        bench.answer = false
        let result = try await bench.run()
        #expect(result.machines.map(\.outcome?.kind) == [.declined, .declined])
        #expect(result.exitCode == .declined)
        #expect(!bench.world.effects.contains { $0.hasPrefix("apply") || $0.hasPrefix("swap") })
        #expect(bench.world.snapshot.copies.isEmpty)
        try await checkInvariants(bench)
    }

    @Test(arguments: [
        (WorldState.Nature.clean, MachineOutcome.Kind.nothingToRepair, ExitCode.success),
        (.locked, .locked, .locked), (.unclean, .unclean, .notRepairable),
        (.notWindows, .notWindows, .notRepairable), (.ambiguous, .ambiguous, .notRepairable),
    ])
    func `a machine that is not repairable keeps its disk, and its copy is deleted`(
        nature: WorldState.Nature, kind: MachineOutcome.Kind, exitCode: ExitCode
    ) async throws {
        let bench = try RunBench(FakeWorld(nature: nature))
        let result = try await bench.run()
        #expect(result.machines[0].outcome?.kind == kind)
        #expect(result.exitCode == exitCode)
        #expect(bench.questions.all.isEmpty)
        #expect(bench.world.snapshot.copies.isEmpty)
        #expect(!bench.world.effects.contains("swap m1"))
        try await checkInvariants(bench)
    }

    // Windows keeps fifteen characters of a name.
    static let names: [(expected: String?, found: String, accepted: Bool, kind: MachineOutcome.Kind)] = [
        ("WEB-01", "web-01", false, .repaired), ("WEB-01", "WEB-02", false, .otherMachine),
        ("WEB-01", "WEB-02", true, .repaired), ("WEB-01", "", false, .repaired), (nil, "WEB-02", false, .repaired),
        ("A-MACHINE-WITH-A-LONG-NAME", "A-MACHINE-WITH-", false, .repaired),
    ]

    @Test(arguments: names)
    func `a disk whose Windows is called otherwise than the machine is repaired only with consent`(
        expected: String?, found: String, accepted: Bool, kind: MachineOutcome.Kind
    ) async throws {
        let world = FakeWorld()
        world.change {
            $0.machines["m1"]?.machine.computerName = expected
            $0.machines["m1"]?.windowsName = found
        }
        let bench = try RunBench(world)
        var configuration = bench.configuration()
        configuration.acceptsOtherComputerName = accepted
        let result = try await bench.run(configuration)
        #expect(result.machines[0].outcome?.kind == kind)
        if kind == .otherMachine {
            #expect(!world.effects.contains { $0.hasPrefix("apply") })
            #expect(result.machines[0].outcome?.message.contains("WEB-02") == true)
            #expect(world.snapshot.copies.isEmpty)
        }
        try await checkInvariants(bench)
    }

    @Test func `a scan looks, cleans up and changes nothing`() async throws {
        let bench = try RunBench(FakeWorld())
        let result = try await bench.run(bench.configuration(.scan))
        #expect(result.machines[0].outcome?.kind == .repairable)
        #expect(!bench.world.effects.contains { $0.hasPrefix("apply") || $0.hasPrefix("swap") })
        #expect(bench.world.snapshot.copies.isEmpty)
        try await checkInvariants(bench)
    }

    @Test func `a boot that is seen to fail puts the original disk back`() async throws {
        let world = FakeWorld()
        world.change { $0.machines["m1"]?.bootVerdict = .failed }
        let bench = try RunBench(world)
        let result = try await bench.run()
        #expect(result.machines[0].outcome?.kind == .bootFailed)
        #expect(result.exitCode == .bootFailed)
        #expect(world.snapshot.machines["m1"]?.swappedTo == nil)
        try await checkInvariants(bench)
    }

    @Test func `a boot that is not proven keeps the repaired disk and says how to go back`() async throws {
        let world = FakeWorld()
        world.change { $0.machines["m1"]?.bootVerdict = .notProven }
        let bench = try RunBench(world)
        let result = try await bench.run()
        #expect(result.machines[0].outcome?.kind == .bootNotProven)
        #expect(result.machines[0].outcome?.nextStep.contains("salvor rollback \(result.run)") == true)
        #expect(world.snapshot.machines["m1"]?.swappedTo != nil)
        try await checkInvariants(bench)
    }

    @Test(arguments: ["copy", "attach", "scan", "apply", "fetch", "detach", "swap"])
    func `one machine that fails at a step does not stop the others`(step: String) async throws {
        let world = FakeWorld(3)
        world.fail("\(step) m2", with: CoordinatorError(.failed, "broken", nextStep: "mend it"))
        let bench = try RunBench(world)
        let result = try await bench.run()
        #expect(result.machines.map(\.outcome?.kind) == [.repaired, .failed, .repaired])
        #expect(result.exitCode == .someFailed)
        #expect(world.snapshot.machines["m2"]?.swappedTo == nil)
        try await checkInvariants(bench)
    }

    @Test func `a host that does not come up fails its machines, and nothing is left`() async throws {
        let world = FakeWorld(2)
        world.fail("host rescue-1", with: ProviderError(.imageMissing, "no image", nextStep: "salvor image build"))
        let bench = try RunBench(world)
        let result = try await bench.run()
        #expect(result.machines.map(\.outcome?.failedStep) == [.host, .host])
        #expect(result.exitCode == .imageMissing)
        #expect(world.snapshot.copies.isEmpty)
        try await checkInvariants(bench)
    }

    @Test func `V-3: an agent that speaks another version of the messages is asked for nothing else`() async throws {
        let world = FakeWorld()
        world.change { $0.agentProtocol = 2 }
        let bench = try RunBench(world)
        let result = try await bench.run()
        #expect(result.machines[0].outcome?.failedStep == .connect)
        #expect(result.machines[0].outcome?.message.contains("speaks version 2 of the protocol, this Salvor 1") == true)
        #expect(!world.effects.contains { $0.hasPrefix("scan") || $0.hasPrefix("apply") })
        #expect(world.snapshot.copies.isEmpty)
        try await checkInvariants(bench)
    }

    @Test func `an agent that vanishes during apply leaves the original in place`() async throws {
        let world = FakeWorld()
        world.fail(
            "apply m1", with: CoordinatorError(.agentGone, "The agent on rescue-1 was lost.", nextStep: "Repeat."))
        let bench = try RunBench(world)
        let result = try await bench.run()
        #expect(result.machines[0].outcome?.failedStep == .apply)
        #expect(result.exitCode == .agentLost)
        #expect(world.snapshot.copies.isEmpty)
        try await checkInvariants(bench)
    }

    @Test func `a copy that does not come off its host is deleted after the host`() async throws {
        let world = FakeWorld(nature: .clean)
        world.fail("detach m1", with: ProviderError(.timedOut, "the guest does not answer", nextStep: "-"))
        world.change { $0.machines["m1"]?.nature = .locked }
        let bench = try RunBench(world)
        let result = try await bench.run()
        #expect(result.machines[0].outcome?.kind == .locked)
        let effects = world.effects
        #expect(effects.firstIndex(of: "deleteHost rescue-1")! < effects.firstIndex(of: "deleteCopy m1")!)
        try await checkInvariants(bench)
    }

    @Test func `machines are packed on hosts, and the hosts go before the boots are over`() async throws {
        let bench = try RunBench(FakeWorld(5))
        var configuration = bench.configuration()
        configuration.hostCapacity = 2
        let result = try await bench.run(configuration)
        #expect(result.exitCode == .success)
        #expect(bench.world.snapshot.mostHostsAtOnce == 3)
        try await checkInvariants(bench)
    }

    @Test func `a copy that cannot be deleted is said, in the outcome and as a remark`() async throws {
        let world = FakeWorld(nature: .clean)
        world.fail("deleteCopy m1", with: ProviderError(.failed, "the disk is read-only", nextStep: "-"))
        let bench = try RunBench(world)
        let result = try await bench.run()
        #expect(result.machines[0].outcome?.kind == .nothingToRepair)
        #expect(result.machines[0].outcome?.message.contains("the disk is read-only") == true)
        #expect(result.remarks == ["Left over: repairCopy /copies/m1."])
    }

    @Test func `a machine whose preflight objects is left out, and the others go on`() async throws {
        let world = FakeWorld(2)
        world.fail("preflight m1", with: ProviderError(.diskInUse, "qemu has the disk", nextStep: "Stop it."))
        let bench = try RunBench(world)
        let result = try await bench.run()
        #expect(result.machines.map(\.outcome?.kind) == [.failed, .repaired])
        #expect(result.machines[0].outcome?.exitCode == .diskUnusable)
        try await checkInvariants(bench)
    }

    @Test func `a machine that is not there is said before anything is made`() async throws {
        let bench = try RunBench(FakeWorld())
        let error = await #expect(throws: CoordinatorError.self) {
            try await bench.run(RunConfiguration(.rescue, machines: ["m1", "m9"]))
        }
        #expect(error?.code == .noSuchMachine)
        #expect(error.map { ExitCode($0) } == .noSuchMachine)
        #expect(!bench.folder.exists("state"))
        #expect(bench.world.effects.isEmpty)
    }

    @Test func `a dry run writes nothing and says what would be done`() async throws {
        let world = FakeWorld(2)
        world.fail("preflight m2", with: ProviderError(.diskMissing, "no disk", nextStep: "Look."))
        let bench = try RunBench(world)
        let plan = try await DryRun.plan(
            bench.configuration(), recipe: RunBench.recipe(), provider: FakeProvider(world: world))
        #expect(plan.lines[0].objection == nil)
        #expect(plan.lines[0].steps.contains { $0.contains("/disks/m1.qcow2") })
        #expect(plan.lines[1].exitCode == .diskUnusable)
        #expect(plan.exitCode == .someFailed)
        // Only of what can be rescued.
        #expect(plan.plan?.changes.map(\.resource) == ["/disks/m1.qcow2"])
        #expect(world.effects == ["preflight m1"])
        #expect(!bench.folder.exists("state"))
    }
}
