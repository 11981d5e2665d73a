/// The identifier of something that Azure Resource Manager keeps. Compared without regard to case, as Azure does; spelt
/// as it was first met.
package struct ResourceID: Sendable {
    package let text: String
    private let folded: String

    /// - Parameter text: begins with `/subscriptions/`; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard text.first == "/", parts.count >= 3, parts[1].lowercased() == "subscriptions",
            !parts.dropFirst().contains(""),
            !text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "?") })
        else { return nil }
        self.init(trusted: text)
    }

    private init(trusted text: String) {
        self.text = text
        folded = text.lowercased()
    }

    package static func subscription(_ id: String) -> ResourceID { ResourceID(trusted: "/subscriptions/\(id)") }

    package static func group(_ name: String, subscription: String) -> ResourceID {
        ResourceID(trusted: "/subscriptions/\(subscription)/resourceGroups/\(name)")
    }

    /// `Microsoft.Compute/disks` and a name, below a group or a subscription; or a child's type and name.
    package func appending(_ type: String, _ name: String) -> ResourceID {
        type.contains(".")
            ? ResourceID(trusted: "\(text)/providers/\(type)/\(name)") : ResourceID(trusted: "\(text)/\(type)/\(name)")
    }

    package var subscription: String { part(after: "subscriptions") ?? "" }

    /// nil for a subscription and what lies directly below it.
    package var resourceGroup: String? { part(after: "resourcegroups") }

    /// The group that holds it; the subscription where none does.
    package var group: ResourceID {
        resourceGroup.map { .group($0, subscription: subscription) } ?? .subscription(subscription)
    }

    package var name: String { String(text.split(separator: "/").last ?? "") }

    /// `Microsoft.Compute/virtualMachines`, with the types of its parents; as it was spelt.
    package var type: String? {
        let parts = text.split(separator: "/")
        guard let provider = parts.lastIndex(where: { $0.lowercased() == "providers" }), parts.count > provider + 2
        else { return nil }
        let types = stride(from: provider + 2, to: parts.count, by: 2).map { parts[$0] }
        return ([parts[provider + 1]] + types).joined(separator: "/")
    }

    private func part(after key: String) -> String? {
        let parts = text.split(separator: "/")
        guard let index = parts.firstIndex(where: { $0.lowercased() == key }), index + 1 < parts.count else {
            return nil
        }
        return String(parts[index + 1])
    }
}

extension ResourceID: Hashable, CustomStringConvertible {
    package static func == (one: ResourceID, other: ResourceID) -> Bool { one.folded == other.folded }
    package func hash(into hasher: inout Hasher) { hasher.combine(folded) }
    package var description: String { text }
}
