internal import SalvorJSON

/// What stands between a request and the kind that answers it: roles, locks and policy, in Azure's order.
struct AccessRules: Sendable {
    /// What is to be done to a resource.
    enum Verb: Equatable {
        case read
        case write
        case delete
        case action(String)

        /// As it ends the name of an operation.
        var text: String {
            switch self {
            case .read: "read"
            case .write: "write"
            case .delete: "delete"
            case .action(let name): "\(name)/action"
            }
        }
    }

    let roles: RoleRules

    init(_ configuration: EmulatorConfiguration) { roles = RoleRules(configuration) }

    /// - Parameter caller: nil for what the emulator does by itself, which needs no role.
    /// - Throws: `AuthorizationFailed`, `ScopeLocked`, `RequestDisallowedByPolicy`.
    func check(
        _ verb: Verb, on id: ResourceID, _ type: String, body: JSONValue, by caller: Caller?, in state: EmulatorState
    ) throws(ARMError) {
        if let caller { try roles.check("\(Self.operationType(type))/\(verb.text)", on: id, by: caller, in: state) }
        guard verb != .read else { return }
        try LockRules.check(verb, on: id, in: state)
        guard verb == .write, let subject = PolicySubject(id, type, body) else { return }
        try PolicyRules.check(subject, in: state)
    }

    /// - Returns: what the caller may see of the answer; nil for all of it.
    func check(
        _ path: ARMPath, _ request: EmulatorRequest, _ body: JSONValue, _ surroundings: Surroundings,
        _ state: EmulatorState, _ kinds: [String: any ResourceKind]
    ) throws(ARMError) -> PartialView? {
        guard let caller = surroundings.caller else { return nil }
        func spelled(_ type: String) -> String { kinds[type.lowercased()]?.type ?? type }
        func listed(_ scope: ResourceID, _ type: String) throws(ARMError) -> PartialView? {
            let operation = "\(Self.operationType(spelled(type)))/read"
            if roles.allow(operation, on: scope, by: caller, in: state) { return nil }
            // Of a subscription's or group's lists, those who may see a part of it get that part.
            guard scope.parts.isEmpty, roles.haveAny(within: scope, for: caller, in: state) else {
                throw RoleRules.refusal(operation, scope, caller)
            }
            return PartialView(roles: roles, caller: caller)
        }
        switch path {
        case .tenants: return nil
        case .subscriptions: return PartialView(roles: roles, caller: caller)
        case .groups(let scope): return try listed(scope, "Microsoft.Resources/resourceGroups")
        case .everything(let scope): return try listed(scope, "Microsoft.Resources/resources")
        case .collection(let scope, let type)
        where type.lowercased() == "microsoft.authorization/permissions"
            && roles.haveAny(within: scope, for: caller, in: state):
            // What they may do themselves is nobody's secret from them.
            return nil
        case .collection(let scope, let type): return try listed(scope, type)
        case .subscription(let id), .locations(let id), .providers(let id), .provider(let id, _),
            .catalog(let id, _, _):
            guard roles.haveAny(within: id, for: caller, in: state) else {
                throw RoleRules.refusal("Microsoft.Resources/subscriptions/read", id, caller)
            }
        case .registration(let id, let namespace, let isRegistered):
            try roles.check(
                "\(namespace)/\(isRegistered ? "register" : "unregister")/action", on: id, by: caller, in: state)
        // Only whoever was given its address knows it.
        case .operation: return nil
        case .action(let id, let name):
            let verb = request.method == "POST" ? Verb.action(name) : .read
            try check(verb, on: id, spelled(id.type), body: body, by: caller, in: state)
        case .resource(let id):
            let verb: Verb =
                switch request.method {
                case "GET", "HEAD": .read
                case "DELETE": .delete
                default: .write
                }
            // A patch is judged by what the resource would be after it.
            let whole =
                request.method == "PATCH" ? state[id].map { $0.body.merged(with: body) } ?? body : body
            try check(verb, on: id, spelled(id.type), body: whole, by: caller, in: state)
        }
        return nil
    }

    /// The names of operations on subscriptions and groups begin in their own way.
    static func operationType(_ type: String) -> String {
        switch type.lowercased() {
        case "microsoft.resources/resourcegroups": "Microsoft.Resources/subscriptions/resourceGroups"
        case "microsoft.resources/resources": "Microsoft.Resources/subscriptions/resources"
        default: type
        }
    }
}

/// A list of which a caller may see a part.
struct PartialView {
    let roles: RoleRules
    let caller: Caller

    /// Takes away what the caller may not see.
    func restrict(_ response: inout EmulatorResponse, _ state: EmulatorState) {
        guard response.status == 200, var json = try? JSONValue.parse(response.body),
            let items = json["value"]?.array
        else { return }
        let visible = items.filter { item in
            guard let id = item["id"]?.string.flatMap(ResourceID.init) else { return false }
            if id.resourceGroup == nil, id.parts.isEmpty { return roles.haveAny(within: id, for: caller, in: state) }
            // Who may see something in a group sees the group.
            if id.parts.isEmpty, roles.haveAny(within: id, for: caller, in: state) { return true }
            return roles.allow("\(AccessRules.operationType(id.type))/read", on: id, by: caller, in: state)
        }
        guard visible.count < items.count else { return }
        json[path: "value"] = .array(visible)
        response.body = Array(json.text.utf8)
    }
}
