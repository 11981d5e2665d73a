internal import SalvorJSON

/// One IP configuration of a network interface: its private address, and the public one that leads to it.
struct InterfaceConfiguration {
    let id: String
    var body: JSONValue
    let owner: Record

    /// Takes the addresses that it asks for.
    /// - Parameter old: what the configuration was before; its addresses are free again.
    mutating func fill(old: JSONValue?, in state: inout EmulatorState) throws(ARMError) {
        try body.spell("properties.privateIPAllocationMethod", ["Static", "Dynamic"], of: owner.id)
        try body.spell("properties.privateIPAddressVersion", ["IPv4", "IPv6"], of: owner.id)
        if body[path: "properties.privateIPAddressVersion"]?.string == "IPv6" {
            throw ARMError(
                400, "FeatureNotSupported", "IPv6 is not supported by this emulator.", target: "privateIPAddressVersion"
            )
        }
        if body[path: "properties.privateIPAllocationMethod"] == nil {
            body[path: "properties.privateIPAllocationMethod"] = "Dynamic"
        }
        body[path: "properties.privateIPAddressVersion"] = "IPv4"
        guard let text = body[path: "properties.subnet.id"]?.string else {
            throw .missingValue("ipConfigurations.subnet", of: owner.id)
        }
        guard let subnetID = ResourceID(text), let subnet = state[subnetID],
            subnet.id.type.lowercased() == "microsoft.network/virtualnetworks/subnets",
            state.location(of: subnet.id) == owner.body["location"]?.string
        else { throw .missingReference(text, by: owner.id) }
        body[path: "properties.subnet"] = ["id": .string(subnet.id.description)]
        let address = try take(in: subnet, old: old, &state)
        body[path: "properties.privateIPAddress"] = .string(address.description)
        try associate(in: &state)
        body[path: "properties.provisioningState"] = "Succeeded"
        body[path: "id"] = .string(id)
        for name in ["etag", "type"] { body[path: name] = nil }
    }

    private func take(
        in subnet: Record, old: JSONValue?, _ state: inout EmulatorState
    ) throws(ARMError) -> IPv4Address {
        let pool = AddressPool(id: subnet.id)
        let prefixes = Subnets.prefixes(of: subnet)
        if body[path: "properties.privateIPAllocationMethod"]?.string == "Static" {
            let address = try wanted(in: prefixes)
            if let holder = pool.holder(of: address, in: state) {
                throw ARMError(
                    400, "PrivateIPAddressInUse",
                    "IP address \(address) is already allocated to resource \(holder).")
            }
            pool.take(address, for: id, in: &state)
            return address
        }
        // A dynamic address stays the same as long as it can.
        if old?[path: "properties.subnet.id"]?.string?.lowercased() == subnet.id.key,
            let address = old?[path: "properties.privateIPAddress"]?.string.flatMap({ IPv4Address($0) }),
            prefixes.contains(where: { $0.contains(address) }), pool.holder(of: address, in: state) == nil
        {
            pool.take(address, for: id, in: &state)
            return address
        }
        for prefix in prefixes {
            if let range = prefix.usable, let address = pool.takeLowest(of: range, for: id, in: &state) {
                return address
            }
        }
        throw ARMError(
            400, "SubnetIsFull",
            "Subnet \(subnet.id.name) with address prefix \(prefixes.map(\.description).joined(separator: ", ")) does not have "
                + "enough capacity for 1 IP addresses.")
    }

    private func wanted(in prefixes: [IPv4Prefix]) throws(ARMError) -> IPv4Address {
        guard let text = body[path: "properties.privateIPAddress"]?.string else {
            throw ARMError(
                400, "PrivateIPAddressNotSpecified",
                "Private static IP address is not specified for IP configuration \(id).")
        }
        guard let address = IPv4Address(text) else {
            throw ARMError(400, "InvalidIPAddress", "The IP address '\(printable(text))' of \(id) is not valid.")
        }
        let names = prefixes.map(\.description).joined(separator: ", ")
        guard let prefix = prefixes.first(where: { $0.contains(address) }) else {
            throw ARMError(
                400, "PrivateIPAddressNotInSubnet",
                "Private static IP address \(address) does not belong to the range of subnet prefix \(names).")
        }
        guard prefix.usable?.contains(address.value) == true else {
            throw ARMError(
                400, "PrivateIPAddressInReservedRange",
                "Private static IP address \(address) falls within reserved IP range of subnet prefix \(names).")
        }
        return address
    }

    /// Makes the public address lead here.
    private mutating func associate(in state: inout EmulatorState) throws(ARMError) {
        guard let text = body[path: "properties.publicIPAddress.id"]?.string else { return }
        guard let id = ResourceID(text), var address = state[id],
            id.type.lowercased() == "microsoft.network/publicipaddresses",
            address.body["location"] == owner.body["location"]
        else { throw .missingReference(text, by: owner.id) }
        if let other = address.body[path: "properties.ipConfiguration.id"]?.string,
            other.lowercased() != self.id.lowercased()
        {
            throw ARMError(
                400, "PublicIPAddressInUse",
                "Resource \(self.id) is referencing public IP address \(address.id) that is already allocated to resource "
                    + "\(other).")
        }
        address.body[path: "properties.ipConfiguration"] = ["id": .string(self.id)]
        state.put(address)
        var shown: JSONValue = ["id": .string(address.id.description)]
        shown[path: "properties.deleteOption"] = body[path: "properties.publicIPAddress.properties.deleteOption"]
        body[path: "properties.publicIPAddress"] = shown
    }

    /// Gives its addresses back.
    func release(in state: inout EmulatorState) {
        if let subnet = body[path: "properties.subnet.id"]?.string.flatMap({ ResourceID($0) }),
            let address = body[path: "properties.privateIPAddress"]?.string.flatMap({ IPv4Address($0) })
        {
            AddressPool(id: subnet).release(address, in: &state)
        }
        guard let publicID = body[path: "properties.publicIPAddress.id"]?.string.flatMap({ ResourceID($0) }),
            var address = state[publicID],
            address.body[path: "properties.ipConfiguration.id"]?.string?.lowercased() == id.lowercased()
        else { return }
        address.body[path: "properties.ipConfiguration"] = nil
        state.put(address)
    }
}
