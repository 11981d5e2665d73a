internal import SalvorJSON

/// Who may do what with the things in a vault: by the vault's access policies, or by roles.
struct VaultAccess {
    let vault: Record
    let caller: Caller
    let roles: RoleRules
    let tenant: String

    /// - Parameter permission: as access policies name it: `get`, `wrapKey`.
    /// - Throws: `Forbidden`.
    func check(
        _ permission: String, on collection: VaultItem.Collection, _ name: String, in state: EmulatorState
    ) throws(ARMError) {
        let who = "appid=\(caller.client);oid=\(caller.object);iss=https://sts.windows.net/\(tenant)/"
        let place = "\(vault.id.name);location=\(vault.body["location"]?.string ?? "")"
        guard vault.body[path: "properties.enableRbacAuthorization"] == true else {
            guard isAllowedByPolicy(permission, collection) else {
                throw .vault(
                    403, "Forbidden",
                    "The user, group or application '\(who)' does not have \(collection.rawValue) \(permission) permission on "
                        + "key vault '\(place)'. For help resolving this issue, please see "
                        + "https://go.microsoft.com/fwlink/?linkid=2125287", inner: "AccessDenied")
            }
            return
        }
        let operation = "Microsoft.KeyVault/vaults/\(collection.rawValue)/\(Self.dataAction(permission, collection))"
        let id = VaultItem.id(vault.id, collection, name)
        guard roles.allow(operation, on: id, by: caller, isData: true, in: state) else {
            throw .vault(
                403, "Forbidden",
                "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role "
                    + "definitions were changed recently, please observe propagation time.\r\nCaller: \(who)\r\nAction: "
                    + "'\(operation)'\r\nResource: '\(printable(id.description))'\r\nAssignment: (not found)\r\n"
                    + "DenyAssignmentId: null\r\nDecisionReason: null \r\nVault: \(place)\r\n", inner: "ForbiddenByRbac"
            )
        }
    }

    private func isAllowedByPolicy(_ permission: String, _ collection: VaultItem.Collection) -> Bool {
        (vault.body[path: "properties.accessPolicies"]?.array ?? []).contains { policy in
            guard policy[member: "objectId"]?.string?.lowercased() == caller.object.lowercased() else { return false }
            let granted = (policy[member: "permissions"]?[member: collection.rawValue]?.array ?? []).compactMap {
                $0.string?.lowercased()
            }
            // What cannot be undone is not in "all".
            return granted.contains(permission.lowercased()) || (granted.contains("all") && permission != "purge")
        }
    }

    private static func dataAction(_ permission: String, _ collection: VaultItem.Collection) -> String {
        switch (collection, permission) {
        case (.secrets, "get"): "getSecret/action"
        case (.secrets, "set"): "setSecret/action"
        case (.secrets, "list"): "readMetadata/action"
        case (.keys, "get"), (.keys, "list"): "read"
        case (.keys, "wrapKey"): "wrap/action"
        case (.keys, "unwrapKey"): "unwrap/action"
        case (_, "delete"): "delete"
        default: "\(permission)/action"
        }
    }
}
