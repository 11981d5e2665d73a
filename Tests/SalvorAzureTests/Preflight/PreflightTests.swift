import AzureEmulator
import SalvorCoordinatorCore
import SalvorJSON
import Testing

@testable import SalvorAzure

/// What a look beforehand finds, against an emulator that would refuse what is found.
@Suite struct PreflightTests {
    /// What preflight finds of one machine.
    private static func findings(
        _ azure: RunningAzure, _ name: String = "vm", settings: RescueSettings = RescueSettings(),
        client: ARMClient? = nil
    ) async throws -> [Finding] {
        let client = if let client { client } else { try await azure.client() }
        let machine = try await Inventory(client, subscription: RunningAzure.subscription, group: "rg")
            .machine(named: name)
        return try await Preflight(client, settings: settings).findings(for: machine)
    }

    private static func withMachine(
        size: String = "Standard_D2s_v5", configure: (inout EmulatorConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (RunningAzure) async throws -> Void
    ) async throws {
        try await RunningAzure.run(configure: configure) { azure in
            try await azure.makeGround()
            try await azure.makeMachine(
                "vm", zones: ["1"], machine: ["hardwareProfile": ["vmSize": .string(size)]])
            try await body(azure)
        }
    }

    private static let stop = RunningAzure.compute("virtualMachines", "vm/powerOff")

    @Test("A broken machine that can be rescued has nothing against it, and preflight changes nothing")
    func nothing() async throws {
        try await Self.withMachine { azure in
            #expect(try await azure("POST", Self.stop).status == 202)
            let counting = CountingTransport(azure.connections)
            let found = try await Self.findings(azure, client: try await azure.client(counting))
            #expect(found == [])
            let changes = counting.calls.filter { !$0.hasPrefix("GET ") && !$0.hasSuffix("/checkPolicyRestrictions") }
            #expect(changes == [])
        }
    }

    @Test("What machines share is asked once for a fleet")
    func once() async throws {
        try await Self.withMachine { azure in
            for name in ["a", "b", "c"] { try await azure.makeMachine(name, zones: ["1"]) }
            let counting = CountingTransport(azure.connections)
            let client = try await azure.client(counting)
            let inventory = Inventory(client, subscription: RunningAzure.subscription, group: "rg")
            let preflight = Preflight(client, settings: RescueSettings())
            var machines: [BrokenVM] = []
            for name in ["vm", "a", "b", "c"] { machines.append(try await inventory.machine(named: name)) }
            let before = counting.calls.count
            for machine in machines { _ = try await preflight.findings(for: machine) }
            let calls = counting.calls.dropFirst(before)
            for word in ["/skus", "/usages", "/locks", "/disks"] {
                #expect(calls.count { $0.hasSuffix(word) } == 1, "\(word): \(calls)")
            }
            // Each machine's own is its interface alone.
            #expect(calls.count { $0.contains("/networkInterfaces/") } == machines.count)
            #expect(calls.count <= 12 + machines.count, "\(calls)")
        }
    }

    @Test(
        "A lock is found with the step that it would stop",
        arguments: [
            ("ReadOnly", "", true, "stopped"), ("ReadOnly", "resourceGroups/rg", true, "the group rg"),
            ("ReadOnly", RunningAzure.compute("virtualMachines", "vm"), true, "vm could not be stopped"),
            ("ReadOnly", RunningAzure.compute("disks", "vm-os"), false, "swap it out"),
            ("ReadOnly", RunningAzure.network("virtualNetworks", "net"), false, "join the subnet default"),
            ("CanNotDelete", "", true, "rescue VM could not be deleted"),
            ("CanNotDelete", "resourceGroups/rg", false, "would stay"),
            ("CanNotDelete", RunningAzure.compute("disks", "vm-os"), false, "cleanup --originals"),
            ("CanNotDelete", RunningAzure.compute("virtualMachines", "vm"), nil, ""),
        ] as [(String, String, Bool?, String)])
    func locks(level: String, scope: String, forbids: Bool?, words: String) async throws {
        try await Self.withMachine { azure in
            try await azure.lock("held", level, on: scope)
            let found = try await Self.findings(azure).filter { $0.check == "locks" }
            #expect(found.map(\.forbids) == (forbids.map { [$0] } ?? []), "\(found)")
            if let found = found.first { #expect(found.text.contains(words), "\(found.text)") }
            guard level == "ReadOnly", forbids == true else { return }
            // The emulator agrees: the step would be refused.
            #expect(try await azure("POST", Self.stop).json["error"]?["code"] == "ScopeLocked")
        }
    }

    @Test("A size that is not to be had, too small or unknown is found, with one that is to be had")
    func sizes() async throws {
        try await Self.withMachine(size: "Standard_D2s_v3") { configuration in
            configuration.offer = ComputeOffer(restrictions: [
                .init(size: "Standard_D2s_v5", location: "westeurope"),
                .init(size: "Standard_D4s_v4", location: "westeurope", zone: "1"),
                .init(size: "Standard_D8s_v4", location: "westeurope", zone: "2"),
            ])
        } _: { azure in
            let table: [(RescueSettings, String?)] = [
                (RescueSettings(), "cannot have the size Standard_D2s_v5 in westeurope: NotAvailableForSubscription."),
                (RescueSettings(), "Standard_D4s_v5 is to be had"),
                (RescueSettings(size: "Standard_D4s_v4"), "Standard_D4s_v4 in zone 1 of westeurope"),
                (RescueSettings(size: "Standard_D8s_v4"), nil),
                (RescueSettings(size: "Standard_Nothing"), "no size Standard_Nothing in westeurope"),
                (RescueSettings(size: "Standard_D4s_v5", copiesPerHost: 9), "takes 8 data disks"),
                (RescueSettings(size: "standard_d4s_v5", copiesPerHost: 8), nil),
                (RescueSettings(copiesPerHost: 32), nil),
            ]
            for (settings, words) in table {
                let found = try await Self.findings(azure, settings: settings).filter { $0.check == "sizes" }
                #expect(found.map(\.forbids) == (words == nil ? [] : [true]), "\(settings.effectiveSize): \(found)")
                if let words { #expect(found.first?.text.contains(words) == true, "\(found)") }
            }
        }
    }

    @Test("A quota that is used up is found, in cores of the family and of all")
    func quota() async throws {
        try await Self.withMachine { configuration in
            configuration.offer = ComputeOffer(coreLimits: ["standardDSv5Family": 4, "cores": 9])
        } _: { azure in
            // The machine itself has two of them.
            let table: [(RescueSettings, [String])] = [
                (RescueSettings(), []), (RescueSettings(hosts: 2), ["has 2 of 4 left, and 2 rescue VMs need 4"]),
                (RescueSettings(size: "Standard_D4s_v5"), ["has 2 of 4 left, and the rescue VM needs 4"]),
                (RescueSettings(size: "Standard_D8s_v4"), ["Total Regional vCPUs"]),
            ]
            for (settings, words) in table {
                let found = try await Self.findings(azure, settings: settings).filter { $0.check == "quotas" }
                #expect(found.count == words.count, "\(settings.effectiveSize): \(found)")
                for (finding, words) in zip(found, words) {
                    #expect(finding.weight == .forbids(.noSpace) && finding.text.contains(words), "\(finding)")
                }
            }
        }
    }

    @Test("A policy that would refuse what is made is found with what it looks at")
    func policies() async throws {
        let conditions: [(JSONValue, [String: String], [String])] = [
            (["field": "tags['cost']", "exists": "false"], [:], ["the copy", "the rescue VM", "interface", "group"]),
            (["field": "tags['cost']", "exists": "false"], ["cost": "7"], []),
            (
                [
                    "allOf": [
                        ["field": "type", "equals": "Microsoft.Compute/virtualMachines"],
                        ["field": "Microsoft.Compute/virtualMachines/sku.name", "like": "Standard_D*"],
                    ]
                ], [:], ["the rescue VM"]
            ),
            (["field": "location", "equals": "eastus"], [:], []),
            (["field": "type", "equals": "Microsoft.Network/publicIPAddresses"], [:], []),
        ]
        try await Self.withMachine { azure in
            for (condition, tags, whats) in conditions {
                let definition = "providers/Microsoft.Authorization/policyDefinitions/rule"
                try await azure.make(
                    definition,
                    ["properties": ["mode": "All", "policyRule": ["if": condition, "then": ["effect": "deny"]]]])
                try await azure.make(
                    "providers/Microsoft.Authorization/policyAssignments/assigned",
                    ["properties": ["policyDefinitionId": .string("\(RunningAzure.root)/\(definition)")]])
                let found = try await Self.findings(azure, settings: RescueSettings(tags: tags))
                    .filter { $0.check == "policies" }
                #expect(found.count == whats.count, "\(condition.text): \(found)")
                for (finding, what) in zip(found, whats) {
                    #expect(finding.forbids && finding.message.contains(what), "\(finding)")
                    #expect(finding.message.contains("“assigned”"))
                }
            }
        }
    }

    @Test(
        "What the caller may not do is named, with where",
        arguments: [
            ("Reader", true, "Microsoft.Compute/virtualMachines/powerOff/action"), ("Contributor", false, ""),
            ("Owner", false, ""), ("Virtual Machine Contributor", true, "resourceGroups/write"),
        ])
    func permissions(role: String, forbids: Bool, words: String) async throws {
        try await Self.withMachine {
            RunningAzure.addGuest(&$0, role: role)
        } _: { azure in
            let found = try await Self.findings(azure, client: try await azure.guestClient()).filter {
                $0.check == "permissions"
            }
            #expect(found.contains(where: \.forbids) == forbids, "\(found)")
            if forbids { #expect(found.contains { $0.text.contains(words) }, "\(found)") }
        }
    }

    @Test(
        "What may not be looked at is a remark that says so",
        arguments: ["/locks", "/skus", "/checkPolicyRestrictions"])
    func unseen(path: String) async throws {
        try await Self.withMachine { azure in
            #expect(try await azure("POST", Self.stop).status == 202)
            let client = try await azure.client(ForbiddingTransport(azure.connections, path))
            let found = try await Self.findings(azure, client: client)
            #expect(!found.isEmpty && found.allSatisfy { !$0.forbids && $0.text.contains("role.json") }, "\(found)")
        }
    }

    @Test("A copy that another run has left is named, and one that it works on forbids another rescue")
    func leftovers() async throws {
        try await Self.withMachine { azure in
            try await azure.makeMachine("rescue", zones: ["1"])
            let copy = RunningAzure.compute("disks", "vm-copy")
            try await azure.make(
                copy,
                [
                    "location": "westeurope", "zones": ["1"],
                    "tags": [
                        RunTag.run: "20260101-k3f9", RunTag.machine: .string(RunningAzure.machineID("VM")),
                    ], "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 127],
                ])
            let left = try await Self.findings(azure).filter { $0.check == "copies of other runs" }
            #expect(left.map(\.forbids) == [false] && left.first?.text.contains("rollback 20260101-k3f9") == true)
            let attach = try await azure(
                "POST", RunningAzure.compute("virtualMachines", "rescue/attachDetachDataDisks"),
                ["dataDisksToAttach": [["diskId": .string("\(RunningAzure.root)/\(copy)"), "lun": 0]]])
            #expect(attach.status == 202)
            let used = try await Self.findings(azure).filter { $0.check == "copies of other runs" }
            #expect(used.map(\.forbids) == [true] && used.first?.message.contains("attached to rescue") == true)
            #expect(try await Self.findings(azure, "rescue").filter { $0.check == "copies of other runs" } == [])
        }
    }
}

/// Forbids what ends so.
private struct ForbiddingTransport: HTTPTransport {
    let transport: any HTTPTransport
    let suffix: String

    init(_ transport: any HTTPTransport, _ suffix: String) {
        self.transport = transport
        self.suffix = suffix
    }

    func send(_ request: HTTPRequest) async throws(AzureError) -> HTTPResponse {
        guard !request.url.prefix(while: { $0 != "?" }).hasSuffix(suffix) else {
            let error: JSONValue = ["error": ["code": "AuthorizationFailed", "message": "No."]]
            return HTTPResponse(status: 403, body: error.utf8)
        }
        return try await transport.send(request)
    }
}
