internal import SalvorJSON

/// What a lock forbids, on its scope and on all that lies in it.
enum LockRules {
    static let type = "Microsoft.Authorization/locks"

    /// - Throws: `ScopeLocked`.
    static func check(_ verb: AccessRules.Verb, on id: ResourceID, in state: EmulatorState) throws(ARMError) {
        // A lock does not keep itself from being taken away.
        guard id.type.lowercased() != type.lowercased() else { return }
        let locks = state.list(type, in: ResourceID(subscription: id.subscription))
        let effective = locks.filter { lock in
            let scope = lock.id.scope
            let isReadOnly = lock.body[path: "properties.level"]?.string == "ReadOnly"
            switch verb {
            case .read: return false
            case .write, .action: return isReadOnly && id.isWithin(scope)
            // With a resource goes all that is in it.
            case .delete: return id.isWithin(scope) || scope.isWithin(id)
            }
        }
        guard !effective.isEmpty else { return }
        var scopes: [String] = []
        for lock in effective where !scopes.contains(lock.id.scope.description) {
            scopes.append(lock.id.scope.description)
        }
        throw ARMError(
            409, "ScopeLocked",
            "The scope '\(printable(id.description))' cannot perform \(verb == .delete ? "delete" : "write") operation because "
                + "following scope(s) are locked: '\(scopes.joined(separator: "','"))'. Please remove the lock and try again."
        )
    }
}
