import Foundation
import SalvorAudit
import SalvorAzure
import SalvorCoordinatorCore
import Synchronization
import Testing

/// Whole runs against the emulator, with machines and agents that are played.
@Suite struct SimulatedRescueTests {
    @Test func `one running machine is rescued by at most 7 calls that change something`() async throws {
        try await RunningAzure.run(contents: true) { azure in
            let ground = try await AzureGround(azure)
            try await ground.makeMachines()
            try await ground.makeImage()
            let bench = try AzureBench(ground)
            let result = try await bench.rescue(["web/vm1"])
            #expect(result.machines.map(\.outcome?.kind) == [.repaired], "\(bench.messages(result))")
            #expect(result.remarks.isEmpty, "\(result.remarks)")
            let calls = try await bench.changingCalls()
            print("one machine: \(calls.count) changing calls (az vm repair: 7)")
            #expect(calls.count <= 7, "\(calls)")
            #expect(try await ground.osDisk(of: "vm1")?.contains("-salvor-") == true)
            #expect(try await ground.power(of: "vm1") == "PowerState/running")
            #expect(try await ground.rescueGroups().isEmpty)
        }
    }

    @Test func `whoever has the role in Coordinator_azure alone can carry a whole rescue out`() async throws {
        try await RunningAzure.run(contents: true) {
            RunningAzure.addGuest(&$0, role: nil)
        } _: { azure in
            let maker = try await AzureGround(azure)
            try await maker.makeMachines()
            try await azure.assignRescueRole()
            // The image as well is uploaded by the one with the role.
            let ground = try await AzureGround(azure, arm: try await azure.guestClient())
            let bench = try AzureBench(ground)
            let result = try await bench.rescue(["web/vm1"])
            #expect(result.machines.map(\.outcome?.kind) == [.repaired], "\(bench.messages(result))")
            #expect(try await maker.rescueGroups().isEmpty)
            // What a rollback takes is in it too.
            let run = result.run
            let undone = try await RescueRun.rollback(run, assumeYes: true, dependencies: try bench.dependencies())
            #expect(undone.machines.map(\.outcome?.kind) == [.rolledBack], "\(bench.messages(undone))")
            #expect(try await maker.osDisk(of: "vm1")?.contains("-salvor-") == false)
        }
    }

    @Test func `32 machines share a rescue VM and need at most 4.5 changing calls each`() async throws {
        try await RunningAzure.run(contents: true) { azure in
            let ground = try await AzureGround(azure)
            try await ground.makeMachines(32)
            try await ground.makeImage()
            let bench = try AzureBench(ground)
            let result = try await bench.rescue((1...32).map { "web/vm\($0)" })
            let kinds = Set(result.machines.map(\.outcome?.kind))
            #expect(kinds == [.repaired], "\(bench.messages(result))")
            let calls = try await bench.changingCalls()
            print("32 machines: \(calls.count) changing calls, \(Double(calls.count) / 32) for each")
            #expect(Double(calls.count) / 32 <= 4.5, "\(calls.count)")
            // Every disk at a LUN of its own.
            #expect(Set(bench.switchboard.addresses).count == 32)
            #expect(try await ground.rescueGroups().isEmpty)
        }
    }
}

/// A coordinator with a state folder of its own.
struct AzureBench: Sendable {
    let ground: AzureGround
    var switchboard = PlayedSwitchboard()
    let state: StateDirectory

    init(_ ground: AzureGround) throws {
        self.ground = ground
        state = StateDirectory(path: "\(ground.azure.folder)/coordinator")
    }

    private struct Yes: SalvorCoordinatorCore.Confirmation {
        func confirm(_ question: ConfirmationQuestion) async -> Bool { true }
    }

    func dependencies() throws -> RunDependencies {
        let switchboard = switchboard
        return RunDependencies(
            provider: try ground.provider(),
            openSwitchboard: { (_, _, _) async throws(CoordinatorError) in switchboard }, confirmation: Yes(),
            state: state, operator: AuditEvent.Operator(name: "somebody", host: "here"), salvorVersion: "0.0.0")
    }

    func rescue(_ names: [String]) async throws -> RunResult {
        var configuration = RunConfiguration(.rescue, machines: names)
        configuration.assumeYes = true
        configuration.hostCapacity = 32
        configuration.concurrentCopies = 32
        configuration.concurrentBoots = 32
        return try await rescue(configuration)
    }

    func rescue(_ configuration: RunConfiguration) async throws -> RunResult {
        try await RescueRun(
            configuration: configuration, recipe: try RecipeReader.read(path: Self.recipePath),
            dependencies: try dependencies()
        ).run()
    }

    /// What became of the machines that were not repaired; each message once.
    func messages(_ result: RunResult) -> Set<String> {
        Set(result.machines.compactMap(\.outcome).filter { $0.kind != .repaired }.map(\.message))
    }

    /// As the journal has them.
    func changingCalls() async throws -> [String] {
        let journal = try await Journal.open(state)
        let run = try #require(try await journal.runs().first)
        return try await journal.calls(ofRun: run.id).filter(\.changes).map { "\($0.verb) \($0.target)" }
    }

    static let recipePath = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Coordinator/recipes/crowdstrike-291.yaml").path
}
