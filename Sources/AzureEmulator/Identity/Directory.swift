internal import SalvorJSON

/// The few questions that clients ask Microsoft Graph about who they are: `/graph/v1.0/servicePrincipals` and
/// `/graph/v1.0/directoryObjects/getByIds`.
struct Directory: Endpoint {
    func answer(
        _ request: EmulatorRequest, _ segments: [String], _ now: EmulatorTime, _ emulator: Emulator
    ) async throws(ARMError) -> EmulatorResponse? {
        let lowered = segments.map { $0.lowercased() }
        guard lowered.first == "graph" else { return nil }
        _ = try emulator.bearer.check(request, now, for: .graph)
        let all = Self.principals(emulator.configuration)
        switch (request.method, lowered.dropFirst(2)) {
        case ("GET", ["serviceprincipals"]):
            let filter = request.query["$filter"] ?? ""
            let wanted = filter.split(separator: "'", omittingEmptySubsequences: false).dropFirst().first.map {
                $0.lowercased()
            }
            return list(
                all.filter { principal in
                    wanted == nil
                        || ["appId", "id", "displayName"].contains { principal[$0]?.string?.lowercased() == wanted }
                })
        case ("GET", let path) where path.count == 2 && path.first == "serviceprincipals":
            guard let found = all.first(where: { $0["id"]?.string?.lowercased() == path.last }) else {
                throw ARMError(404, "Request_ResourceNotFound", "The principal does not exist.")
            }
            return EmulatorResponse(200, json: found)
        case ("POST", ["directoryobjects", "getbyids"]):
            let ids = (try request.json()["ids"]?.array ?? []).compactMap { $0.string?.lowercased() }
            return list(all.filter { ids.contains($0["id"]?.string?.lowercased() ?? "") })
        default: throw ARMError(404, "Request_ResourceNotFound", "The directory here has service principals alone.")
        }
    }

    private func list(_ principals: [JSONValue]) -> EmulatorResponse {
        EmulatorResponse(200, json: ["value": .array(principals)])
    }

    private static func principals(_ configuration: EmulatorConfiguration) -> [JSONValue] {
        func principal(_ client: String, _ object: String, _ name: String, _ kind: String) -> JSONValue {
            [
                "@odata.type": "#microsoft.graph.servicePrincipal", "id": .string(object), "appId": .string(client),
                "displayName": .string(name), "servicePrincipalNames": [.string(client)],
                "servicePrincipalType": .string(kind),
            ]
        }
        var all = configuration.applications.map { principal($0.id, $0.objectID, $0.name, "Application") }
        if let host = configuration.hostIdentity {
            all.append(principal(host.clientID, host.objectID, "host", "ManagedIdentity"))
        }
        return all
    }
}
