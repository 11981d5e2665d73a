internal import SalvorJSON

/// Functions of the template language that tell where a template is deployed, and what is there.
extension TemplateCall {
    func place(in scope: TemplateScope) throws(ARMError) -> JSONValue? {
        let place = scope.place
        let subscription = place.scope.subscription
        switch name.lowercased() {
        case "resourcegroup":
            guard let group = place.scope.group else {
                throw .invalidTemplate(
                    "the template function 'RESOURCEGROUP' is not expected at this location: a deployment into a subscription "
                        + "has no resource group")
            }
            return [
                "id": .string(group.description), "name": .string(group.name),
                "type": "Microsoft.Resources/resourceGroups", "location": .string(place.location), "tags": place.tags,
                "properties": ["provisioningState": "Succeeded"],
            ]
        case "subscription":
            return [
                "id": .string("/subscriptions/\(subscription)"), "subscriptionId": .string(subscription),
                "tenantId": .string(place.tenant), "displayName": "Emulated",
            ]
        case "tenant": return ["tenantId": .string(place.tenant), "displayName": "Emulated", "countryCode": "US"]
        case "deployment":
            var json: JSONValue = [
                "name": .string(place.deployment),
                "properties": ["mode": "Incremental", "provisioningState": "Accepted", "template": scope.template],
            ]
            if place.scope.group == nil { json[path: "location"] = .string(place.location) }
            return json
        case "environment":
            return [
                "name": "SalvorEmulator",
                "suffixes": ["storage": "storage.localhost", "keyvaultDns": ".vault.localhost"],
            ]
        case "resourceid":
            return .string(try resourceID(in: place.scope).description)
        case "subscriptionresourceid":
            return .string(try resourceID(in: ResourceID(subscription: subscription)).description)
        case "tenantresourceid":
            let (type, names) = try typeAndNames(arguments[...])
            return .string("/providers/" + Self.path(type, names))
        case "extensionresourceid":
            let (type, names) = try typeAndNames(arguments.dropFirst())
            return .string("\(try text(0))/providers/" + Self.path(type, names))
        case "reference": return try reference(in: scope)
        case "utcnow", "newguid":
            guard scope.isDefault else {
                throw .invalidTemplate("'\(name)' is only allowed in the default value of a parameter")
            }
            return .string(name.lowercased() == "newguid" ? place.makeID() : place.now.seconds)
        case "cidrsubnet": return .string(try subnet(of: place.scope))
        case "cidrhost":
            let prefix = try IPv4Prefix(try text(0), of: place.scope)
            let host = try integer(1)
            guard (0..<Int64(1) << (32 - Int64(prefix.length))).contains(host + 1) else { throw failure }
            return .string(IPv4Address(value: prefix.first.value + UInt32(host + 1)).description)
        default: return nil
        }
    }

    /// `([subscription], [group], type, name…)`.
    private func resourceID(in scope: ResourceID) throws(ARMError) -> ResourceID {
        guard let start = arguments.firstIndex(where: { $0.string?.contains("/") == true }), start <= 2 else {
            throw failure
        }
        let (type, names) = try typeAndNames(arguments[start...])
        var subscription = scope.subscription
        var group = scope.resourceGroup
        switch (start, group == nil) {
        case (0, _): break
        // Of one name before the type its form says what it is.
        case (1, true) where Self.isSubscription(try text(0)): subscription = try text(0)
        case (1, _): group = try text(0)
        case (2, _):
            subscription = try text(0)
            group = try text(1)
        default: throw failure
        }
        guard let namespace = type.first else { throw failure }
        return ResourceID(
            subscription: subscription, resourceGroup: group, namespace: namespace, types: Array(type.dropFirst()),
            names: names)
    }

    /// Whether it is a UUID, as ids of subscriptions are.
    private static func isSubscription(_ text: String) -> Bool {
        text.split(separator: "-", omittingEmptySubsequences: false).map(\.count) == [8, 4, 4, 4, 12]
            && text.allSatisfy { $0.isHexDigit || $0 == "-" }
    }

    private func typeAndNames(_ arguments: ArraySlice<JSONValue>) throws(ARMError) -> ([String], [String]) {
        let texts = arguments.compactMap(\.string)
        let type = (texts.first ?? "").split(separator: "/").map(String.init)
        guard texts.count == arguments.count, type.count >= 2, texts.dropFirst().allSatisfy({ !$0.isEmpty }) else {
            throw failure
        }
        guard texts.count == type.count else {
            throw .invalidTemplate(
                "unable to evaluate template language function '\(name)': the type '\(printable(texts.first ?? ""))' requires "
                    + "'\(type.count - 1)' resource name argument(s)")
        }
        return (type, Array(texts.dropFirst()))
    }

    private static func path(_ type: [String], _ names: [String]) -> String {
        (type.prefix(1) + zip(type.dropFirst(), names).flatMap { [$0, $1] }).joined(separator: "/")
    }

    private func reference(in scope: TemplateScope) throws(ARMError) -> JSONValue {
        guard let lookup = scope.lookup else { throw TemplateScope.late }
        let isFull = arguments.count > 2 && arguments[2].string?.lowercased() == "full"
        return try lookup(try target(in: scope), isFull)
    }

    /// What a `reference` names: by id, by symbolic name, or by the name of a resource in the template.
    func target(in scope: TemplateScope) throws(ARMError) -> ResourceID {
        let text = try text(0)
        if let id = ResourceID(text) ?? scope.symbols[text.lowercased()] { return id }
        throw ARMError(
            400, "InvalidTemplate",
            "Unable to process template language expressions: the resource '\(printable(text))' that is referenced is not "
                + "defined in the template.")
    }

    private func subnet(of id: ResourceID) throws(ARMError) -> String {
        let prefix = try IPv4Prefix(try text(0), of: id)
        let (length, index) = (try integer(1), try integer(2))
        guard (Int64(prefix.length)...32).contains(length),
            (0..<Int64(1) << (length - Int64(prefix.length))).contains(index)
        else { throw failure }
        return "\(IPv4Address(value: prefix.first.value + UInt32(index << (32 - length))))/\(length)"
    }
}
