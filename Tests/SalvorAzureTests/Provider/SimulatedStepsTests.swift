import SalvorAzure
import SalvorCoordinatorCore
import SalvorJSON
import Testing

/// `salvor create`, `run` and `restore` against the emulator, with an agent that is played.
@Suite struct SimulatedStepsTests {
    @Test func `three commands rescue a machine, with the names that the operator gave`() async throws {
        try await RunningAzure.run(contents: true) { azure in
            let ground = try await AzureGround(azure) {
                $0.rescueVMName = "vm1-rescue"
                $0.copyDiskName = "vm1-copy"
            }
            try await ground.makeMachines()
            try await ground.makeImage()
            let bench = try AzureBench(ground)

            let created = try await StepwiseRescue.create(
                RunConfiguration(.create, machines: ["web/vm1"]),
                recipe: try RecipeReader.read(path: AzureBench.recipePath), dependencies: try bench.dependencies())
            #expect(created.machines.map(\.outcome?.kind) == [.created], "\(bench.messages(created))")
            let groups = try await ground.rescueGroups()
            #expect(groups.count == 1)
            let group = try #require(groups.first)
            let rescueVM = try await ground.arm.get(
                "/subscriptions/\(RunningAzure.subscription)/resourceGroups/\(group)/providers/Microsoft.Compute/virtualMachines/vm1-rescue",
                .compute)
            let disks = rescueVM["properties"]?["storageProfile"]?["dataDisks"]?.array ?? []
            #expect(disks.compactMap { $0["name"]?.string } == ["vm1-copy"])

            let repaired = try await StepwiseRescue.repair(
                created.run, recipe: nil, assumeYes: true, dependencies: try bench.dependencies())
            #expect(repaired.machines.map(\.outcome?.kind) == [.copyRepaired], "\(bench.messages(repaired))")
            #expect(try await ground.osDisk(of: "vm1")?.contains("vm1-copy") == false)

            let restored = try await StepwiseRescue.restore(
                created.run, assumeYes: true, dependencies: try bench.dependencies())
            #expect(restored.machines.map(\.outcome?.kind) == [.repaired], "\(bench.messages(restored))")
            #expect(restored.remarks.isEmpty, "\(restored.remarks)")
            #expect(try await ground.osDisk(of: "vm1")?.contains("vm1-copy") == true)
            #expect(try await ground.power(of: "vm1") == "PowerState/running")
            #expect(try await ground.rescueGroups().isEmpty)
            #expect(try await bench.changingCalls().count <= 7)
        }
    }
}
