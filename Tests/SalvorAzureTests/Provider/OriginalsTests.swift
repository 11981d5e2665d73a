import SalvorAzure
import SalvorCoordinatorCore
import SalvorJSON
import Testing

/// Deleting the original disks on Azure.
@Suite struct OriginalsTests {
    private static func exists(_ azure: RunningAzure, _ disk: String) async throws -> Bool {
        try await azure("GET", AzureGround.path("Compute/disks", disk)).status == 200
    }

    @Test func `an original goes only while its machine runs well with the repaired disk`() async throws {
        try await RunningAzure.run(contents: true) { azure in
            let ground = try await AzureGround(azure)
            try await ground.makeMachines(3)
            try await ground.makeImage()
            let bench = try AzureBench(ground)
            let run = try await bench.rescue(["web/vm1", "web/vm2", "web/vm3"]).run
            func cleanUp() async throws -> [OriginalCleanup] {
                try await RescueRun.cleanUpOriginals(run, assumeYes: true, dependencies: try bench.dependencies())
            }
            let vm2 = AzureGround.path("Compute/virtualMachines", "vm2")
            #expect(try await azure("POST", "\(vm2)/powerOff").status == 202)
            // It runs, and nothing inside of it answers.
            let silent = "\(RunningAzure.root)/\(AzureGround.path("Compute/virtualMachines", "vm3"))"
            #expect(try await azure("PUT", "/emulator/guests", ["unbootable": [.string(silent)]]).status == 200)

            let first = try await cleanUp()
            #expect(first.map(\.state) == [.deleted, .kept, .kept], "\(first)")
            #expect(first[1].reason?.contains("It is stopped") == true, "\(first[1])")
            #expect(first[2].reason?.contains("Not Ready") == true, "\(first[2])")
            #expect(try await !Self.exists(azure, "vm1-os"))
            for name in ["vm2", "vm3"] { #expect(try await Self.exists(azure, "\(name)-os")) }

            #expect(try await azure("PUT", "/emulator/guests", ["unbootable": []]).status == 200)
            #expect(try await azure("POST", "\(vm2)/start").status == 202)
            let second = try await cleanUp()
            #expect(second.map(\.state) == [.alreadyDeleted, .deleted, .deleted], "\(second)")
            #expect(try await ground.power(of: "vm1") == "PowerState/running")
        }
    }

    @Test func `an original that a machine has again is kept, and one that is gone is no failure`() async throws {
        try await RunningAzure.run(contents: true) { azure in
            let ground = try await AzureGround(azure)
            try await ground.makeMachines()
            let provider = try ground.provider()
            let machine = try await provider.machine(named: "web/vm1")
            let copy = try await provider.copyDisk(of: machine, to: CopyName(run: "r", machine: machine.name))
            let swap = Swap(machine: machine.name, original: machine.osDisk, repaired: copy.disk)
            // Not swapped yet: the machine has the original.
            await #expect(throws: ProviderError(.conflict, "", nextStep: "")) {
                try await provider.deleteOriginal(of: swap)
            }
            #expect(try await Self.exists(azure, "vm1-os"))

            var gone = swap
            gone.original.identifier += "-gone"
            try await provider.deleteOriginal(of: gone)

            // Without its original there is no way back, and the machine goes on running.
            try await provider.stop(machine)
            _ = try await provider.swap(machine, to: copy)
            _ = try await provider.startAndProveBoot(machine, consoleLog: "\(azure.folder)/console.log")
            try await provider.deleteOriginal(of: swap)
            await #expect(throws: ProviderError(.conflict, "", nextStep: "")) { try await provider.swapBack(swap) }
            #expect(try await ground.power(of: "vm1") == "PowerState/running")
        }
    }
}
