internal import SalvorJSON

/// Which kind answers which path.
extension Emulator {
    func answer(
        _ path: ARMPath, _ request: EmulatorRequest, _ body: JSONValue, _ surroundings: Surroundings,
        _ state: inout EmulatorState
    ) throws(ARMError) -> EmulatorResponse {
        func list(_ items: [JSONValue]) -> EmulatorResponse { EmulatorResponse(200, json: ["value": .array(items)]) }
        func call(_ id: ResourceID) -> ResourceCall {
            ResourceCall(
                id: id, body: EnumSpelling.canonical(body), query: request.query, surroundings: surroundings)
        }
        switch path {
        case .tenants: return list([describeTenant()])
        case .subscriptions:
            return list(configuration.subscriptions.map(describe))
        case .subscription(let id):
            return EmulatorResponse(200, json: describe(try subscription(id)))
        case .operation(let id, _):
            return try operation(id, request, state)
        case .groups(let scope):
            _ = try subscription(scope)
            return try Page(request).response(state.list("Microsoft.Resources/resourceGroups", in: scope), \.json)
        case .everything(let scope):
            _ = try subscription(scope)
            if scope.resourceGroup != nil { _ = try state.require(scope) }
            let groups =
                scope.resourceGroup == nil
                ? state.list("Microsoft.Resources/resourceGroups", in: scope).map(\.id) : [scope]
            // Children that have a place of their own are listed, others are not.
            let found = groups.flatMap { state.inGroup($0) }.filter { $0.body["location"] != nil }
            return try Page(request).response(found, \.summary)
        case .locations(let scope):
            _ = try subscription(scope)
            return list(Locations.all.map { $0.json(scope) })
        case .providers(let scope):
            _ = try subscription(scope)
            return list(Set(kinds.values.map(\.namespace)).sorted().map { provider($0, scope, state) })
        case .provider(let scope, let namespace):
            _ = try subscription(scope)
            return EmulatorResponse(200, json: provider(try known(namespace), scope, state))
        case .registration(let scope, let namespace, let isRegistered):
            _ = try subscription(scope)
            guard request.method == "POST" else { throw .methodNotAllowed(request.method) }
            let namespace = try known(namespace)
            try ProviderRegistrations.set(namespace, isRegistered: isRegistered, in: scope, &state)
            return EmulatorResponse(200, json: provider(namespace, scope, state))
        case .catalog(let scope, let namespace, let path):
            _ = try subscription(scope)
            let catalog = ComputeCatalog(subscription: scope, offer: configuration.offer)
            guard namespace == "microsoft.compute",
                let json = try catalog.read(path, filter: request.query["$filter"], in: state)
            else {
                throw ARMError(
                    404, "InvalidResourceType",
                    "The resource type '\(printable(path.joined(separator: "/")))' could not be found in the namespace "
                        + "'\(printable(namespace))'.")
            }
            return EmulatorResponse(200, json: json)
        case .collection(let scope, let type):
            _ = try subscription(scope)
            let kind = try kind(type)
            if let group = scope.group, state[group] == nil { throw .groupNotFound(group.name) }
            // What is asked of a scope and not of a resource.
            if request.method == "POST", let answer = try kind.act("", call(scope), in: &state) {
                return answer.response(to: request)
            }
            guard request.method == "GET" else { throw .methodNotAllowed(request.method) }
            return list(try kind.list(call(scope), in: state))
        case .action(let id, let name):
            _ = try subscription(id)
            let kind = try kind(id.type)
            if let group = id.group, state[group] == nil { throw .groupNotFound(group.name) }
            if request.method == "GET", let record = state[id],
                let json = try kind.read(name, record, call(id), in: state)
            {
                return EmulatorResponse(200, json: json)
            }
            guard request.method == "POST" else { throw .methodNotAllowed(request.method) }
            if !kind.actsAlone(name) { _ = try state.require(id) }
            guard let answer = try kind.act(name, call(id), in: &state) else {
                throw ARMError(
                    404, "InvalidResourceType", "The action '\(printable(name))' is not known on '\(kind.type)'.")
            }
            return answer.response(to: request)
        case .resource(let id):
            return try resource(call(id), request, &state)
        }
    }

    private func resource(
        _ call: ResourceCall, _ request: EmulatorRequest, _ state: inout EmulatorState
    ) throws(ARMError) -> EmulatorResponse {
        let id = call.id
        _ = try subscription(id)
        let kind = try kind(id.type)
        try Admission.check(id, method: request.method, kinds: kinds, in: state)
        switch request.method {
        case "GET":
            guard let record = kind.find(id, in: state) else { throw kind.missing(id) }
            if replication.hides(id, call.now) { throw .resourceNotFound(id) }
            var response = EmulatorResponse(200, json: kind.view(record, call, in: state))
            response.headers.append(("ETag", record.etag))
            return response
        // Of the groups alone Azure takes it, to say whether they exist.
        case "HEAD": return EmulatorResponse(kind.find(id, in: state) == nil ? 404 : 204)
        case "PUT":
            try ProviderRegistrations.check(id, in: state)
            try Tags.check(call.body["tags"])
            try checkPreconditions(request, state[id])
            if state[id] == nil { replication.made(id, call.now) }
            return try kind.put(call, in: &state).response(to: request)
        case "PATCH":
            guard let record = kind.find(id, in: state) else { throw kind.missing(id) }
            try Tags.check(call.body["tags"])
            try checkPreconditions(request, record)
            return try kind.patch(call, in: &state).response(to: request)
        case "DELETE":
            return try kind.delete(call, in: &state).response(to: request)
        default: throw .methodNotAllowed(request.method)
        }
    }

    /// - Throws: 412 where the client asked for another version.
    private func checkPreconditions(_ request: EmulatorRequest, _ record: Record?) throws(ARMError) {
        let wanted = request.headers["if-match"]
        let unwanted = request.headers["if-none-match"]
        let fails =
            (wanted.map { wanted in record == nil || (wanted != "*" && wanted != record?.etag) } ?? false)
            || (unwanted == "*" && record != nil)
        guard !fails else {
            throw ARMError(
                412, "PreconditionFailed", "The condition '\(printable(wanted ?? unwanted ?? ""))' is not met.")
        }
    }

    private func operation(
        _ id: String, _ request: EmulatorRequest, _ state: EmulatorState
    ) throws(ARMError) -> EmulatorResponse {
        guard let operation = state.operation(id) else {
            throw ARMError(404, "OperationNotFound", "The operation '\(printable(id))' was not found.")
        }
        let answersByStatus =
            request.query["monitor"] == "true" || request.path.lowercased().contains("operationresults")
        guard answersByStatus else { return EmulatorResponse(200, json: operation.json) }
        switch operation.status {
        case .inProgress:
            let here = Answer.link(request.base + request.path, request.query)
            return EmulatorResponse(202, headers: [("Location", here), ("Retry-After", "1")])
        case .succeeded:
            return operation.output.map { EmulatorResponse(200, json: $0) } ?? EmulatorResponse(200)
        case .failed, .canceled:
            return EmulatorResponse(409, json: ["error": operation.error ?? [:]])
        }
    }

    // MARK: Types

    private func kind(_ type: String) throws(ARMError) -> any ResourceKind {
        if let kind = kinds[type.lowercased()] { return kind }
        let namespace = String(type.prefix { $0 != "/" })
        _ = try known(namespace)
        throw ARMError(
            404, "InvalidResourceType",
            "The resource type '\(printable(String(type.dropFirst(namespace.count + 1))))' could not be found in the namespace "
                + "'\(printable(namespace))'.")
    }

    private func known(_ namespace: String) throws(ARMError) -> String {
        guard let found = kinds.values.first(where: { $0.namespace.lowercased() == namespace.lowercased() }) else {
            throw ARMError(
                404, "InvalidResourceNamespace", "The resource namespace '\(printable(namespace))' is invalid.")
        }
        return found.namespace
    }
}

extension ResourceKind {
    var namespace: String { String(type.prefix { $0 != "/" }) }
}

extension Record {
    /// What lists of all resources show.
    fileprivate var summary: JSONValue {
        var members: [String: JSONValue] = [
            "id": .string(id.description), "name": .string(id.name), "type": .string(id.type),
        ]
        for name in ["location", "tags", "sku", "managedBy", "zones"] { members[name] = body[name] }
        return .object(members)
    }
}
