import AzureEmulator
import SalvorAzure
import SalvorCoordinatorCore
import SalvorJSON
import Testing

@Suite struct ReplicationTests {
    @Test func `a rescue gets through where everything new is said to be missing for a while`() async throws {
        try await RunningAzure.run(contents: true, configure: { $0.replicationLag = .milliseconds(120) }) { azure in
            let ground = try await AzureGround(azure)
            try await ground.makeMachines()
            try await ground.makeImage()
            let provider = try ground.provider()
            let machine = try await provider.machine(named: "web/vm1")
            let name = CopyName(run: "20240719-060000-late", machine: machine.name)
            // The lag is over soon where this machine is slow: the copy is said to be missing whatever the time.
            azure.faults.rules = [
                FaultRule(
                    method: "GET", path: "*/disks/vm1-os-salvor-*", skip: 1, times: 2,
                    effect: .refuse(status: 404, code: "ResourceNotFound", message: "Not found.", retryAfter: nil))
            ]
            let copy = try await provider.copyDisk(of: machine, to: name)
            #expect(azure.faults.hits == [2])
            azure.faults.rules = []
            let specification = HostSpecification(
                name: HostName(run: name.run, number: 1), coordinatorPort: 9,
                route: provider.route(toCoordinatorPort: 9), bootstrap: [1], machines: [machine])
            let host = try await provider.createHost(specification)
            _ = try await provider.attach(copy, to: host)
            try await provider.detach(copy, from: host)
            try await provider.stop(machine)
            _ = try await provider.swap(machine, to: copy)
            try await provider.deleteHost(named: specification.name)
            #expect(try await ground.osDisk(of: "vm1") == copy.disk.identifier)
        }
    }

    @Test func `a policy that refuses the rescue VM is the cause that is named, and nothing is left`() async throws {
        try await RunningAzure.run(contents: true) { azure in
            let ground = try await AzureGround(azure)
            try await ground.makeMachines()
            try await ground.makeImage()
            let provider = try ground.provider()
            let machine = try await provider.machine(named: "web/vm1")
            let before = try await azure("GET", "resources").json["value"]?.array?.count
            azure.faults.rules = [
                FaultRule(
                    path: "*/virtualMachines/salvor-rescue-1", verb: "create",
                    effect: .fail(code: "RequestDisallowedByPolicy", message: "Resource was disallowed by policy."))
            ]
            let specification = HostSpecification(
                name: HostName(run: "20240719-060000-deny", number: 1), coordinatorPort: 9,
                route: provider.route(toCoordinatorPort: 9), bootstrap: Array("hush-hush".utf8), machines: [machine])
            do throws(ProviderError) {
                _ = try await provider.createHost(specification)
                Issue.record("nothing was thrown")
            } catch {
                #expect(error.code == .unsupported, "\(error)")
                #expect(error.message.contains("RequestDisallowedByPolicy"), "\(error)")
                #expect(error.nextStep.contains("--tags"), "\(error)")
                #expect(!"\(error)".contains("hush"), "\(error)")
            }
            azure.faults.rules = []
            try await ground.provider().deleteHost(named: specification.name)
            #expect(try await azure("GET", "resources").json["value"]?.array?.count == before)
            #expect(try await ground.rescueGroups().isEmpty)
        }
    }
}
