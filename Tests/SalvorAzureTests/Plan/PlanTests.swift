import AzureEmulator
import SalvorCoordinatorCore
import SalvorJSON
import Testing

@testable import SalvorAzure

/// What is said of a rescue beforehand, held to what it does.
@Suite struct PlanTests {
    private static func configuration(
        _ names: [String], _ change: (inout RunConfiguration) -> Void = { _ in }
    ) -> RunConfiguration {
        var configuration = RunConfiguration(.rescue, machines: names)
        configuration.assumeYes = true
        configuration.hostCapacity = 32
        configuration.concurrentCopies = 32
        configuration.concurrentBoots = 32
        change(&configuration)
        return configuration
    }

    private static func plan(_ ground: AzureGround, _ configuration: RunConfiguration) async throws -> DryRun {
        try await DryRun.plan(
            configuration, recipe: try RecipeReader.read(path: AzureBench.recipePath), provider: try ground.provider())
    }

    /// Whether a call that was made is one that was planned. `…` stands for anything.
    private static func matches(_ change: PlannedChange, _ call: String) -> Bool {
        let parts = "\(change.verb) \(change.resource)".lowercased().split(
            separator: "…", omittingEmptySubsequences: false)
        var rest = call.lowercased()[...]
        guard let first = parts.first, rest.hasPrefix(first) else { return false }
        rest = rest.dropFirst(first.count)
        guard parts.count > 1, let last = parts.last else { return rest.isEmpty }
        for part in parts.dropFirst().dropLast() {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        // A name alone is open, not the path.
        return rest.hasSuffix(last) && !rest.dropLast(last.count).contains("/")
    }

    /// Asserts that every call was planned and each planned change was made as often as was said.
    private static func compare(_ calls: [String], _ plan: ProviderPlan) {
        for call in calls {
            #expect(plan.changes.contains { matches($0, call) }, "not planned: \(call)")
        }
        // Attaching and detaching are one kind of call with two purposes.
        for (target, changes) in Dictionary(grouping: plan.changes, by: { "\($0.verb) \($0.resource)" }) {
            // Pages go to Azure Storage, which the journal does not follow.
            guard let first = changes.first, !target.hasPrefix("PUT page blob") else { continue }
            let made = calls.count { matches(first, $0) }
            let said = changes.reduce(0) { $0 + $1.least }...changes.reduce(0) { $0 + $1.most }
            #expect(said.contains(made), "\(target): \(made) times, planned \(said)")
        }
    }

    @Test(
        "A rescue makes exactly the calls that its plan has, and planning makes none",
        arguments: [(1, false, false), (3, false, true), (3, true, false), (5, true, true)])
    func exact(machines: Int, stopsFirst: Bool, hasImage: Bool) async throws {
        try await RunningAzure.run(contents: true) {
            // Rescue VMs that end together see each other go.
            $0.latencies = Latencies(exceptions: ["microsoft.compute/virtualmachines/delete": .seconds(1)])
        } _: { azure in
            let ground = try await AzureGround(azure)
            try await ground.makeMachines(machines)
            if hasImage { try await ground.makeImage() }
            let names = (1...machines).map { "web/vm\($0)" }
            // Two at most on each rescue VM, so that some have company in their group.
            let configuration = Self.configuration(names) {
                $0.stopsFirst = stopsFirst
                $0.hostCapacity = machines == 5 ? 2 : 32
            }
            let counting = CountingTransport(azure.connections)
            let asking = try await AzureGround(azure, arm: try await azure.client(counting))
            let plan = try #require(try await Self.plan(asking, configuration).plan)
            let writes = counting.calls.filter {
                !$0.hasPrefix("GET ") && !$0.hasSuffix("/checkPolicyRestrictions")
            }
            #expect(writes == [])

            let bench = try AzureBench(ground)
            let result = try await bench.rescue(configuration)
            #expect(Set(result.machines.map(\.outcome?.kind)) == [.repaired], "\(bench.messages(result))")
            Self.compare(try await bench.changingCalls(), plan)
            #expect(try await ground.rescueGroups().isEmpty, "\(result.remarks)")
        }
    }

    @Test("A scan's plan is what the scan does")
    func scan() async throws {
        try await RunningAzure.run(contents: true) { azure in
            let ground = try await AzureGround(azure)
            try await ground.makeMachines(2)
            try await ground.makeImage()
            let configuration = Self.configuration(["web/vm1", "web/vm2"]) { $0.command = .scan }
            let plan = try #require(try await Self.plan(ground, configuration).plan)
            let bench = try AzureBench(ground)
            let result = try await bench.rescue(configuration)
            #expect(Set(result.machines.map(\.outcome?.kind)) == [.repairable], "\(bench.messages(result))")
            Self.compare(try await bench.changingCalls(), plan)
        }
    }

    @Test("A machine that stands still is not stopped, and one that cannot be rescued is not in the plan")
    func states() async throws {
        try await RunningAzure.run { azure in
            let ground = try await AzureGround(azure)
            try await ground.makeMachines(3)
            #expect(
                try await azure("POST", "\(AzureGround.path("Compute/virtualMachines", "vm1"))/powerOff").status == 202)
            try await azure.lock("held", "ReadOnly", on: AzureGround.path("Compute/virtualMachines", "vm3"))
            let dry = try await Self.plan(ground, Self.configuration(["web/vm1", "web/vm2", "web/vm3"]))
            #expect(dry.lines.map { $0.objection == nil } == [true, true, false])
            let plan = try #require(dry.plan)
            let stopped = plan.changes.filter { $0.resource.hasSuffix("/powerOff") }.map(\.resource)
            #expect(stopped == ["\(RunningAzure.root)/\(AzureGround.path("Compute/virtualMachines", "vm2"))/powerOff"])
            #expect(!plan.changes.contains { $0.resource.contains("vm3") })

            let none = try await Self.plan(ground, Self.configuration(["web/vm3"]))
            #expect(none.plan == nil && none.exitCode != .success)
        }
    }

    @Test("Time and cost grow with the fleet, and rest on what is said")
    func figures() async throws {
        try await RunningAzure.run(contents: true) { azure in
            let ground = try await AzureGround(azure)
            try await ground.makeMachines(6)
            try await ground.makeImage()
            let one = try #require(try await Self.plan(ground, Self.configuration(["web/vm1"])).plan)
            let fleet = Self.configuration((1...6).map { "web/vm\($0)" }) { $0.concurrentBoots = 2 }
            let six = try #require(try await Self.plan(ground, fleet).plan)
            let time = try #require(one.time)
            let longer = try #require(six.time)
            #expect(time.leastSeconds < time.mostSeconds)
            #expect(time.mostSeconds < longer.mostSeconds)
            #expect(one.costs.map(\.per) == [.run, .day])
            // A D2s_v5 costs 9.6 cents an hour and runs for some minutes; a P10 of 127 GiB costs 19.71 dollars a month.
            let dollars = one.costs.compactMap(\.dollars)
            try #require(dollars.count == 2)
            #expect(dollars[0] > 0.001 && dollars[0] < 0.05)
            #expect((dollars[1] * 365 / 12 * 100).rounded() == 1971)
            #expect(six.costs[0].what.contains("Standard_D4s_v5"))
            #expect((six.costs[1].dollars ?? 0) / dollars[1] > 5.99)
            #expect(one.remarks == [RescueTimes.basis, ListPrices.basis])
        }
    }
}

@Suite struct ListPriceTests {
    @Test(
        "A disk is charged for as the next size, and by its tier where that is higher",
        arguments: [
            ("Premium_LRS", 127, nil, "P10", 1971), ("Premium_LRS", 128, nil, "P10", 1971),
            ("Premium_LRS", 129, nil, "P15", 3801), ("premium_lrs", 30, "P30", "P30", 13517),
            ("Premium_LRS", 512, "P10", "P20", 7322), ("StandardSSD_LRS", 127, nil, "E10", 960),
            ("Standard_LRS", 1, nil, "S4", 154), ("PremiumV2_LRS", 127, nil, nil, nil),
            ("Premium_ZRS", 127, nil, nil, nil), ("Premium_LRS", 9000, nil, nil, nil),
        ] as [(String, Int64, String?, String?, Int?)])
    func disks(sku: String, gibibytes: Int64, tier: String?, name: String?, centsPerMonth: Int?) {
        let price = ListPrices.disk(sku: sku, bytes: gibibytes << 30, tier: tier)
        #expect(price?.name == name)
        #expect(price.map { Int(($0.perDay * 365 / 12 * 100).rounded()) } == centsPerMonth)
    }

    @Test("Every size that Salvor chooses by itself has a price, twice as many cores costing twice as much")
    func sizes() throws {
        for size in RescueSize.all {
            let price = try #require(ListPrices.machine(size.name, seconds: 3600))
            #expect(abs(price / Double(size.cores) - 0.048) < 1e-9, "\(size.name)")
        }
        #expect(ListPrices.machine("Standard_M128s", seconds: 3600) == nil)
    }
}
