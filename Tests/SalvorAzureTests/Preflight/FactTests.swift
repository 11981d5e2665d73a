import SalvorJSON
import Testing

@testable import SalvorAzure

/// What is read from Azure's answers about the surroundings of a machine.
@Suite struct FactTests {
    private static func json(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8)) }

    @Test(
        "Actions are allowed by patterns, and what one role withholds another may give",
        arguments: [
            ("*", "", "Microsoft.Compute/disks/write", true), ("*/read", "", "Microsoft.Compute/disks/read", true),
            ("*/read", "", "Microsoft.Compute/disks/write", false),
            ("Microsoft.Compute/*", "", "microsoft.compute/DISKS/write", true),
            ("Microsoft.Compute/virtualMachines/*/action", "", "Microsoft.Compute/virtualMachines/start/action", true),
            ("Microsoft.Compute/virtualMachines/*/action", "", "Microsoft.Compute/virtualMachines/write", false),
            ("Microsoft.Compute/disks/write", "", "Microsoft.Compute/disks/write2", false),
            ("Microsoft.Compute/disks/write", "", "Microsoft.Compute/disks/write", true),
            ("*", "Microsoft.Compute/*/delete", "Microsoft.Compute/disks/delete", false),
            ("*", "Microsoft.Compute/*/delete", "Microsoft.Compute/disks/write", true),
            ("a*a", "", "a", false), ("a*b*c", "", "axbyc", true), ("", "", "a", false),
        ])
    func patterns(actions: String, notActions: String, action: String, isAllowed: Bool) {
        func entry(_ actions: String, _ notActions: String) -> JSONValue {
            ["actions": [.string(actions)], "notActions": notActions.isEmpty ? [] : [.string(notActions)]]
        }
        #expect(EffectivePermissions([entry(actions, notActions)]).allow(action) == isAllowed)
        #expect(EffectivePermissions([entry(actions, notActions), entry(action, "")]).allow(action))
        #expect(!EffectivePermissions([]).allow(action))
    }

    @Test("A lock is on the scope that its id lies on, in any spelling")
    func locks() throws {
        let table: [(String, String)] = [
            ("/subscriptions/s/providers/Microsoft.Authorization/locks/l", "/subscriptions/s"),
            (
                "/subscriptions/s/resourcegroups/RG/providers/Microsoft.Authorization/locks/l",
                "/subscriptions/s/resourceGroups/rg"
            ),
            (
                "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/disks/d/providers/microsoft.authorization/Locks/l",
                "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/disks/d"
            ),
        ]
        for (id, scope) in table {
            let lock = try #require(
                ManagementLock(["id": .string(id), "name": "l", "properties": ["level": "ReadOnly"]]))
            let expected = try #require(ResourceID(scope))
            #expect(lock.scope == expected && lock.isReadOnly)
            #expect(lock.holds(on: expected.appending("Microsoft.Compute/disks", "x")))
        }
        let group = try #require(ResourceID("/subscriptions/s/resourceGroups/rg"))
        let namesake = try #require(
            ResourceID("/subscriptions/s/resourceGroups/rg2/providers/Microsoft.Compute/disks/d"))
        #expect(!namesake.isWithin(group))
        #expect(ManagementLock(["id": "/subscriptions/s", "properties": ["level": "ReadOnly"]]) == nil)
    }

    /// An entry of the shape that Microsoft's documents show.
    private static let size = """
        {"resourceType": "virtualMachines", "name": "Standard_D2s_v5", "family": "standardDSv5Family",
         "locations": ["westeurope"],
         "locationInfo": [{"location": "westeurope", "zones": ["3", "1"], "zoneDetails": []}],
         "capabilities": [{"name": "vCPUs", "value": "2"}, {"name": "MaxDataDiskCount", "value": "4"},
                          {"name": "HyperVGenerations", "value": "V1,V2"}, {"name": "PremiumIO", "value": "True"},
                          {"name": "CpuArchitectureType", "value": "x64"}],
         "restrictions": [{"type": "Zone", "values": ["westeurope"], "reasonCode": "NotAvailableForSubscription",
                           "restrictionInfo": {"locations": ["westeurope"], "zones": ["3"]}}]}
        """

    @Test("A size is read with its zones, capabilities and restrictions")
    func sizes() throws {
        let size = try #require(SizeOffer(try Self.json(Self.size), location: "WestEurope"))
        #expect(size.cores == 2 && size.maxDataDisks == 4 && size.hasPremiumDisks && size.isX64)
        #expect(size.boots("V2") && size.boots("v1") && !size.boots("V3"))
        #expect(size.zones == ["3", "1"] && size.restrictions.map(\.zones) == [["3"]])
        #expect(SizeOffer(["resourceType": "disks", "name": "Premium_LRS"], location: "westeurope") == nil)
    }

    @Test("Policies that deny and fields that they demand are read; audits are not")
    func policies() throws {
        let refusals = PolicyRefusal.all(
            in: try Self.json(
                """
                {"fieldRestrictions": [
                   {"field": "tags.newtag", "restrictions": [
                     {"result": "Required", "defaultValue": "d", "values": ["d", "e"],
                      "policy": {"policyAssignmentId": "/a/one", "policyDefinitionId": "/d/one"}}]},
                   {"field": "location", "restrictions": [{"result": "Deny", "values": ["north"]}]}],
                 "contentEvaluationResult": {"policyEvaluations": [
                   {"policyInfo": {"policyAssignmentId": "/a/two", "policyDefinitionId": "/d/two"},
                    "evaluationResult": "NonCompliant", "effectDetails": {"policyEffect": "Deny"},
                    "evaluationDetails": {"evaluatedExpressions": [
                      {"result": "True", "expressionKind": "field", "expression": "type", "path": "type"},
                      {"result": "True", "expressionKind": "field", "expression": "sku", "path": "properties.sku"}]}},
                   {"policyInfo": {}, "evaluationResult": "NonCompliant", "effectDetails": {"policyEffect": "Audit"}},
                   {"policyInfo": {}, "evaluationResult": "Compliant", "effectDetails": {"policyEffect": "Deny"}}]}}
                """))
        #expect(refusals.map(\.assignment) == ["/a/two", "/a/one"])
        #expect(refusals.map(\.fields) == [["properties.sku"], ["tags.newtag"]])
        #expect(refusals.last?.demanded == ["tags.newtag": ["d", "e"]])
    }

    @Test("A fact that many ask for at the same time is fetched once, and a failure is not kept")
    func once() async throws {
        let once = Once<String, Int>()
        let counter = Counter()
        await withTaskGroup(of: Int?.self) { tasks in
            for _ in 0..<8 {
                tasks.addTask {
                    try? await once.value("a") { () async throws(AzureError) in
                        await Task.yield()
                        return await counter.next()
                    }
                }
            }
            for await value in tasks { #expect(value == 1) }
        }
        await #expect(throws: AzureError.self) {
            try await once.value("b") { () async throws(AzureError) in
                throw AzureError(.failed, "", nextStep: "")
            }
        }
        #expect(try await once.value("b") { () async throws(AzureError) in await counter.next() } == 2)
        await once.forget("a")
        #expect(try await once.value("a") { () async throws(AzureError) in await counter.next() } == 3)
    }

    @Test("Who gives up takes the question along only where nobody else waits for it")
    func cancelled() async throws {
        let once = Once<String, Int>()
        let (asked, asking) = AsyncStream<Void>.makeStream()
        let question = Task {
            try await once.value("a") { () async throws(AzureError) in
                asking.yield()
                do { try await Task.sleep(for: .seconds(600)) } catch {
                    throw AzureError(.cancelled, "", nextStep: "")
                }
                return 1
            }
        }
        for await _ in asked { break }
        question.cancel()
        let error = await #expect(throws: AzureError.self) { try await question.value }
        #expect(error?.code == .cancelled)
    }

    private actor Counter {
        private var count = 0

        func next() -> Int {
            count += 1
            return count
        }
    }
}
