internal import SalvorJSON

/// `/providers/Microsoft.Authorization/…`: Azure's own roles and policies, which lie in no subscription.
struct TenantScope: Endpoint {
    func answer(
        _ request: EmulatorRequest, _ segments: [String], _ now: EmulatorTime, _ emulator: Emulator
    ) async throws(ARMError) -> EmulatorResponse? {
        let lowered = segments.map { $0.lowercased() }
        guard lowered.count >= 3, lowered[0] == "providers", lowered[1] == "microsoft.authorization",
            ["roledefinitions", "policydefinitions"].contains(lowered[2])
        else { return nil }
        _ = try emulator.bearer.check(request, now)
        _ = try APIVersion(request.query["api-version"])
        guard request.method == "GET" else { throw .methodNotAllowed(request.method) }
        let items =
            lowered[2] == "policydefinitions" ? PolicyDefinition.builtIn.map(\.json) : Role.builtIn.map(Self.json)
        switch lowered.count {
        case 3: return EmulatorResponse(200, json: ["value": .array(items)])
        case 4:
            guard let found = items.first(where: { $0["name"]?.string == lowered[3] }) else {
                let code = lowered[2] == "policydefinitions" ? "PolicyDefinitionNotFound" : "RoleDefinitionDoesNotExist"
                throw ARMError(404, code, "'\(printable(segments[3]))' could not be found.")
            }
            return EmulatorResponse(200, json: found)
        default: return nil
        }
    }

    private static func json(_ role: Role) -> JSONValue {
        var json = RoleDefinitions.body(role)
        json[path: "id"] = .string("/providers/\(RoleRules.definitionType)/\(role.id)")
        json[path: "name"] = .string(role.id)
        json[path: "type"] = .string(RoleRules.definitionType)
        return json
    }
}
