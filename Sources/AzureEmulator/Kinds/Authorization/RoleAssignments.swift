internal import SalvorJSON

/// Who has which role where.
struct RoleAssignments: AuthorizationKind {
    let type = RoleRules.assignmentType

    func missing(_ id: ResourceID) -> ARMError {
        ARMError(404, "RoleAssignmentNotFound", "The role assignment '\(printable(id.name))' is not found.")
    }

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard Self.isUUID(call.id.name) else {
            throw ARMError(
                400, "InvalidRoleAssignmentId",
                "The role assignment ID '\(printable(call.id.name))' is not valid. The role assignment ID must be a GUID."
            )
        }
        try checkScope(call, in: state)
        let properties = call.body[member: "properties"] ?? [:]
        guard let principal = properties[member: "principalId"]?.string, Self.isUUID(principal) else {
            throw ARMError(
                400, "InvalidPrincipalId",
                "The principal ID '\(printable(properties[member: "principalId"]?.string ?? ""))' is not valid. Principal ID "
                    + "must be a GUID.")
        }
        let role = properties[member: "roleDefinitionId"]?.string ?? ""
        guard RoleRules.role(role, in: state) != nil else {
            throw ARMError(
                400, "RoleDefinitionDoesNotExist",
                "The specified role definition with ID '\(printable(Self.last(role)))' does not exist.")
        }
        func isSame(_ record: Record) -> Bool {
            record.body[path: "properties.principalId"]?.string?.lowercased() == principal.lowercased()
                && Self.last(record.body[path: "properties.roleDefinitionId"]?.string ?? "") == Self.last(role)
        }
        if let known = state[call.id] {
            guard isSame(known) else {
                throw ARMError(
                    400, "RoleAssignmentUpdateNotPermitted",
                    "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.")
            }
            return .done(200, view(known, call, in: state))
        }
        let other = state.list(type, in: ResourceID(subscription: call.id.subscription)).first {
            $0.id.scope == call.id.scope && isSame($0)
        }
        if let other {
            throw ARMError(
                409, "RoleAssignmentExists",
                "The role assignment already exists. The ID of the conflicting role assignment is "
                    + "\(other.id.name.filter { $0 != "-" }).")
        }
        let by = JSONValue.string(call.surroundings.caller?.object ?? "")
        let when = JSONValue.string(call.now.text)
        let record = Record(
            id: call.id,
            body: [
                "properties": [
                    "roleDefinitionId": .string(
                        RoleDefinitions.id(
                            Role(id: Self.last(role), name: "", description: ""), call.id.subscription
                        ).description), "principalId": .string(principal),
                    "principalType": properties[member: "principalType"] ?? "ServicePrincipal",
                    "description": properties[member: "description"] ?? .null, "condition": .null,
                    "conditionVersion": .null, "delegatedManagedIdentityResourceId": .null,
                    "scope": .string(call.id.scope.description), "createdOn": when, "updatedOn": when, "createdBy": by,
                    "updatedBy": by,
                ]
            ])
        state.put(record)
        return .done(201, record.json)
    }

    func matches(_ record: Record, _ filter: String) -> Bool {
        let wanted = Self.text(filter, after: "principalId") ?? Self.text(filter, after: "assignedTo")
        return wanted.map { $0 == record.body[path: "properties.principalId"]?.string?.lowercased() } ?? true
    }

    private static func last(_ id: String) -> String { id.split(separator: "/").last.map { $0.lowercased() } ?? "" }
}
