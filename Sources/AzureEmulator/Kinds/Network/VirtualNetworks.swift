internal import SalvorJSON

/// Virtual networks. Their subnets are resources of their own, which the network shows.
struct VirtualNetworks: NetworkKind {
    let type = "Microsoft.Network/virtualNetworks"

    func fill(
        _ record: inout Record, known: Record?, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) {
        let space = try Self.space(of: record)
        guard !space.isEmpty else { throw .missingValue("addressSpace.addressPrefixes", of: record.id) }
        for (index, prefix) in space.enumerated() where space[..<index].contains(where: prefix.overlaps) {
            throw ARMError(
                400, "NetcfgInvalidVirtualNetworkSite",
                "The address prefix \(prefix) of virtual network '\(record.id.name)' overlaps with another of its prefixes."
            )
        }
        let wanted = record.body[path: "properties.subnets"]?.array
        if record.body["properties"]?["subnets"] != nil { record.body[path: "properties.subnets"] = nil }
        if record.body[path: "properties.virtualNetworkPeerings"] == nil {
            record.body[path: "properties.virtualNetworkPeerings"] = []
        }
        if record.body[path: "properties.enableDdosProtection"] == nil {
            record.body[path: "properties.enableDdosProtection"] = false
        }
        var names: Set<String> = []
        for subnet in wanted ?? [] {
            guard let name = subnet[member: "name"]?.string else {
                throw .missingValue("subnets.name", of: record.id)
            }
            guard names.insert(name.lowercased()).inserted else {
                throw ARMError(
                    400, "DuplicateResourceName",
                    "Resource \(record.id) has two child resources with the same name (\(printable(name))).")
            }
        }
        // A PUT without subnets takes them all away, as long as nothing uses them.
        for subnet in state.children(of: record.id, "subnets") where !names.contains(subnet.id.name.lowercased()) {
            try Subnets().checkUnused(subnet, in: state)
            state.removeTree(subnet.id)
        }
        // The subnets look their network up.
        state.put(record)
        try writeSubnets(wanted ?? [], of: record, in: &state)
    }

    private func writeSubnets(
        _ wanted: [JSONValue], of record: Record, in state: inout EmulatorState
    ) throws(ARMError) {
        var made: [Record] = []
        for subnet in wanted {
            let id = record.id.child("subnets", subnet[member: "name"]?.string ?? "")
            try ResourceName.check(id.name, of: "subnet name", longest: 80, lastMayNotBe: ".-")
            let known = state[id]
            var child = known ?? Record(id: id, body: [:])
            child.body = ["properties": subnet[member: "properties"] ?? [:]]
            try Subnets().complete(&child, known: known, in: state)
            try Subnets().checkInside(record, child)
            child.provisioningState = "Succeeded"
            made.append(child)
        }
        // Only now, for two may have changed places.
        for subnet in made { state.put(subnet) }
        for subnet in made { try Subnets().checkFree(in: record, subnet, in: state) }
    }

    static func space(of network: Record) throws(ARMError) -> [IPv4Prefix] {
        var space: [IPv4Prefix] = []
        for prefix in network.body[path: "properties.addressSpace.addressPrefixes"]?.array ?? [] {
            space.append(try IPv4Prefix(prefix.string ?? "", of: network.id))
        }
        return space
    }

    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError) {
        for subnet in state.children(of: record.id, "subnets") { try Subnets().checkUnused(subnet, in: state) }
    }

    func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue {
        var json = record.json
        json[path: "etag"] = .string(record.etag)
        json[path: "properties.subnets"] = .array(
            state.children(of: record.id, "subnets").map { Subnets().view($0, call, in: state) })
        return json
    }

    func read(
        _ child: String, _ record: Record, _ call: ResourceCall, in state: EmulatorState
    ) throws(ARMError) -> JSONValue? {
        switch child.lowercased() {
        case "checkipaddressavailability": try availability(of: call.query["ipaddress"], record, in: state)
        case "usages": usages(record, in: state)
        case "virtualnetworkpeerings": ["value": []]
        default: nil
        }
    }

    /// Whether a private address is free.
    private func availability(
        of text: String?, _ record: Record, in state: EmulatorState
    ) throws(ARMError) -> JSONValue {
        guard let address = text.flatMap({ IPv4Address($0) }) else {
            throw ARMError(
                400, "InvalidIPAddress", "The IP address '\(printable(text ?? ""))' is not a valid IPv4 address.")
        }
        for subnet in state.children(of: record.id, "subnets") {
            for prefix in Subnets.prefixes(of: subnet) where prefix.contains(address) {
                let pool = AddressPool(id: subnet.id)
                guard let usable = prefix.usable else { continue }
                if usable.contains(address.value), pool.holder(of: address, in: state) == nil {
                    return ["available": true, "availableIPAddresses": []]
                }
                let taken = Set(pool.taken(in: state).map(\.value))
                let free = usable.lazy.filter { !taken.contains($0) }.prefix(5)
                return [
                    "available": false,
                    "availableIPAddresses": .array(free.map { .string(IPv4Address(value: $0).description) }),
                ]
            }
        }
        return ["available": false, "availableIPAddresses": []]
    }

    private func usages(_ record: Record, in state: EmulatorState) -> JSONValue {
        [
            "value": .array(
                state.children(of: record.id, "subnets").map { subnet in
                    let size = Subnets.prefixes(of: subnet).reduce(0) { $0 + ($1.usable?.count ?? 0) }
                    return [
                        "id": .string(subnet.id.description), "unit": "Count",
                        "currentValue": .integer(Int64(AddressPool(id: subnet.id).taken(in: state).count)),
                        "limit": .integer(Int64(size)),
                        "name": ["value": "SubnetSpace", "localizedValue": "Subnet size and usage"],
                    ]
                })
        ]
    }
}
