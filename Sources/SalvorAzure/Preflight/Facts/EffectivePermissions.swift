internal import SalvorJSON

/// What a caller may do at a scope: `…/Microsoft.Authorization/permissions`, an entry for each role.
struct EffectivePermissions: Hashable, Sendable {
    private struct Grant: Hashable, Sendable {
        var actions: [String]
        /// Taken away from this role's own actions, not from those of others.
        var notActions: [String]
    }

    private let grants: [Grant]

    init(_ entries: [JSONValue]) {
        grants = entries.map { Grant(actions: $0.texts("actions"), notActions: $0.texts("notActions")) }
    }

    func allow(_ action: String) -> Bool {
        grants.contains { grant in
            grant.actions.contains { Self.matches($0, action) }
                && !grant.notActions.contains { Self.matches($0, action) }
        }
    }

    /// `*` stands for any text, slashes as well.
    static func matches(_ pattern: String, _ action: String) -> Bool {
        var parts = pattern.lowercased().split(separator: "*", omittingEmptySubsequences: false)
        var rest = Substring(action.lowercased())
        guard parts.count > 1 else { return rest == parts[0] }
        let last = parts.removeLast()
        let first = parts.removeFirst()
        guard rest.hasPrefix(first) else { return false }
        rest = rest.dropFirst(first.count)
        for part in parts where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return rest.hasSuffix(last)
    }
}
