import Foundation
import SalvorAzure
import SalvorCoordinatorCore
import SalvorJSON
import Testing

@Suite struct AzureProviderTests {
    private let copyName = CopyName(run: "20240719-060000-abcd", machine: "web/vm1")

    @Test func `a copy has what its original has, names the run, and is found again by another process`() async throws {
        try await RunningAzure.run { azure in
            let ground = try await AzureGround(azure)
            try await ground.makeMachines()
            let provider = try ground.provider()
            let machine = try await provider.machine(named: "web/vm1")
            let copy = try await provider.copyDisk(of: machine, to: copyName)
            #expect(try await ground.provider().copyDisk(of: machine, to: copyName) == copy)

            let disk = try await azure("GET", copy.disk.identifier).json
            #expect(disk["properties"]?["hyperVGeneration"] == "V2")
            #expect(disk["properties"]?["osType"] == "Windows")
            #expect(disk["sku"]?["name"] == "Premium_LRS")
            #expect(disk["tags"]?["owner"] == "web team")
            #expect(disk["tags"]?["salvor-run"] == "20240719-060000-abcd")
            #expect(try await provider.resources(ofRun: copyName.run).map(\.kind) == [.repairCopy])

            try await provider.deleteCopy(named: copyName)
            try await provider.deleteCopy(named: copyName)
            #expect(try await provider.resources(ofRun: copyName.run).isEmpty)
            #expect(try await ground.osDisk(of: "vm1") == machine.osDisk.identifier)
        }
    }

    @Test func `a machine is stopped, gets the copy, gets its original back, and each may be said twice`() async throws
    {
        try await RunningAzure.run { azure in
            let ground = try await AzureGround(azure)
            try await ground.makeMachines()
            let provider = try ground.provider()
            let machine = try await provider.machine(named: "vm1")
            #expect(machine.name == "web/vm1")
            let copy = try await provider.copyDisk(of: machine, to: copyName)
            for _ in 1...2 { try await provider.stop(machine) }
            #expect(try await ground.power(of: "vm1") == "PowerState/stopped")

            let swap = try await provider.swap(machine, to: copy)
            #expect(try await provider.swap(machine, to: copy) == swap)
            #expect(try await ground.osDisk(of: "vm1") == copy.disk.identifier)
            await #expect(throws: ProviderError.self) { try await provider.deleteCopy(named: copyName) }

            for _ in 1...2 { try await ground.provider().swapBack(swap) }
            #expect(try await ground.osDisk(of: "vm1") == machine.osDisk.identifier)
            try await provider.deleteCopy(named: copyName)
        }
    }

    @Test func `with --listen, the agent is dialled at the private address of its interface`() async throws {
        try await RunningAzure.run(contents: true) { azure in
            let ground = try await AzureGround(azure) { $0.listenPort = 7444 }
            try await ground.makeMachines()
            try await ground.makeImage()
            let provider = try ground.provider()
            let route = provider.route(toCoordinatorPort: 7443)
            #expect(route == HostRoute(listeningOn: 7444))
            let specification = HostSpecification(
                name: HostName(run: copyName.run, number: 1), coordinatorPort: 0, route: route, bootstrap: [1],
                machines: [try await provider.machine(named: "vm1")])
            let host = try await provider.createHost(specification)
            let address = try #require(host.listenAddress)
            #expect(address.port == 7444)
            let machine = try await azure("GET", host.identifier).json
            let interface = try #require(
                machine["properties"]?["networkProfile"]?["networkInterfaces"]?.array?.first?["id"]?.string)
            let configurations = try await azure("GET", interface).json["properties"]?["ipConfigurations"]?.array
            #expect(configurations?.count == 1)
            let properties = configurations?.first?["properties"]
            #expect(properties?["privateIPAddress"]?.string == address.host)
            #expect(properties?["publicIPAddress"] == nil)
            // A new process dials the same one.
            #expect(try await ground.provider().createHost(specification) == host)
        }
    }

    @Test func `two rescue VMs that end at the same instant leave no group behind`() async throws {
        try await RunningAzure.run(contents: true) { azure in
            let ground = try await AzureGround(azure)
            try await ground.makeMachines()
            try await ground.makeImage()
            // Both have seen the other's machine before either begins to delete.
            let meeting = MeetingTransport(azure.connections, at: "/virtualMachines", count: 2)
            let provider = try AzureProvider(
                arm: ARMClient(
                    endpoint: azure.endpoint, transport: meeting,
                    tokens: FixedToken(secret: try await azure.bearer()), clock: .fast()),
                transport: azure.connections, configuration: ground.configuration)
            let machine = try await provider.machine(named: "vm1")
            let names = [1, 2].map { HostName(run: copyName.run, number: $0) }
            for name in names {
                _ = try await provider.createHost(
                    HostSpecification(
                        name: name, coordinatorPort: 0, route: provider.route(toCoordinatorPort: 7443),
                        bootstrap: [1], machines: [machine]))
            }
            meeting.begin()
            try await withThrowingTaskGroup { group in
                for name in names { group.addTask { try await provider.deleteHost(named: name) } }
                try await group.waitForAll()
            }
            let groups = try await azure("GET", "resourcegroups").json["value"]?.array ?? []
            #expect(groups.compactMap { $0["name"]?.string }.filter { $0.contains(copyName.run) } == [])
        }
    }

    @Test func `a disk that somebody else swapped in is left alone`() async throws {
        try await RunningAzure.run { azure in
            let ground = try await AzureGround(azure)
            try await ground.makeMachines()
            let provider = try ground.provider()
            let machine = try await provider.machine(named: "vm1")
            let copy = try await provider.copyDisk(of: machine, to: copyName)
            let other = try await provider.copyDisk(of: machine, to: CopyName(run: "other", machine: "web/vm1"))
            try await provider.stop(machine)
            _ = try await provider.swap(machine, to: other)
            await #expect(throws: ProviderError(.conflict, "", nextStep: "")) {
                _ = try await provider.swap(machine, to: copy)
            }
            #expect(try await ground.osDisk(of: "vm1") == other.disk.identifier)
        }
    }

    @Test func `a group of somebody else's that bears the run's tag is not deleted`() async throws {
        try await RunningAzure.run { azure in
            let ground = try await AzureGround(azure)
            try await azure.make(
                "resourcegroups/theirs", ["location": "westeurope", "tags": ["salvor-run": .string(copyName.run)]])
            try await ground.provider().deleteHost(named: HostName(run: copyName.run, number: 1))
            #expect(try await azure("GET", "resourcegroups/theirs").status == 200)
            #expect(try await ground.provider().resources(ofRun: copyName.run).isEmpty)
        }
    }

    @Test func `without a rescue image nothing is begun, and the command that makes it is named`() async throws {
        try await RunningAzure.run { azure in
            let ground = try await AzureGround(azure) { $0.image = nil }
            try await ground.makeMachines()
            let provider = try ground.provider()
            let machine = try await provider.machine(named: "vm1")
            do throws(ProviderError) {
                _ = try await provider.preflight(machine)
                Issue.record("preflight had nothing to say")
            } catch {
                #expect(error.code == .imageMissing)
                #expect(error.nextStep.contains("salvor image build --format vhd"))
            }
        }
    }

    @Test func `a machine whose agent reports itself is seen to boot, with screen and console saved`() async throws {
        try await RunningAzure.run { azure in
            let ground = try await AzureGround(azure)
            try await ground.makeMachines()
            let provider = try ground.provider()
            let machine = try await provider.machine(named: "vm1")
            try await provider.stop(machine)
            let log = "\(azure.folder)/console/vm1.log"
            let proof = try await provider.startAndProveBoot(machine, consoleLog: log)
            #expect(proof.verdict == .booted, "\(proof)")
            #expect(try await ground.power(of: "vm1") == "PowerState/running")
        }
    }
}
