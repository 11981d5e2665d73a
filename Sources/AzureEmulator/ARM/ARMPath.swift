/// What a path below `/subscriptions` means.
enum ARMPath: Equatable {
    case tenants
    case subscriptions
    case subscription(ResourceID)
    case locations(ResourceID)
    /// All resource groups of a subscription.
    case groups(ResourceID)
    /// All resources of a subscription or group, whatever their type.
    case everything(ResourceID)
    case providers(ResourceID)
    case provider(ResourceID, namespace: String)
    /// A request to use a namespace in a subscription, or to use it no longer.
    case registration(ResourceID, namespace: String, isRegistered: Bool)
    case operation(id: String, subscription: String)
    /// What a namespace offers in a subscription: `skus`, or below `locations`. In lower case.
    case catalog(ResourceID, namespace: String, [String])
    /// Resources of a type in a subscription, a group, or below another resource.
    case collection(scope: ResourceID, type: String)
    case resource(ResourceID)
    case action(ResourceID, name: String)

    /// - Parameter isType: whether there is such a type: what follows a resource is else an action on it.
    /// - Returns: nil for a path of another form.
    init?(_ path: String, isType: (String) -> Bool) {
        let all = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        // Clients leave the parent's path out by leaving it empty, and Azure takes it: `providers/Microsoft.Compute//disks`.
        var segments = all.indices.filter { index in
            !all[index].isEmpty || index < 2 || all[index - 2].lowercased() != "providers" || index + 2 >= all.count
        }.map { all[$0] }
        // Lists of deployments are asked for with a slash behind them.
        if segments.count > 1, segments.last == "" { segments.removeLast() }
        // Operations of deployments are found without their provider, too.
        if segments.count >= 5, segments[2].lowercased() == "resourcegroups", segments[4].lowercased() == "deployments"
        {
            segments.insert(contentsOf: ["providers", "Microsoft.Resources"], at: 4)
        }
        let lowered = segments.map { $0.lowercased() }
        if lowered == ["tenants"] {
            self = .tenants
            return
        }
        guard lowered.first == "subscriptions", !segments.contains("") else { return nil }
        guard segments.count > 1 else {
            self = .subscriptions
            return
        }
        let subscription = ResourceID(subscription: segments[1])
        let rest = Array(lowered.dropFirst(2))
        if rest.count > 3, rest[rest.count - 2] == "operationstatuses", rest[rest.count - 4] == "deployments" {
            self = .operation(id: segments[segments.count - 1], subscription: lowered[1])
            return
        }
        switch rest.first {
        case nil: self = .subscription(subscription)
        case "locations" where rest.count == 1: self = .locations(subscription)
        case "resources" where rest.count == 1: self = .everything(subscription)
        case "operationresults" where rest.count == 2: self = .operation(id: segments[3], subscription: lowered[1])
        case "resourcegroups" where rest.count == 1: self = .groups(subscription)
        case "resourcegroups" where rest.count == 3 && rest[2] == "resources":
            self = .everything(ResourceID(subscription: segments[1], resourceGroup: segments[3]))
        case "resourcegroups" where rest.count == 2:
            self = .resource(ResourceID(subscription: segments[1], resourceGroup: segments[3]))
        case "resourcegroups" where rest.count > 4:
            self.init(
                below: ResourceID(subscription: segments[1], resourceGroup: segments[3]), segments.dropFirst(4), isType)
        case "providers" where rest.count == 1: self = .providers(subscription)
        case "providers" where rest.count == 2: self = .provider(subscription, namespace: segments[3])
        case "providers" where rest.count == 3 && ["register", "unregister"].contains(rest[2]):
            self = .registration(subscription, namespace: segments[3], isRegistered: rest[2] == "register")
        case "providers" where rest.count == 6 && rest[2] == "locations" && rest[4].contains("operation"):
            self = .operation(id: segments[7], subscription: lowered[1])
        case "providers"
        where rest.count > 5 && rest[2] == "locations" && isType("\(rest[1])/locations/\(rest[4])"):
            self.init(below: subscription, segments.dropFirst(2), isType)
        case "providers" where rest[2] == "skus" || (rest[2] == "locations" && rest.count > 4):
            self = .catalog(subscription, namespace: rest[1], Array(rest.dropFirst(2)))
        case "providers": self.init(below: subscription, segments.dropFirst(2), isType)
        default: return nil
        }
    }

    /// - Parameter segments: `providers`, a namespace, types and names in turn, and so on.
    private init?(below scope: ResourceID, _ segments: ArraySlice<String>, _ isType: (String) -> Bool) {
        guard let (parts, left) = ResourceID.parts(of: segments) else { return nil }
        let id = ResourceID(subscription: scope.subscription, resourceGroup: scope.resourceGroup, parts: parts)
        switch left.count {
        case 0: self = .resource(id)
        case 2: self = .collection(scope: id, type: left.joined(separator: "/"))
        default:
            guard segments.count > 2, let last = parts.last, let name = left.first else { return nil }
            let type = ([last.namespace] + last.types + [name]).joined(separator: "/")
            self = isType(type) ? .collection(scope: id, type: type) : .action(id, name: name)
        }
    }
}
