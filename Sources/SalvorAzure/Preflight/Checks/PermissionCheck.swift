internal import SalvorCoordinatorCore

/// Whether the caller may do all that a rescue does, where it does it.
struct PermissionCheck: PreflightCheck {
    let name = "permissions"

    func findings(_ subject: PreflightSubject) async throws(AzureError) -> [Finding] {
        let machine = subject.machine
        var scopes: [(scope: ResourceID, place: AzureAction.Place)] = [
            (machine.id.group, .machine), (.subscription(machine.subscription), .subscription),
        ]
        if let subnet = try await subject.facts.subnet(for: subject) { scopes.append((subnet.group, .subnet)) }
        var findings: [Finding] = []
        for (scope, place) in scopes {
            let permissions = try await subject.facts.permissions(at: scope)
            let needed = AzureAction.rescue.filter { $0.place == place && $0.isNeeded(with: subject.settings) }
            let missing = needed.map(\.name).filter { !permissions.allow($0) }
            guard !missing.isEmpty else { continue }
            findings.append(
                forbid(
                    .unsupported,
                    "Whoever runs Salvor may not do \(missing.joined(separator: ", ")) in \(shown(scope)).",
                    "Have the role in Coordinator/azure/role.json assigned there: az role assignment create --role "
                        + "\"Salvor Rescue\" --scope \(scope) --assignee …"))
        }
        return findings
    }

    private func shown(_ scope: ResourceID) -> String {
        scope.resourceGroup.map { "the group \($0)" } ?? "the subscription"
    }
}
