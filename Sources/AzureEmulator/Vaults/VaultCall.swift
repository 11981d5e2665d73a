internal import SalvorJSON

/// One request to a vault.
struct VaultCall {
    let vault: Record
    let method: String
    let segments: [String]
    let query: [String: String]
    let body: JSONValue
    let now: EmulatorTime
    /// The name that a new version gets.
    let version: String
    let access: VaultAccess

    /// With a slash at the end.
    var base: String { vault.hidden["uri"]?.string ?? "" }
    var days: Int64 { vault.body[path: "properties.softDeleteRetentionInDays"]?.integer ?? 90 }

    /// - Parameter key: a new one, where the request makes one.
    func answer(_ key: VaultKey.New?, in state: inout EmulatorState) throws(ARMError) -> EmulatorResponse {
        guard let first = segments.first?.lowercased() else { throw Self.unknown }
        let isDeleted = first.hasPrefix("deleted")
        guard let collection = VaultItem.Collection(rawValue: isDeleted ? String(first.dropFirst(7)) : first) else {
            throw Self.unknown
        }
        if isDeleted { return try answerDeleted(collection, &state) }
        let name = segments.count > 1 ? segments[1] : ""
        let rest = segments.dropFirst(2).map { $0.lowercased() }
        switch (method, segments.count, rest.first) {
        case ("GET", 1, _):
            try access.check("list", on: collection, "", in: state)
            return try list(
                items(collection, state).filter { !$0.isDeleted }.compactMap { item in
                    item.versions.last.map { item.json($0, base, days: days, isListed: true, isWhole: false) }
                })
        case ("GET", 3, "versions"):
            try access.check("list", on: collection, name, in: state)
            let item = try item(collection, name, state)
            return try list(item.versions.map { item.json($0, base, days: days, isWhole: false) })
        case ("GET", 2...3, _):
            try access.check("get", on: collection, name, in: state)
            let item = try item(collection, name, state)
            let version = try item.version(rest.first ?? "")
            if collection == .secrets { try VaultKey.checkUse(version, "get", collection, now) }
            return show(item, version)
        case ("PATCH", 2...3, _):
            try access.check(collection == .secrets ? "set" : "update", on: collection, name, in: state)
            var item = try item(collection, name, state)
            let version = try item.update(rest.first ?? "", body, at: now)
            state.put(item.record)
            return EmulatorResponse(200, json: item.json(version, base, days: days, isWhole: collection == .keys))
        case ("DELETE", 2, _):
            try access.check("delete", on: collection, name, in: state)
            var item = try item(collection, name, state)
            guard let version = item.versions.last else { throw VaultItem.missing(collection, name) }
            item.delete(at: now, days: days)
            state.put(item.record)
            return EmulatorResponse(200, json: item.json(version, base, days: days, isWhole: collection == .keys))
        case ("PUT", 2, _) where collection == .secrets:
            try access.check("set", on: collection, name, in: state)
            guard let value = body[member: "value"]?.string else {
                throw .badVaultParameter("The property value is missing.")
            }
            guard value.utf8.count <= 25_600 else {
                throw .badVaultParameter("The secret value is longer than 25600 bytes.")
            }
            return try add(["value": .string(value)], collection, name, &state)
        case ("PUT", 2, _),
            ("POST", 3, "create") where collection == .keys:
            guard let key else { throw Self.unknown }
            return try add(key.json, collection, name, &state)
        case ("POST", 3...4, let operation?) where collection == .keys:
            let verb = rest.count == 2 ? rest[1] : operation
            guard let use = VaultKey.Use(rawValue: verb) else { throw Self.unknown }
            try access.check(use.permission, on: collection, name, in: state)
            let item = try item(collection, name, state)
            let version = try item.version(rest.count == 2 ? operation : "")
            let address = "\(base)keys/\(item.name)/\(version.name)"
            return EmulatorResponse(200, json: try VaultKey(version).use(use, body, address, now))
        default: throw Self.unknown
        }
    }

    private var isImport: Bool { method == "PUT" }

    /// Whether the request makes a key.
    /// - Returns: a failure where the caller may not.
    func isAllowedToAddKey(_ state: EmulatorState) -> Result<Bool, ARMError> {
        let isCreation = method == "POST" && segments.count == 3 && segments[2].lowercased() == "create"
        guard segments.first?.lowercased() == "keys", isCreation || (isImport && segments.count == 2) else {
            return .success(false)
        }
        return Result { () throws(ARMError) in
            try access.check(isImport ? "import" : "create", on: .keys, segments[1], in: state)
            return true
        }
    }

    /// The request's new key, which is made without the state's lock.
    func newKey() throws(ARMError) -> VaultKey.New {
        try isImport ? VaultKey.New(importing: body) : VaultKey.New(making: body)
    }

    private func answerDeleted(
        _ collection: VaultItem.Collection, _ state: inout EmulatorState
    ) throws(ARMError) -> EmulatorResponse {
        let isWhole = collection == .keys
        let name = segments.count > 1 ? segments[1] : ""
        if method == "GET", segments.count == 1 {
            try access.check("list", on: collection, "", in: state)
            return try list(
                items(collection, state).filter(\.isDeleted).compactMap { item in
                    item.versions.last.map { item.json($0, base, days: days, isListed: true, isWhole: false) }
                })
        }
        let permission = method == "GET" ? "get" : method == "DELETE" ? "purge" : "recover"
        try access.check(permission, on: collection, name, in: state)
        guard let record = state[VaultItem.id(vault.id, collection, name)] else {
            throw VaultItem.missing(collection, name)
        }
        var item = VaultItem(record, collection)
        guard item.isDeleted, let version = item.versions.last else { throw VaultItem.missing(collection, name) }
        switch (method, segments.count) {
        case ("GET", 2): return EmulatorResponse(200, json: item.json(version, base, days: days, isWhole: isWhole))
        case ("DELETE", 2):
            state.remove(record.id)
            return EmulatorResponse(204)
        case ("POST", 3) where segments[2].lowercased() == "recover":
            item.recover()
            state.put(item.record)
            return EmulatorResponse(200, json: item.json(version, base, days: days, isWhole: isWhole))
        default: throw Self.unknown
        }
    }

    private func add(
        _ content: JSONValue, _ collection: VaultItem.Collection, _ name: String, _ state: inout EmulatorState
    ) throws(ARMError) -> EmulatorResponse {
        var item =
            if let known = state[VaultItem.id(vault.id, collection, name)] { VaultItem(known, collection) } else {
                try VaultItem(new: name, collection, of: vault.id)
            }
        guard !item.isDeleted else {
            let kind = collection.singular.prefix(1).uppercased() + collection.singular.dropFirst()
            throw .vault(
                409, "Conflict",
                "\(kind) \(item.name) is currently in a deleted but recoverable state, and its name cannot be reused; in this "
                    + "state, the \(collection.singular) can only be recovered or purged.",
                inner: "ObjectIsDeletedButRecoverable")
        }
        item.add(content, body, named: version, at: now)
        state.put(item.record)
        return show(item, try item.version(version))
    }

    private func show(_ item: VaultItem, _ version: VaultItem.Version) -> EmulatorResponse {
        EmulatorResponse(200, json: item.json(version, base, days: days))
    }

    private func item(
        _ collection: VaultItem.Collection, _ name: String, _ state: EmulatorState
    ) throws(ARMError) -> VaultItem {
        guard let record = state[VaultItem.id(vault.id, collection, name)],
            case let item = VaultItem(record, collection), !item.isDeleted
        else { throw VaultItem.missing(collection, name) }
        return item
    }

    private func items(_ collection: VaultItem.Collection, _ state: EmulatorState) -> [VaultItem] {
        state.children(of: vault.id, collection.rawValue).map { VaultItem($0, collection) }
    }

    /// A page of a list.
    private func list(_ items: [JSONValue]) throws(ARMError) -> EmulatorResponse {
        let most = query["maxresults"].flatMap { Int($0) } ?? 25
        let start = query["$skiptoken"].flatMap { Int($0) } ?? 0
        guard (1...25).contains(most), start >= 0 else {
            throw .badVaultParameter("Parameter maxresults must be between 1 and 25.")
        }
        let end = min(start + most, items.count)
        var json: JSONValue = ["value": .array(start < end ? Array(items[start..<end]) : []), "nextLink": .null]
        if end < items.count {
            let version = query["api-version"] ?? ""
            json[path: "nextLink"] = .string(
                "\(base)\(segments.joined(separator: "/"))?api-version=\(version)&$skiptoken=\(end)&maxresults=\(most)")
        }
        return EmulatorResponse(200, json: json)
    }

    private static var unknown: ARMError {
        .vault(404, "NotFound", "The emulator's vaults have secrets and keys, and no such address of them.")
    }
}
