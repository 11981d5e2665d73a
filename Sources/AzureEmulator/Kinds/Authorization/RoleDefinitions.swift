internal import SalvorJSON

/// Roles: Azure's own, and those that users make of permissions.
struct RoleDefinitions: AuthorizationKind {
    let type = RoleRules.definitionType

    func missing(_ id: ResourceID) -> ARMError {
        ARMError(
            404, "RoleDefinitionDoesNotExist",
            "The specified role definition with ID '\(printable(id.name))' does not exist.")
    }

    func find(_ id: ResourceID, in state: EmulatorState) -> Record? {
        if let role = Role.builtIn.first(where: { $0.id == id.name.lowercased() }) {
            return Record(id: Self.id(role, id.subscription), body: Self.body(role))
        }
        return state[id]
    }

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        let properties = call.body[member: "properties"] ?? [:]
        func refuse(_ code: String, _ message: String) -> ARMError { ARMError(400, code, message) }
        guard Self.isUUID(call.id.name) else {
            throw refuse(
                "InvalidRoleDefinitionId",
                "The role definition ID '\(printable(call.id.name))' is not valid. The role definition ID must be a GUID."
            )
        }
        guard !Role.builtIn.contains(where: { $0.id == call.id.name.lowercased() }) else {
            throw refuse("RoleDefinitionUpdateNotPermitted", "Built-in role definitions cannot be changed.")
        }
        guard let name = properties[member: "roleName"]?.string, !name.isEmpty else {
            throw refuse("RoleDefinitionMissingName", "The role definition has no name.")
        }
        let scopes = (properties[member: "assignableScopes"]?.array ?? []).compactMap(\.string)
        guard !scopes.isEmpty, scopes.allSatisfy({ ResourceID($0) != nil }) else {
            throw refuse(
                "RoleDefinitionInvalidAssignableScopes",
                "The role definition's assignable scopes are to be subscriptions and resource groups, at least one.")
        }
        guard properties[member: "permissions"]?.array?.isEmpty == false else {
            throw refuse("RoleDefinitionMissingPermissions", "The role definition has no permissions.")
        }
        let others = state.list(type, in: ResourceID(subscription: call.id.subscription)).filter { $0.id != call.id }
        let taken =
            others.contains { $0.body[path: "properties.roleName"]?.string?.lowercased() == name.lowercased() }
            || Role.builtIn.contains { $0.name.lowercased() == name.lowercased() }
        guard !taken else {
            throw ARMError(
                409, "RoleDefinitionWithSameNameExists",
                "A custom role with the same name '\(printable(name))' already exists in this directory. Use a different name."
            )
        }
        var record = state[call.id] ?? Record(id: call.id, body: ["properties": ["createdOn": .string(call.now.text)]])
        for name in ["roleName", "description", "permissions", "assignableScopes"] {
            record.body[path: "properties.\(name)"] = properties[member: name]
        }
        record.body[path: "properties.type"] = "CustomRole"
        record.body[path: "properties.updatedOn"] = .string(call.now.text)
        state.put(record)
        return .done(201, record.json)
    }

    func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard let record = state[call.id] else { return .done(204, nil) }
        let isAssigned = state.list(RoleRules.assignmentType, in: ResourceID(subscription: call.id.subscription))
            .contains {
                $0.body[path: "properties.roleDefinitionId"]?.string?.lowercased().hasSuffix(call.id.name.lowercased())
                    == true
            }
        guard !isAssigned else {
            throw ARMError(
                400, "RoleDefinitionHasAssignments",
                "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments).")
        }
        state.remove(call.id)
        return .done(200, record.json)
    }

    func list(_ call: ResourceCall, in state: EmulatorState) throws(ARMError) -> [JSONValue] {
        let filter = call.query["$filter"] ?? ""
        let name = Self.text(filter, after: "roleName")
        let kind = Self.text(filter, after: "type")
        let own = state.list(type, in: ResourceID(subscription: call.id.subscription)).filter { record in
            (record.body[path: "properties.assignableScopes"]?.array ?? []).contains { text in
                guard let scope = text.string.flatMap(ResourceID.init) else { return false }
                return call.id.isWithin(scope) || scope.isWithin(call.id)
            }
        }
        let known = Role.builtIn.map { Record(id: Self.id($0, call.id.subscription), body: Self.body($0)) }
        return (known + own).filter { record in
            func has(_ member: String, _ wanted: String?) -> Bool {
                wanted.map { $0 == record.body[path: "properties.\(member)"]?.string?.lowercased() } ?? true
            }
            return has("roleName", name) && has("type", kind)
        }.map(\.json)
    }

    static func id(_ role: Role, _ subscription: String) -> ResourceID {
        ResourceID(
            subscription: subscription, namespace: "Microsoft.Authorization", types: ["roleDefinitions"],
            names: [role.id])
    }

    static func body(_ role: Role) -> JSONValue {
        [
            "properties": [
                "roleName": .string(role.name), "type": "BuiltInRole", "description": .string(role.description),
                "assignableScopes": ["/"], "permissions": [role.permissions],
                "createdOn": "2015-02-02T21:55:09.8806423Z",
                "updatedOn": "2015-02-02T21:55:09.8806423Z", "createdBy": .null, "updatedBy": .null,
            ]
        ]
    }
}
