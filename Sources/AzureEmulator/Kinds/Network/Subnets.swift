internal import SalvorJSON

/// Subnets of a virtual network: what interfaces get their addresses from.
struct Subnets: NetworkKind {
    let type = "Microsoft.Network/virtualNetworks/subnets"

    func fill(
        _ record: inout Record, known: Record?, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) {
        record.body = ["properties": record.body[member: "properties"] ?? [:]]
        try complete(&record, known: known, in: state)
        guard let network = record.id.parent.flatMap({ state[$0] }) else { return }
        try checkInside(network, record)
        try checkFree(in: network, record, in: state)
        // A network's ETag changes with its subnets.
        state.put(network)
    }

    /// Adds what Azure adds, and checks what a subnet says by itself.
    func complete(_ record: inout Record, known: Record?, in state: EmulatorState) throws(ARMError) {
        let properties = record.body[path: "properties"] ?? [:]
        let texts =
            properties[member: "addressPrefix"].map { [$0] } ?? properties[member: "addressPrefixes"]?.array ?? []
        guard !texts.isEmpty else { throw .missingValue("addressPrefix", of: record.id) }
        var prefixes: [IPv4Prefix] = []
        for text in texts { prefixes.append(try IPv4Prefix(text.string ?? "", of: record.id)) }
        for prefix in prefixes where prefix.length > 29 {
            throw ARMError(
                400, "NetcfgSubnetRangeTooSmall",
                "Subnet '\(record.id.name)' is not valid because its prefix \(prefix) is smaller than the smallest that is "
                    + "supported, a /29.")
        }
        let stranded = AddressPool(id: record.id).taken(in: state).first { address in
            !prefixes.contains { $0.contains(address) }
        }
        if let stranded {
            let old = Self.prefixes(of: known).first { $0.contains(stranded) }?.description ?? stranded.description
            throw ARMError(
                400, "InUsePrefixCannotBeDeleted",
                "IpPrefix \(old) on Subnet \(record.id.name) has active allocations and cannot be deleted.")
        }
        for name in ["networkSecurityGroup", "routeTable", "natGateway"] {
            guard let member = properties[member: name], let text = member[member: "id"]?.string else { continue }
            guard name == "networkSecurityGroup" else {
                throw ARMError(
                    400, "FeatureNotSupported", "A subnet's \(name) is not supported by this emulator.", target: name)
            }
            guard let id = ResourceID(text), state[id] != nil,
                state.location(of: id) == record.id.parent.flatMap({ state.location(of: $0) })
            else { throw .missingReference(text, by: record.id) }
            record.body[path: "properties.\(name)"] = ["id": .string(id.description)]
        }
        for name in ["ipConfigurations", "privateEndpoints"] where properties[name] != nil {
            record.body[path: "properties.\(name)"] = nil
        }
        if properties["delegations"] == nil { record.body[path: "properties.delegations"] = [] }
        if properties["privateEndpointNetworkPolicies"] == nil {
            record.body[path: "properties.privateEndpointNetworkPolicies"] = "Disabled"
        }
        if properties["privateLinkServiceNetworkPolicies"] == nil {
            record.body[path: "properties.privateLinkServiceNetworkPolicies"] = "Enabled"
        }
    }

    /// - Throws: for a subnet that lies outside of its network.
    func checkInside(_ network: Record, _ record: Record) throws(ARMError) {
        let space = try VirtualNetworks.space(of: network)
        let prefixes = Self.prefixes(of: record)
        guard prefixes.allSatisfy({ prefix in space.contains { $0.contains(prefix) } }) else {
            throw ARMError(
                400, "NetcfgSubnetRangeOutsideVnet",
                "Subnet '\(record.id.name)' is not valid because its IP address range is outside the IP address range of "
                    + "virtual network '\(network.id.name)'.")
        }
    }

    /// - Throws: for a subnet that lies over another one of its network.
    func checkFree(in network: Record, _ record: Record, in state: EmulatorState) throws(ARMError) {
        let prefixes = Self.prefixes(of: record)
        let others = state.children(of: network.id, "subnets").filter { $0.id != record.id }.flatMap(Self.prefixes)
        guard !prefixes.contains(where: { prefix in others.contains(where: prefix.overlaps) }) else {
            throw ARMError(
                400, "NetcfgSubnetRangesOverlap",
                "Subnet '\(record.id.name)' is not valid because its IP address range overlaps with that of an existing subnet "
                    + "in virtual network '\(network.id.name)'.")
        }
    }

    static func prefixes(of subnet: Record?) -> [IPv4Prefix] {
        let properties = subnet?.body["properties"] ?? [:]
        let texts =
            properties[member: "addressPrefix"].map { [$0] } ?? properties[member: "addressPrefixes"]?.array ?? []
        return texts.compactMap { $0.string.flatMap(IPv4Prefix.init(known:)) }
    }

    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError) {
        guard let user = AddressPool(id: record.id).holders(in: state).first else { return }
        throw ARMError(
            400, "InUseSubnetCannotBeDeleted",
            "Subnet \(record.id.name) is in use by \(user) and cannot be deleted. In order to delete the subnet, delete all the "
                + "resources within the subnet. See aka.ms/deletesubnet.")
    }

    func release(_ record: Record, in state: inout EmulatorState) {
        if let network = record.id.parent.flatMap({ state[$0] }) { state.put(network) }
    }

    func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue {
        var json = record.json
        json[path: "etag"] = .string(record.etag)
        let holders = AddressPool(id: record.id).holders(in: state)
        if !holders.isEmpty {
            json[path: "properties.ipConfigurations"] = .array(holders.map { ["id": .string($0)] })
        }
        return json
    }
}
