internal import SalvorJSON

/// Virtual networks. Their subnets are resources of their own, which the network shows.
struct VirtualNetworks: NetworkKind {
    let type = "Microsoft.Network/virtualNetworks"

    func fill(_ record: inout Record, _ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) {
        guard record.body[path: "properties.addressSpace.addressPrefixes"]?.array?.isEmpty == false else {
            throw .requiredParameter("addressSpace.addressPrefixes")
        }
        let wanted = record.body[path: "properties.subnets"]?.array
        record.body[path: "properties.subnets"] = nil
        // A PUT without subnets takes them all away, as long as nothing uses them.
        let names = Set((wanted ?? []).compactMap { $0[member: "name"]?.string?.lowercased() })
        for subnet in state.list("\(type)/subnets", in: record.id) where !names.contains(subnet.id.name.lowercased()) {
            try Subnets().checkUnused(subnet, in: state)
            state.remove(subnet.id)
        }
        for subnet in wanted ?? [] {
            guard let name = subnet[member: "name"]?.string else { throw .requiredParameter("subnet.name") }
            let id = record.id.child("subnets", name)
            var made = state[id] ?? Record(id: id, body: [:])
            made.body = ["properties": subnet[member: "properties"] ?? [:]]
            made.provisioningState = "Succeeded"
            state.put(made)
        }
    }

    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError) {
        for subnet in state.list("\(type)/subnets", in: record.id) { try Subnets().checkUnused(subnet, in: state) }
    }

    func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion {
        if operation.verb == "delete" {
            for subnet in state.list("\(type)/subnets", in: operation.target) { state.remove(subnet.id) }
            state.remove(operation.target)
            return .done(nil)
        }
        guard var record = state[operation.target] else { throw .resourceNotFound(operation.target) }
        record.provisioningState = "Succeeded"
        state.put(record)
        return .done(nil)
    }

    func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue {
        var json = record.json
        json[path: "etag"] = .string(record.etag)
        json[path: "properties.subnets"] = .array(state.list("\(type)/subnets", in: record.id).map(\.json))
        return json
    }
}

/// Subnets of a virtual network.
struct Subnets: NetworkKind {
    let type = "Microsoft.Network/virtualNetworks/subnets"

    func fill(_ record: inout Record, _ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) {
        let network = ResourceID(
            subscription: record.id.subscription, resourceGroup: record.id.resourceGroup,
            namespace: record.id.namespace,
            types: Array(record.id.types.dropLast()), names: Array(record.id.names.dropLast()))
        _ = try state.require(network)
        let properties = record.body[path: "properties"] ?? [:]
        guard properties[member: "addressPrefix"] != nil || properties[member: "addressPrefixes"] != nil else {
            throw .requiredParameter("addressPrefix")
        }
    }

    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError) {
        let users = NetworkInterfaces.all(in: state, of: record.id).filter { interface in
            NetworkInterfaces.configurations(interface).contains {
                $0[path: "properties.subnet.id"]?.string?.lowercased() == record.id.key
            }
        }
        guard let user = users.first else { return }
        throw ARMError(
            400, "InUseSubnetCannotBeDeleted",
            "Subnet \(record.id.name) is in use by \(user.id) and cannot be deleted. In order to delete the subnet, delete all "
                + "the resources within the subnet.")
    }
}
