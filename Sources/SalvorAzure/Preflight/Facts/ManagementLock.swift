internal import SalvorJSON

/// A lock, which holds on its scope and on all that lies in it.
struct ManagementLock: Hashable, Sendable {
    var name: String
    /// A subscription, a group or a resource.
    var scope: ResourceID
    /// `ReadOnly` forbids actions too; `CanNotDelete` deletion alone.
    var isReadOnly: Bool

    init?(_ json: JSONValue) {
        let parts = json["id"]?.string?.split(separator: "/", omittingEmptySubsequences: false) ?? []
        // …/providers/Microsoft.Authorization/locks/NAME
        guard parts.count > 4, parts[parts.count - 2].lowercased() == "locks",
            let scope = ResourceID(parts.dropLast(4).joined(separator: "/")),
            let level = json["properties"]?["level"]?.string
        else { return nil }
        name = json["name"]?.string ?? ""
        self.scope = scope
        isReadOnly = level.lowercased() == "readonly"
    }

    func holds(on id: ResourceID) -> Bool { id.isWithin(scope) }
}
