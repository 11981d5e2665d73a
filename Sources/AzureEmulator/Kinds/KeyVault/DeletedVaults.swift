internal import SalvorJSON

/// Vaults that were deleted, and can be had back until they are purged.
struct DeletedVaults: ResourceKind {
    let type = "Microsoft.KeyVault/locations/deletedVaults"
    /// What Azure calls them in what it shows.
    static let shownType = "Microsoft.KeyVault/deletedVaults"

    static func id(_ vault: ResourceID, _ location: String) -> ResourceID {
        ResourceID(
            subscription: vault.subscription, namespace: "Microsoft.KeyVault", types: ["locations", "deletedVaults"],
            names: [location, vault.name])
    }

    func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue {
        var json = record.json
        json[path: "type"] = .string(Self.shownType)
        return json
    }

    func missing(_ id: ResourceID) -> ARMError {
        ARMError(
            404, "DeletedVaultNotFound",
            "The specified deleted vault '\(printable(id.name))' does not exist. Follow this link for more information: "
                + "https://go.microsoft.com/fwlink/?linkid=2149745")
    }

    func actsAlone(_ action: String) -> Bool { true }

    func act(_ action: String, _ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer? {
        guard action.lowercased() == "purge" else { return nil }
        guard let record = state[call.id] else { throw missing(call.id) }
        guard record.body[path: "properties.purgeProtectionEnabled"] != true else {
            throw ARMError(
                400, "MethodNotAllowed", "Operation 'DeletedVaultPurge' is not allowed: purge protection is enabled.")
        }
        state.remove(call.id)
        return .accepted(202, nil, call.begin("purge", in: &state), .location)
    }

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        throw .methodNotAllowed("PUT")
    }

    func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        throw .methodNotAllowed("DELETE")
    }

    func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion { .done(nil) }
}

/// All of them in a subscription, wherever they were; and the hardware modules that az asks for beside them, of which there
/// are none here.
struct DeletedVaultList: ResourceKind {
    let type: String

    static let ofVaults = DeletedVaultList(type: DeletedVaults.shownType)
    static let ofModules = ["deletedManagedHSMs", "managedHSMs"].map {
        DeletedVaultList(type: "Microsoft.KeyVault/\($0)")
    }

    func list(_ call: ResourceCall, in state: EmulatorState) throws(ARMError) -> [JSONValue] {
        guard type == DeletedVaults.shownType else { return [] }
        let kind = DeletedVaults()
        return state.list(kind.type, in: call.id).map { kind.view($0, call, in: state) }
    }

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        throw .methodNotAllowed("PUT")
    }

    func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        throw .methodNotAllowed("DELETE")
    }

    func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion { .done(nil) }
}
