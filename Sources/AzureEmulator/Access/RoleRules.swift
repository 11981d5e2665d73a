internal import SalvorJSON

/// Who may do what, by the roles that are assigned: from the start, and by records since.
struct RoleRules: Sendable {
    static let assignmentType = "Microsoft.Authorization/roleAssignments"
    static let definitionType = "Microsoft.Authorization/roleDefinitions"

    /// A role with the scope that it is given on.
    struct Grant {
        let role: Role
        let scope: ResourceID
    }

    /// Roles on every subscription, by the object that has them.
    private let initial: [String: Role]
    private let subscriptions: [ResourceID]

    init(_ configuration: EmulatorConfiguration) {
        var initial: [String: Role] = [:]
        var named = configuration.applications.map { ($0.objectID, $0.role) }
        if let host = configuration.hostIdentity { named.append((host.objectID, host.role)) }
        for (object, name) in named {
            initial[object.lowercased()] = Role.builtIn.first { $0.name == name }
        }
        self.initial = initial
        subscriptions = configuration.subscriptions.map { ResourceID(subscription: $0.id) }
    }

    /// - Throws: `AuthorizationFailed`.
    func check(_ operation: String, on id: ResourceID, by caller: Caller, in state: EmulatorState) throws(ARMError) {
        guard allow(operation, on: id, by: caller, in: state) else { throw Self.refusal(operation, id, caller) }
    }

    func allow(
        _ operation: String, on id: ResourceID, by caller: Caller, isData: Bool = false, in state: EmulatorState
    ) -> Bool {
        if let role = initial[caller.object.lowercased()], role.allows(operation, isData: isData) { return true }
        return assigned(caller.object, in: id.subscription, state).contains {
            id.isWithin($0.scope) && $0.role.allows(operation, isData: isData)
        }
    }

    /// Whether a caller has any role on a scope, above it or below it.
    func haveAny(within scope: ResourceID, for caller: Caller, in state: EmulatorState) -> Bool {
        if initial[caller.object.lowercased()] != nil { return true }
        return assigned(caller.object, in: scope.subscription, state).contains {
            $0.scope.isWithin(scope) || scope.isWithin($0.scope)
        }
    }

    /// The roles that a caller has on a resource, as they come down to it.
    func grants(on id: ResourceID, for caller: Caller, in state: EmulatorState) -> [Grant] {
        var grants = assigned(caller.object, in: id.subscription, state).filter { id.isWithin($0.scope) }
        if let role = initial[caller.object.lowercased()] {
            grants.insert(Grant(role: role, scope: ResourceID(subscription: id.subscription)), at: 0)
        }
        return grants
    }

    private func assigned(_ object: String, in subscription: String, _ state: EmulatorState) -> [Grant] {
        let lowered = object.lowercased()
        return state.list(Self.assignmentType, in: ResourceID(subscription: subscription)).compactMap { record in
            guard record.body[path: "properties.principalId"]?.string?.lowercased() == lowered,
                let role = Self.role(record.body[path: "properties.roleDefinitionId"]?.string ?? "", in: state)
            else { return nil }
            return Grant(role: role, scope: record.id.scope)
        }
    }

    /// - Parameter id: of a role, with or without a subscription before it.
    static func role(_ id: String, in state: EmulatorState) -> Role? {
        let name = id.split(separator: "/").last.map { $0.lowercased() } ?? ""
        if let role = Role.builtIn.first(where: { $0.id == name }) { return role }
        return ResourceID(id).flatMap { state[$0] }.map(Role.init)
    }

    static func refusal(_ operation: String, _ scope: ResourceID, _ caller: Caller) -> ARMError {
        ARMError(
            403, "AuthorizationFailed",
            "The client '\(caller.client)' with object id '\(caller.object)' does not have authorization to perform action "
                + "'\(printable(operation))' over scope '\(printable(scope.description))' or the scope is invalid. If access "
                + "was recently granted, please refresh your credentials.")
    }
}

extension Role {
    /// A role of the user's own.
    init(_ record: Record) {
        func all(_ name: String) -> [String] {
            (record.body[path: "properties.permissions"]?.array ?? []).flatMap { permission in
                (permission[member: name]?.array ?? []).compactMap(\.string)
            }
        }
        self.init(
            id: record.id.name, name: record.body[path: "properties.roleName"]?.string ?? "",
            description: record.body[path: "properties.description"]?.string ?? "", actions: all("actions"),
            notActions: all("notActions"), dataActions: all("dataActions"), notDataActions: all("notDataActions"))
    }
}
