import SalvorAzure
import SalvorJSON
import Testing

/// Looking through an emulated subscription.
@Suite struct DiscoveryTests {
    private static func fleet(
        _ body: @escaping @Sendable (RunningAzure) async throws -> Void
    ) async throws {
        try await RunningAzure.run {
            RunningAzure.addGuest(&$0, role: nil)
        } _: { azure in
            for group in ["rg", "other"] { try await azure.makeGround(group) }
            let diagnostics: [String: JSONValue] = ["diagnosticsProfile": ["bootDiagnostics": ["enabled": true]]]
            try await azure.makeMachine("well", machine: diagnostics)
            try await azure.makeMachine("hit", machine: diagnostics, tags: ["Env": "prod"])
            try await azure.makeMachine("silent", group: "other", tags: ["env": "test"])
            try await azure.makeMachine("off", group: "other")
            try await azure.makeMachine("linux", system: "Linux")
            // Named as somebody liked, so that its name tells nothing.
            for name in ["well", "hit"] {
                try await azure.make(
                    "\(RunningAzure.compute("virtualMachines", name))/extensions/protection",
                    [
                        "location": "westeurope",
                        "properties": [
                            "publisher": "Crowdstrike.Falcon", "type": "FalconSensorWindows",
                            "typeHandlerVersion": "1.0",
                        ],
                    ])
            }
            let off = RunningAzure.compute("virtualMachines", "off", group: "other")
            #expect(try await azure("POST", "\(off)/powerOff").status == 202)
            let broken: JSONValue = [
                "unbootable": [
                    .string(RunningAzure.machineID("hit")), .string(RunningAzure.machineID("silent", group: "other")),
                    .string(RunningAzure.machineID("linux")),
                ]
            ]
            let answer = try await azure("PUT", "/emulator/guests", broken)
            try #require(answer.status == 200, "\(answer.json)")
            try await body(azure)
        }
    }

    private static func discovery(
        _ azure: RunningAzure, group: String? = nil, _ client: ARMClient? = nil
    ) async throws -> Discovery {
        let client = if let client { client } else { try await azure.client() }
        return Discovery(
            client, transport: azure.connections, subscription: RunningAzure.subscription, group: group)
    }

    @Test("The machines that do not answer are told from those that do, with few calls that change nothing")
    func look() async throws {
        try await Self.fleet { azure in
            let counting = CountingTransport(azure.connections)
            let seen = try await Self.discovery(azure, try await azure.client(counting)).look()
            let verdicts = seen.map { "\($0.machine.name) \($0.verdict.rawValue) \($0.hasFalcon)" }
            #expect(
                verdicts == [
                    "hit looksBroken true", "off notRunning false", "silent mayBeBroken false", "well looksWell true",
                ])
            #expect(
                counting.calls.count == 2 && counting.calls.allSatisfy { $0.hasPrefix("GET ") }, "\(counting.calls)")
        }
    }

    @Test("Whoever has the role for it alone can look, and see the screens")
    func role() async throws {
        try await Self.fleet { azure in
            try await azure.assignRescueRole("discover-role.json")
            let discovery = try await Self.discovery(azure, try await azure.guestClient())
            let hit = try #require(try await discovery.look().first)
            #expect(hit.verdict == .looksBroken)
            let screens = await discovery.saveScreens(of: [hit.machine], in: "\(azure.folder)/screens")
            #expect(screens[hit.machine.id]?.screenshot != nil, "\(screens)")
        }
    }

    @Test("Group, tag and region narrow the look")
    func filters() async throws {
        try await Self.fleet { azure in
            typealias Filter = DiscoveryFilter
            let table: [(String?, Filter, [String])] = [
                ("other", Filter(), ["off", "silent"]), (nil, Filter(tags: [.init("env")]), ["hit", "silent"]),
                (nil, Filter(tags: [.init("ENV=prod")]), ["hit"]), (nil, Filter(tags: [.init("env=Prod")]), []),
                (nil, Filter(tags: [.init("env"), .init("none")]), []),
                (nil, Filter(locations: ["West Europe"]), ["hit", "off", "silent", "well"]),
                (nil, Filter(locations: ["northeurope"]), []),
                ("rg", Filter(locations: ["northeurope", "westeurope"]), ["hit", "well"]),
            ]
            for (group, filter, names) in table {
                let seen = try await Self.discovery(azure, group: group).look(filter)
                #expect(seen.map(\.machine.name) == names, "\(filter)")
            }
        }
    }

    @Test("Screens are saved by machine, and one that cannot be had is said")
    func screens() async throws {
        try await Self.fleet { azure in
            let discovery = try await Self.discovery(azure)
            let seen = try await discovery.look().filter { ["hit", "silent"].contains($0.machine.name) }
            let folder = "\(azure.folder)/screens"
            let screens = await discovery.saveScreens(of: seen.map(\.machine), in: folder)
            try #require(seen.count == 2)
            let hit = try #require(screens[seen[0].machine.id])
            #expect(hit.screenshot?.hasPrefix("\(folder)/rg-hit-screen.") == true, "\(hit)")
            #expect(hit.remarks == [])
            let silent = try #require(screens[seen[1].machine.id])
            #expect(silent.screenshot == nil && silent.remarks.first?.isEmpty == false, "\(silent)")
        }
    }
}
