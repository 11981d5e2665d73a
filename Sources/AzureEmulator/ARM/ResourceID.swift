/// The path that names a resource, `/subscriptions/{s}/resourceGroups/{g}/providers/{namespace}/{type}/{name}…`, or a
/// resource group or subscription, which have no provider. A lock or a role assignment lies on another resource, and its
/// id is that resource's with a provider of its own behind it.
///
/// Azure compares ids without regard to case and gives them back as they were first written, so that equality here is
/// that of ``key``.
package struct ResourceID: Sendable {
    /// What stands behind one `providers`.
    package struct Part: Sendable {
        /// `Microsoft.Compute`.
        package let namespace: String
        /// `["virtualMachines", "extensions"]`, with one name each.
        package let types: [String]
        package let names: [String]

        package init(namespace: String, types: [String], names: [String]) {
            precondition(types.count == names.count, "each type has one name")
            self.namespace = namespace
            self.types = types
            self.names = names
        }
    }

    package let subscription: String
    package let resourceGroup: String?
    /// The resource's own is the last; empty for a resource group or subscription.
    package let parts: [Part]
    /// What two ids of one resource have in common.
    package let key: String

    package init(subscription: String, resourceGroup: String? = nil, parts: [Part]) {
        // Templates write a group as a resource of its subscription, too, and it is the same group.
        let isGroup =
            resourceGroup == nil && parts.first?.namespace.lowercased() == "microsoft.resources"
            && parts.first?.types.map { $0.lowercased() } == ["resourcegroups"]
        let resourceGroup = isGroup ? parts.first?.names.first : resourceGroup
        let parts = isGroup ? Array(parts.dropFirst()) : parts
        self.subscription = subscription
        self.resourceGroup = resourceGroup
        self.parts = parts
        key = Self.path(subscription, resourceGroup, parts).lowercased()
    }

    package init(
        subscription: String, resourceGroup: String? = nil, namespace: String? = nil, types: [String] = [],
        names: [String] = []
    ) {
        self.init(
            subscription: subscription, resourceGroup: resourceGroup,
            parts: namespace.map { [Part(namespace: $0, types: types, names: names)] } ?? [])
    }

    /// - Returns: nil for text that is no id of these forms.
    package init?(_ text: String) {
        let segments = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard segments.count >= 3, segments[0].isEmpty, segments[1].lowercased() == "subscriptions",
            !segments.dropFirst().contains("")
        else { return nil }
        var rest = segments[3...]
        var group: String?
        if rest.first?.lowercased() == "resourcegroups" {
            guard rest.count >= 2 else { return nil }
            group = rest[rest.startIndex + 1]
            rest = rest.dropFirst(2)
        }
        guard let (parts, left) = Self.parts(of: rest), left.isEmpty else { return nil }
        self.init(subscription: segments[2], resourceGroup: group, parts: parts)
    }

    /// Takes apart what stands behind a scope.
    /// - Returns: the parts that are whole, and a last type that has no name: alone where it stands below a resource, and
    ///   else with its namespace before it.
    static func parts(of segments: ArraySlice<String>) -> (whole: [Part], left: [String])? {
        var parts: [Part] = []
        var rest = segments
        while let word = rest.popFirst() {
            guard word.lowercased() == "providers", let namespace = rest.popFirst() else { return nil }
            var types: [String] = []
            var names: [String] = []
            while let type = rest.first, type.lowercased() != "providers" {
                rest = rest.dropFirst()
                guard let name = rest.popFirst() else {
                    if !types.isEmpty { parts.append(Part(namespace: namespace, types: types, names: names)) }
                    return (parts, types.isEmpty ? [namespace, type] : [type])
                }
                types.append(type)
                names.append(name)
            }
            guard !types.isEmpty else { return nil }
            parts.append(Part(namespace: namespace, types: types, names: names))
        }
        return (parts, [])
    }

    package var namespace: String? { parts.last?.namespace }
    package var types: [String] { parts.last?.types ?? [] }
    package var names: [String] { parts.last?.names ?? [] }

    /// `Microsoft.Compute/disks`.
    package var type: String {
        guard let namespace else {
            return resourceGroup == nil ? "Microsoft.Resources/subscriptions" : "Microsoft.Resources/resourceGroups"
        }
        return ([namespace] + types).joined(separator: "/")
    }

    /// Its names below its group or subscription: `net/default`.
    package var path: String { names.isEmpty ? name : names.joined(separator: "/") }

    /// The last name: the resource's own.
    package var name: String { names.last ?? resourceGroup ?? subscription }

    /// The group that it lies in; itself for a group; nil for a subscription.
    package var group: ResourceID? {
        resourceGroup.map { ResourceID(subscription: subscription, resourceGroup: $0) }
    }

    /// What an extension resource lies on; for any other resource its group or subscription.
    package var scope: ResourceID {
        ResourceID(subscription: subscription, resourceGroup: resourceGroup, parts: Array(parts.dropLast()))
    }

    /// Whether it lies on another resource, and not in a group or subscription.
    package var isExtension: Bool { parts.count > 1 }

    /// The resource that it is a child of; nil for one that is none.
    package var parent: ResourceID? {
        guard let last = parts.last, last.types.count > 1 else { return nil }
        return scope.adding(
            Part(
                namespace: last.namespace, types: Array(last.types.dropLast()), names: Array(last.names.dropLast())))
    }

    package func child(_ type: String, _ name: String) -> ResourceID {
        guard let last = parts.last else { return self }
        return scope.adding(
            Part(namespace: last.namespace, types: last.types + [type], names: last.names + [name]))
    }

    /// Another resource of the same group.
    package func beside(_ namespace: String, _ type: String, _ name: String) -> ResourceID {
        ResourceID(
            subscription: subscription, resourceGroup: resourceGroup, namespace: namespace, types: [type],
            names: [name])
    }

    /// A resource that lies on this one.
    package func adding(_ part: Part) -> ResourceID {
        ResourceID(subscription: subscription, resourceGroup: resourceGroup, parts: parts + [part])
    }

    /// Whether this is `other`, or lies in it or on it.
    package func isWithin(_ other: ResourceID) -> Bool { key == other.key || key.hasPrefix(other.key + "/") }

    private static func path(_ subscription: String, _ resourceGroup: String?, _ parts: [Part]) -> String {
        var text = "/subscriptions/\(subscription)"
        if let resourceGroup { text += "/resourceGroups/\(resourceGroup)" }
        for part in parts {
            text += "/providers/\(part.namespace)"
            for (type, name) in zip(part.types, part.names) { text += "/\(type)/\(name)" }
        }
        return text
    }
}

extension ResourceID: CustomStringConvertible {
    package var description: String { Self.path(subscription, resourceGroup, parts) }
}

extension ResourceID: Hashable {
    package static func == (one: ResourceID, other: ResourceID) -> Bool { one.key == other.key }
    package func hash(into hasher: inout Hasher) { hasher.combine(key) }
}
