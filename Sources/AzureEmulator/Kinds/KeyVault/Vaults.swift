internal import SalvorJSON

/// Key vaults as the Resource Manager knows them: their place, and who may use what is in them. What is in them has an
/// address of its own: see ``VaultService``.
struct Vaults: ResourceKind {
    let type = "Microsoft.KeyVault/vaults"
    private static let retentionDays: Int64 = 90

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try Self.checkName(call.id.name)
        if let known = state[call.id] {
            return try write(call.body, to: known, call, in: &state)
        }
        let location = try call.location()
        guard Self.named(call.id.name, in: state, call.id.subscription) == nil else {
            throw ARMError(
                409, "VaultAlreadyExists",
                "The vault name '\(call.id.name)' is already in use. Vault names are globally unique so it is possible that "
                    + "the name is already taken. If you are sure that the vault name was not taken then it is possible that "
                    + "a vault with the same name was recently deleted but not purged after being placed in a recoverable "
                    + "state.")
        }
        let deleted = state[DeletedVaults.id(call.id, location)]
        let isRecovery = call.body[path: "properties.createMode"]?.string?.lowercased() == "recover"
        switch (deleted, isRecovery) {
        case (let deleted?, true): return try recover(deleted, call, in: &state)
        case (nil, true):
            throw ARMError(
                404, "DeletedVaultNotFound",
                "The specified deleted vault '\(call.id.name)' does not exist in location '\(location)'.")
        case (_?, false):
            throw ARMError(
                409, "ConflictError",
                "A vault with the same name already exists in deleted state. You need to either recover or purge existing "
                    + "key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on "
                    + "soft delete.")
        case (nil, false): break
        }
        var record = Record(id: call.id, body: ["location": .string(location), "properties": [:]])
        let host = call.surroundings.base.split(separator: ":").last.map { ":\($0)" } ?? ""
        record.hidden[path: "uri"] = .string("https://\(call.id.name.lowercased()).vault.localhost\(host)/")
        return try write(call.body, to: record, call, in: &state)
    }

    func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        let known = try state.require(call.id)
        return try write(known.body.merged(with: call.body), to: known, call, in: &state)
    }

    func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard let record = state[call.id] else { return .done(204, nil) }
        let location = record.body["location"]?.string ?? ""
        var deleted = Record(id: DeletedVaults.id(call.id, location), body: [:])
        let days = record.body[path: "properties.softDeleteRetentionInDays"]?.integer ?? Self.retentionDays
        deleted.body = [
            "properties": [
                "vaultId": .string(call.id.description), "location": .string(location),
                "tags": record.body["tags"] ?? [:], "deletionDate": .string(call.now.seconds),
                "scheduledPurgeDate": .string((call.now + .seconds(days * 86_400)).seconds),
                "purgeProtectionEnabled": record.body[path: "properties.enablePurgeProtection"] ?? false,
            ]
        ]
        // All that is in it comes back with it.
        let children = state.inGroup(call.id.group ?? call.id).filter { $0.id != call.id && $0.id.isWithin(call.id) }
        deleted.hidden = [
            "vault": record.body, "notes": record.hidden,
            "children": .array(children.map { ["id": .string($0.id.description), "notes": $0.hidden] }),
        ]
        state.removeTree(call.id)
        state.put(deleted)
        _ = call.begin("close", in: &state)
        return .done(200, nil)
    }

    private func recover(
        _ deleted: Record, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> Answer {
        guard deleted.body[path: "properties.vaultId"]?.string?.lowercased() == call.id.key else {
            throw ARMError(
                409, "ConflictError", "The deleted vault '\(call.id.name)' lay in another resource group.")
        }
        for child in deleted.hidden["children"]?.array ?? [] {
            guard let id = child["id"]?.string.flatMap(ResourceID.init) else { continue }
            state.put(Record(id: id, body: [:], hidden: child["notes"] ?? [:]))
        }
        var record = Record(
            id: call.id, body: deleted.hidden["vault"] ?? [:], hidden: deleted.hidden["notes"] ?? [:])
        record.provisioningState = "RegisteringDns"
        state.remove(deleted.id)
        state.put(record)
        _ = call.begin("create", in: &state)
        return .done(200, record.json)
    }

    /// What a client may set, with what it leaves out as Azure has it.
    private func write(
        _ body: JSONValue, to known: Record, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> Answer {
        let properties = body[member: "properties"] ?? [:]
        guard properties[member: "tenantId"]?.string?.lowercased() == call.surroundings.tenant.lowercased() else {
            throw ARMError(
                400, "BadRequest",
                "The parameter 'tenantId' is missing, or not the tenant '\(call.surroundings.tenant)' of the subscription."
            )
        }
        let sku = properties[path: "sku.name"]?.string?.lowercased() ?? ""
        guard ["standard", "premium"].contains(sku) else {
            throw ARMError(400, "BadRequest", "The parameter 'sku.name' is to be standard or premium.")
        }
        let isByRole = properties[member: "enableRbacAuthorization"]?.bool == true
        guard let policies = properties[member: "accessPolicies"]?.array ?? (isByRole ? [] : nil) else {
            throw ARMError(400, "BadRequest", "The parameter accessPolicies is not specified.")
        }
        let retention = properties[member: "softDeleteRetentionInDays"]?.integer ?? Self.retentionDays
        guard (7...90).contains(retention) else {
            throw ARMError(
                400, "BadRequest",
                "The property \"softDeleteRetentionInDays\" is to be 7 to 90. The value is \(retention).")
        }
        if known.body[path: "properties.enablePurgeProtection"] == true,
            properties[member: "enablePurgeProtection"] != true
        {
            throw ARMError(
                400, "BadRequest",
                "The property \"enablePurgeProtection\" cannot be set to false. Enabling the purge protection for a vault is an "
                    + "irreversible action.")
        }
        var record = known
        record.body[path: "tags"] = body[member: "tags"] ?? [:]
        for name in [
            "tenantId", "enabledForDeployment", "enabledForDiskEncryption", "enabledForTemplateDeployment",
            "enablePurgeProtection", "networkAcls", "publicNetworkAccess",
        ] { record.body[path: "properties.\(name)"] = properties[member: name].flatMap { $0 == .null ? nil : $0 } }
        record.body[path: "properties.sku"] = ["family": "A", "name": .string(sku)]
        record.body[path: "properties.accessPolicies"] = .array(policies)
        record.body[path: "properties.enableRbacAuthorization"] = .bool(isByRole)
        record.body[path: "properties.enableSoftDelete"] = true
        record.body[path: "properties.softDeleteRetentionInDays"] = .integer(retention)
        if record.body[path: "properties.publicNetworkAccess"] == nil {
            record.body[path: "properties.publicNetworkAccess"] = "Enabled"
        }
        let isNew = record.body[path: "properties.vaultUri"] == nil
        record.provisioningState = isNew ? "RegisteringDns" : "Succeeded"
        state.put(record)
        if isNew { _ = call.begin("create", in: &state) }
        return .done(isNew ? 201 : 200, record.json)
    }

    // MARK: Effects

    func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion {
        let id = operation.target
        guard operation.verb == "create", var record = state[id] else {
            guard context.outcome == nil, context.equipment.vaults != nil else { return .done(nil) }
            return .work(
                Work { (equipment) throws(ARMError) in
                    equipment.vaults?.close(id)
                    return [:]
                })
        }
        switch context.outcome {
        case .failure(let error): throw error
        case .success(let outcome):
            let port = outcome["port"]?.integer ?? 0
            record.hidden[path: "port"] = .integer(port)
            record.hidden[path: "uri"] = .string("https://localhost:\(port)/")
        case nil:
            guard context.equipment.vaults != nil else { break }
            let port = record.hidden["port"]?.integer ?? 0
            return .work(
                Work { (equipment) throws(ARMError) in
                    ["port": .integer(Int64(try await equipment.vaults?.open(id, port: Int(port)) ?? 0))]
                })
        }
        record.body[path: "properties.vaultUri"] = record.hidden["uri"]
        record.provisioningState = "Succeeded"
        state.put(record)
        return .done(record.json)
    }

    // MARK: Names

    private static func checkName(_ name: String) throws(ARMError) {
        let bytes = Array(name.utf8)
        let isWhole =
            (3...24).contains(bytes.count) && bytes.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }
            && bytes.first.map { $0.isLetterOrDigit && !(0x30...0x39).contains($0) } == true
            && bytes.last?.isLetterOrDigit == true && !name.contains("--")
        guard isWhole else {
            throw ARMError(
                400, "VaultNameNotValid",
                "The vault name '\(printable(name))' is invalid. A vault's name must be between 3-24 alphanumeric characters. "
                    + "The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens. "
                    + "Follow this link for more information: https://go.microsoft.com/fwlink/?linkid=2147742")
        }
    }

    /// The vault of a name, which no two have.
    static func named(_ name: String, in state: EmulatorState, _ subscription: String) -> Record? {
        state.list("Microsoft.KeyVault/vaults", in: ResourceID(subscription: subscription)).first {
            $0.id.name.lowercased() == name.lowercased()
        }
    }
}

/// `vaults/{name}/accessPolicies/add`, `replace` and `remove`: changes to who may use what is in a vault.
struct VaultAccessPolicies: ResourceKind {
    let type = "Microsoft.KeyVault/vaults/accessPolicies"

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard let parent = call.id.parent else { throw .resourceNotFound(call.id) }
        var vault = try state.require(parent)
        let given = call.body[path: "properties.accessPolicies"]?.array ?? []
        func object(_ policy: JSONValue) -> String { policy[member: "objectId"]?.string?.lowercased() ?? "" }
        let named = Set(given.map(object))
        let others = (vault.body[path: "properties.accessPolicies"]?.array ?? []).filter { !named.contains(object($0)) }
        switch call.id.name.lowercased() {
        case "add", "replace": vault.body[path: "properties.accessPolicies"] = .array(others + given)
        case "remove": vault.body[path: "properties.accessPolicies"] = .array(others)
        case let other:
            throw ARMError(400, "BadRequest", "The operation '\(printable(other))' is none of add, replace and remove.")
        }
        state.put(vault)
        return .done(
            200,
            [
                "id": .string("\(parent)/accessPolicies/"), "type": .string(type),
                "properties": ["accessPolicies": vault.body[path: "properties.accessPolicies"] ?? []],
            ])
    }

    func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        throw .methodNotAllowed("DELETE")
    }

    func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion { .done(nil) }
}
