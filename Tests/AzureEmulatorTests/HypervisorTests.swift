import Logging
import SalvorJSON
import Testing

@testable import AzureEmulator

private let compute = "resourceGroups/rg/providers/Microsoft.Compute"
private let machine = "\(compute)/virtualMachines/vm"
private let root = "/subscriptions/\(TestEmulator.subscription)"
private let logger = Logger(label: "test")

/// Machines behind a hypervisor: what it is asked for, and what becomes of the record when it fails or tells something.
@Suite struct HypervisorTests {
    /// An emulator with a machine that runs on it.
    private struct Ground {
        let hypervisor: TestHypervisor
        let azure: TestEmulator

        init(path: String? = nil, hypervisor: TestHypervisor? = nil) throws {
            self.hypervisor = try hypervisor ?? TestHypervisor()
            azure = try TestEmulator(
                path: path, equipment: Equipment(hypervisor: self.hypervisor), ids: hypervisor == nil ? "op" : "later")
        }

        func make() async throws {
            try await azure.makeGround()
            for name in ["one", "two"] { try await azure.makeDisk(name) }
            try await azure.makeMachine()
            try await finish()
        }

        /// Lets operations do their work.
        func finish() async throws {
            _ = try await azure("GET", "resourcegroups")
            await azure.emulator.settle()
        }

        /// - Returns: the operation's status document.
        @discardableResult
        func act(_ action: String, _ body: JSONValue? = nil, query: [String: String] = [:]) async throws -> JSONValue {
            let reply = try await azure("POST", "\(machine)/\(action)", body, query: query)
            #expect(reply.status == 202, "\(reply.json)")
            try await finish()
            return try await azure.follow(reply, "Azure-AsyncOperation").json
        }

        func attach(_ disk: String, lun: Int64) async throws -> JSONValue {
            let attached: JSONValue = ["diskId": .string("\(root)/\(compute)/disks/\(disk)"), "lun": .integer(lun)]
            return try await act("attachDetachDataDisks", ["dataDisksToAttach": [attached]])
        }

        var id: String {
            get async throws {
                try #require(try await azure("GET", machine).json[path: "properties.vmId"]?.string)
            }
        }

        var agent: String? {
            get async throws {
                try await azure("GET", "\(machine)/instanceView").json[path: "vmAgent.statuses"]?.array?.first?[
                    "displayStatus"]?.string
            }
        }
    }

    private static let failure = ARMError(409, "AllocationFailed", "Allocation failed.")

    // MARK: Requests

    @Test(
        "What is done to a machine's power is done to the machine",
        arguments: [
            ("powerOff", [:], ["powerOff gracefully"], "stopped"),
            ("powerOff", ["skipshutdown": "true"], ["powerOff at once"], "stopped"),
            ("deallocate", [:], ["powerOff gracefully"], "deallocated"),
            ("restart", [:], ["powerOff gracefully", "start vm"], "running"),
            ("redeploy", [:], ["powerOff gracefully", "start vm"], "running"),
            ("start", [:], ["start vm"], "running"),
            ("reapply", [:], [], "running"),
        ] as [(String, [String: String], [String], String)])
    func power(action: String, query: [String: String], asked: [String], power: String) async throws {
        let ground = try Ground()
        try await ground.make()
        #expect(ground.hypervisor.takeAsked() == ["start vm"])
        #expect(try await ground.act(action, query: query)["status"] == "Succeeded")
        #expect(ground.hypervisor.takeAsked() == asked)
        #expect(try await ground.azure.power() == "PowerState/\(power)")
    }

    @Test("A machine that is deleted is removed from its hypervisor before its disks are free")
    func delete() async throws {
        let ground = try Ground()
        try await ground.make()
        ground.hypervisor.fail("remove", Self.failure)
        #expect(try await ground.azure("DELETE", machine).status == 202)
        try await ground.finish()
        #expect(try await ground.azure("GET", machine).json[path: "properties.provisioningState"] == "Failed")
        #expect(try await ground.azure.diskState("vm-os") == "Attached")
        #expect(try await ground.azure("DELETE", machine).status == 202)
        try await ground.finish()
        #expect(try await ground.azure("GET", machine).status == 404)
        #expect(try await ground.azure.diskState("vm-os") == "Unattached")
        #expect(await ground.hypervisor.known().isEmpty)
    }

    @Test("Data disks come and go at their LUNs, and other changes do not touch the machine")
    func disks() async throws {
        let ground = try Ground()
        try await ground.make()
        _ = ground.hypervisor.takeAsked()
        #expect(try await ground.attach("one", lun: 5)["status"] == "Succeeded")
        #expect(try await ground.attach("two", lun: 0)["status"] == "Succeeded")
        _ = try await ground.azure("PATCH", machine, ["tags": ["a": "b"]])
        try await ground.finish()
        try await ground.act(
            "attachDetachDataDisks", ["dataDisksToDetach": [["diskId": .string("\(root)/\(compute)/disks/one")]]])
        #expect(ground.hypervisor.takeAsked() == ["adjust vm 5", "adjust vm 0,5", "adjust vm 0"])
        #expect(try await ground.azure.diskState("one") == "Unattached")
    }

    // MARK: Failures

    @Test(
        "A machine whose hypervisor fails is what it was, and the operation says why",
        arguments: [
            ("start", "start", "deallocated"), ("restart", "start", "stopped"), ("powerOff", "powerOff", "running"),
            ("deallocate", "powerOff", "running"),
        ])
    func failures(action: String, call: String, power: String) async throws {
        let ground = try Ground()
        try await ground.make()
        if action == "start" { try await ground.act("deallocate") }
        ground.hypervisor.fail(call, Self.failure)
        let operation = try await ground.act(action)
        #expect(operation["status"] == "Failed")
        #expect(operation[path: "error.code"] == "AllocationFailed")
        #expect(try await ground.azure.power() == "PowerState/\(power)")
        #expect(try await ground.azure.diskState("vm-os") == (power == "deallocated" ? "Reserved" : "Attached"))
        // It can be had all the same, the next time.
        #expect(try await ground.act(action == "restart" ? "start" : action)["status"] == "Succeeded")
    }

    @Test("A machine that cannot be started at all has failed, and can be started later")
    func failedCreation() async throws {
        let ground = try Ground()
        ground.hypervisor.fail("start", Self.failure)
        try await ground.make()
        let json = try await ground.azure("GET", machine).json
        #expect(json[path: "properties.provisioningState"] == "Failed")
        #expect(try await ground.azure.power() == "PowerState/stopped")
        #expect(try await ground.act("start")["status"] == "Succeeded")
        #expect(try await ground.azure.power() == "PowerState/running")
    }

    @Test("A disk that cannot be attached is free again, one that cannot be detached is still the machine's")
    func failedDisks() async throws {
        let ground = try Ground()
        try await ground.make()
        #expect(try await ground.attach("one", lun: 5)["status"] == "Succeeded")
        _ = ground.hypervisor.takeAsked()
        ground.hypervisor.fail("adjust", Self.failure)
        #expect(try await ground.attach("two", lun: 6)["status"] == "Failed")
        // What was half done is taken back.
        #expect(ground.hypervisor.takeAsked() == ["adjust vm 5,6", "adjust vm 5"])
        #expect(try await ground.azure.diskState("two") == "Unattached")
        ground.hypervisor.fail("adjust", Self.failure)
        let detach: JSONValue = ["dataDisksToDetach": [["diskId": .string("\(root)/\(compute)/disks/one")]]]
        #expect(try await ground.act("attachDetachDataDisks", detach)["status"] == "Failed")
        #expect(try await ground.azure.diskState("one") == "Attached")
        let json = try await ground.azure("GET", machine).json
        #expect(json[path: "properties.provisioningState"] == "Failed")
        #expect(json[path: "properties.storageProfile.dataDisks"]?.array?.map { $0["lun"] } == [5])
        #expect(try await ground.act("attachDetachDataDisks", detach)["status"] == "Succeeded")
        #expect(try await ground.azure.diskState("one") == "Unattached")
    }

    // MARK: What machines do by themselves

    @Test("A guest that powers itself off stops its machine, without being asked for")
    func poweredOff() async throws {
        let ground = try Ground()
        try await ground.make()
        let attending = Task { await ground.azure.emulator.attendMachines(logger: logger) }
        defer { attending.cancel() }
        ground.hypervisor.end(try await ground.id)
        try await eventually("stopped") { try await ground.azure.power() == "PowerState/stopped" }
        #expect(try await ground.azure.diskState("vm-os") == "Attached")
        #expect(try await ground.act("start")["status"] == "Succeeded")
        #expect(try await ground.azure.power() == "PowerState/running")
    }

    @Test("The agent is ready when the guest has said so since it started, and not before")
    func agent() async throws {
        let ground = try Ground()
        try await ground.make()
        let attending = Task { await ground.azure.emulator.attendMachines(logger: logger) }
        defer { attending.cancel() }
        let id = try await ground.id
        let view = try await ground.azure("GET", "\(machine)/instanceView").json
        let status = try #require(view[path: "vmAgent.statuses"]?.array?.first)
        #expect(status["code"] == "ProvisioningState/Unavailable" && status["displayStatus"] == "Not Ready")
        ground.hypervisor.say(.ready(id))
        try await eventually("ready") { try await ground.agent == "Ready" }
        ground.hypervisor.say(.restarted(id))
        try await eventually("not ready") { try await ground.agent == "Not Ready" }
        ground.hypervisor.say(.ready(id))
        try await eventually("ready") { try await ground.agent == "Ready" }
        try await ground.act("restart")
        #expect(try await ground.agent == "Not Ready")
    }

    @Test("A machine is started with its interface's own addresses")
    func addresses() async throws {
        let ground = try Ground()
        try await ground.make()
        let interface = try #require(
            try await ground.azure("GET", machine).json[path: "properties.networkProfile.networkInterfaces"]?.array?
                .first?["id"]?.string)
        let properties = try #require(
            try await ground.azure("GET", String(interface.dropFirst(root.count + 1))).json["properties"])
        let real = try #require(ground.hypervisor.machine(try await ground.id))
        let address = properties["ipConfigurations"]?.array?.first?[path: "properties.privateIPAddress"]?.string
        #expect(address != nil && real.privateAddress == address)
        #expect(real.hardwareAddress == properties["macAddress"]?.string)
    }

    // MARK: After a crash

    @Test("What an emulator that was killed has left is brought together with what is on record")
    func found() async throws {
        let folder = try TestFolder()
        let before = try Ground(path: folder.path + "/state")
        try await before.make()
        let id = try await before.id
        func restart(running: Bool) async throws -> Ground {
            let after = try Ground(path: folder.path + "/state", hypervisor: try TestHypervisor())
            let real = RealMachine(
                id: id, name: "vm", generation: .second, osDisk: .init(content: "c", bytes: 1))
            after.hypervisor.leave(id, running: running ? real : nil)
            after.hypervisor.leave("nobody's", running: nil)
            await after.azure.emulator.findMachines(logger: logger)
            return after
        }
        let second = try await restart(running: true)
        #expect(second.hypervisor.takeAsked().sorted() == ["adopt", "remove"])
        #expect(await second.hypervisor.known() == [id])
        #expect(try await second.azure.power() == "PowerState/running")
        let third = try await restart(running: false)
        #expect(try await third.azure.power() == "PowerState/stopped")
        try await third.act("deallocate")
        let fourth = try await restart(running: true)
        #expect(fourth.hypervisor.takeAsked().sorted() == ["powerOff at once", "remove"])
        #expect(try await fourth.azure.power() == "PowerState/deallocated")
    }
}
