/// The path that names a resource, `/subscriptions/{s}/resourceGroups/{g}/providers/{namespace}/{type}/{name}…`, or a
/// resource group or subscription, which have no provider.
///
/// Azure compares ids without regard to case and gives them back as they were first written, so that equality here is
/// that of ``key``.
package struct ResourceID: Sendable {
    package let subscription: String
    package let resourceGroup: String?
    /// `Microsoft.Compute`; nil for a resource group or subscription.
    package let namespace: String?
    /// `["virtualMachines", "extensions"]`, with one name each.
    package let types: [String]
    package let names: [String]

    package init(
        subscription: String, resourceGroup: String? = nil, namespace: String? = nil, types: [String] = [],
        names: [String] = []
    ) {
        precondition(types.count == names.count, "each type has one name")
        self.subscription = subscription
        self.resourceGroup = resourceGroup
        self.namespace = namespace
        self.types = types
        self.names = names
    }

    /// - Returns: nil for text that is no id of these forms.
    package init?(_ text: String) {
        let segments = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard segments.count >= 3, segments[0].isEmpty, segments[1].lowercased() == "subscriptions",
            !segments[2].isEmpty
        else { return nil }
        var rest = segments[3...]
        var group: String?
        if rest.first?.lowercased() == "resourcegroups" {
            guard rest.count >= 2 else { return nil }
            group = rest[rest.startIndex + 1]
            rest = rest.dropFirst(2)
        }
        guard group?.isEmpty != true else { return nil }
        if rest.isEmpty {
            self.init(subscription: segments[2], resourceGroup: group)
            return
        }
        guard rest.first?.lowercased() == "providers", rest.count >= 4, rest.count % 2 == 0,
            rest.allSatisfy({ !$0.isEmpty })
        else { return nil }
        let pairs = Array(rest.dropFirst(2))
        self.init(
            subscription: segments[2], resourceGroup: group, namespace: rest[rest.startIndex + 1],
            types: stride(from: 0, to: pairs.count, by: 2).map { pairs[$0] },
            names: stride(from: 1, to: pairs.count, by: 2).map { pairs[$0] })
    }

    /// `Microsoft.Compute/disks`.
    package var type: String {
        guard let namespace else {
            return resourceGroup == nil ? "Microsoft.Resources/subscriptions" : "Microsoft.Resources/resourceGroups"
        }
        return ([namespace] + types).joined(separator: "/")
    }

    /// The last name: the resource's own.
    package var name: String { names.last ?? resourceGroup ?? subscription }

    /// What two ids of one resource have in common.
    package var key: String { description.lowercased() }

    /// The group that it lies in; itself for a group; nil for a subscription.
    package var group: ResourceID? {
        resourceGroup.map { ResourceID(subscription: subscription, resourceGroup: $0) }
    }

    package func child(_ type: String, _ name: String) -> ResourceID {
        ResourceID(
            subscription: subscription, resourceGroup: resourceGroup, namespace: namespace, types: types + [type],
            names: names + [name])
    }
}

extension ResourceID: CustomStringConvertible {
    package var description: String {
        var text = "/subscriptions/\(subscription)"
        if let resourceGroup { text += "/resourceGroups/\(resourceGroup)" }
        if let namespace {
            text += "/providers/\(namespace)"
            for (type, name) in zip(types, names) { text += "/\(type)/\(name)" }
        }
        return text
    }
}

extension ResourceID: Hashable {
    package static func == (one: ResourceID, other: ResourceID) -> Bool { one.key == other.key }
    package func hash(into hasher: inout Hasher) { hasher.combine(key) }
}
