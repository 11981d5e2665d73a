import Foundation
import SalvorJSON
import Testing

@testable import SalvorAzure

/// The roles in Coordinator/azure.
@Suite struct RoleTests {

    private static let roles: [(file: String, name: String, actions: [AzureAction])] = [
        ("role.json", "Salvor Rescue", AzureAction.rescue),
        ("discover-role.json", "Salvor Discover", AzureAction.discover),
        ("unlock-role.json", "Salvor Unlock", AzureAction.unlock),
    ]

    @Test("Each role is what Salvor does and nothing else, in the form of az role definition create")
    func exact() throws {
        for (file, name, actions) in Self.roles {
            let role = try RunningAzure.role(file)
            #expect(role["Name"]?.string == name && role["IsCustom"] == true, "\(file)")
            #expect(role.texts("Actions") == actions.filter { !$0.isData }.map(\.name), "\(file)")
            #expect(role.texts("DataActions") == actions.filter(\.isData).map(\.name), "\(file)")
            #expect(role["NotActions"] == [] && role["NotDataActions"] == [], "\(file)")
            #expect(role.texts("AssignableScopes").allSatisfy { $0.hasPrefix("/subscriptions/") }, "\(file)")
            #expect(Set(actions.map(\.name)).count == actions.count, "\(file) names an action twice")
            // Least privilege: no pattern, and nothing that gives others access.
            #expect(actions.allSatisfy { !$0.name.contains("*") })
            #expect(!actions.contains { $0.name.lowercased().contains("roleassignments") })
        }
    }

    @Test("Whoever has the role alone has nothing forbidden, and may not give roles")
    func enough() async throws {
        try await RunningAzure.run {
            RunningAzure.addGuest(&$0, role: nil)
        } _: { azure in
            try await azure.makeGround()
            try await azure.makeMachine("vm")
            try await azure.assignRescueRole()
            let client = try await azure.guestClient()
            let machine = try await Inventory(client, subscription: RunningAzure.subscription, group: "rg")
                .machine(named: "vm")
            let found = try await Preflight(client, settings: RescueSettings()).findings(for: machine)
            #expect(found.filter { $0.forbids || $0.message.contains("could not be seen") } == [], "\(found)")
            await #expect(throws: AzureError(.forbidden, "", nextStep: "")) {
                try await client.put(
                    "\(RunningAzure.root)/providers/Microsoft.Authorization/locks/l", .locks,
                    ["properties": ["level": "ReadOnly"]])
            }
        }
    }
}
