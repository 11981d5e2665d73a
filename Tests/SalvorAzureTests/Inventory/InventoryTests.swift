import SalvorAzure
import SalvorJSON
import Testing

/// Machines by their names.
@Suite struct InventoryTests {
    private static func fleet(
        _ body: @escaping @Sendable (RunningAzure, ARMClient) async throws -> Void
    ) async throws {
        try await RunningAzure.run { azure in
            for group in ["rg", "other"] { try await azure.makeGround(group) }
            try await azure.makeMachine("web-01")
            try await azure.makeMachine("web-02")
            try await azure.makeMachine("web-02", group: "other")
            try await azure.makeMachine("db-01", group: "other", system: "Linux")
            try await body(azure, try await azure.client())
        }
    }

    @Test("A machine is found by its name, by its group and name, and by its id, in any case")
    func names() async throws {
        try await Self.fleet { _, client in
            let whole = Inventory(client, subscription: RunningAzure.subscription)
            let group = Inventory(client, subscription: RunningAzure.subscription, group: "rg")
            let found: [(Inventory, String, String)] = [
                (whole, "web-01", "rg"), (whole, "WEB-01", "rg"), (whole, "other/web-02", "other"),
                (whole, RunningAzure.machineID("web-02", group: "other"), "other"), (group, "web-02", "rg"),
                (group, "other/web-02", "other"), (group, "OTHER/DB-01", "other"),
            ]
            for (inventory, name, expected) in found {
                let machine = try await inventory.machine(named: name)
                #expect(machine.resourceGroup.lowercased() == expected, "\(name)")
                #expect(machine.disk?.owner == machine.id && machine.disk?.id == machine.osDisk.id, "\(name)")
                #expect(machine.view.power == .running && machine.view.agent?.isReady == true, "\(name)")
            }
        }
    }

    @Test("What is not found is answered with what comes close, and what is ambiguous with the candidates")
    func mistakes() async throws {
        try await Self.fleet { _, client in
            let whole = Inventory(client, subscription: RunningAzure.subscription)
            let group = Inventory(client, subscription: RunningAzure.subscription, group: "rg")
            let table: [(Inventory, String, AzureError.Code, [String])] = [
                (whole, "web-3", .notFound, ["web-01", "rg/web-02"]),
                (whole, "web-02", .badSetting, ["other/web-02, rg/web-02"]),
                (whole, "rg/db-01", .notFound, ["Did you mean other/db-01?"]),
                (group, "web-1", .notFound, ["rg/web-01"]), (whole, "nothing-like-it", .notFound, ["subscription"]),
                (whole, "a/b/c", .badSetting, ["GROUP/NAME"]), (whole, "", .badSetting, ["GROUP/NAME"]),
                (whole, "rg/", .badSetting, ["GROUP/NAME"]), (whole, "we?b", .badSetting, ["GROUP/NAME"]),
                (whole, "\(RunningAzure.root)/\(RunningAzure.compute("disks", "x"))", .badSetting, ["no resource id"]),
            ]
            for (inventory, name, code, words) in table {
                let error = await #expect(throws: AzureError.self, "\(name)") {
                    try await inventory.machine(named: name)
                }
                #expect(error?.code == code, "\(name): \(error.map { "\($0)" } ?? "")")
                for word in words { #expect(error.map { "\($0)" }?.contains(word) == true, "\(name): \(word)") }
            }
        }
    }

    @Test("A machine that was made after the list was read is found")
    func late() async throws {
        try await Self.fleet { azure, client in
            let inventory = Inventory(client, subscription: RunningAzure.subscription)
            _ = try await inventory.machine(named: "web-01")
            try await azure.makeMachine("web-09")
            #expect(try await inventory.machine(named: "web-09").name == "web-09")
        }
    }

    @Test("Many names are found by one list, however many ask at the same time")
    func oneList() async throws {
        try await Self.fleet { azure, _ in
            let counting = CountingTransport(azure.connections)
            let inventory = Inventory(try await azure.client(counting), subscription: RunningAzure.subscription)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<6 { tasks.addTask { _ = try await inventory.machine(named: "web-01") } }
                try await tasks.waitForAll()
            }
            let lists = counting.calls.filter { $0.hasSuffix("/providers/Microsoft.Compute/virtualMachines") }
            #expect(lists.count == 1)
            #expect(counting.calls.count == 1 + 6 * 2)
        }
    }

    @Test("All machines are listed by two calls, sorted, with their states")
    func list() async throws {
        try await Self.fleet { azure, _ in
            let counting = CountingTransport(azure.connections)
            let client = try await azure.client(counting)
            let machines = try await Inventory(client, subscription: RunningAzure.subscription).machines()
            #expect(
                machines.map { "\($0.resourceGroup)/\($0.name)" } == [
                    "other/db-01", "rg/web-01", "other/web-02", "rg/web-02",
                ])
            #expect(machines.map(\.isWindows) == [false, true, true, true])
            #expect(machines.allSatisfy { $0.view.power == .running && $0.view.agent?.isReady == true })
            #expect(counting.calls.count == 2)
            let some = try await Inventory(client, subscription: RunningAzure.subscription, group: "rg").machines()
            #expect(some.map(\.name) == ["web-01", "web-02"])
        }
    }

    @Test("The subnet of a machine is that of its primary interface")
    func subnet() async throws {
        try await Self.fleet { _, client in
            let inventory = Inventory(client, subscription: RunningAzure.subscription, group: "rg")
            let subnet = try await inventory.subnet(of: try await inventory.machine(named: "web-01"))
            #expect(
                subnet
                    == ResourceID(
                        "\(RunningAzure.root)/\(RunningAzure.network("virtualNetworks", "net"))/subnets/default"))
        }
    }
}
