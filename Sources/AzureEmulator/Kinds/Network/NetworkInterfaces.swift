internal import SalvorJSON

/// Network interfaces: what a machine has in a subnet.
struct NetworkInterfaces: NetworkKind {
    let type = "Microsoft.Network/networkInterfaces"

    func fill(_ record: inout Record, _ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) {
        var configurations = Self.configurations(record)
        guard !configurations.isEmpty else { throw .requiredParameter("ipConfigurations") }
        for index in configurations.indices {
            guard let subnet = configurations[index][path: "properties.subnet.id"]?.string else {
                throw .requiredParameter("ipConfigurations.subnet")
            }
            guard let subnetID = ResourceID(subnet), state[subnetID] != nil else {
                throw .missingReference(subnet, by: record.id)
            }
            if let address = configurations[index][path: "properties.publicIPAddress.id"]?.string {
                guard let id = ResourceID(address), var owned = state[id] else {
                    throw .missingReference(address, by: record.id)
                }
                owned.body[path: "properties.ipConfiguration"] = [
                    "id": .string(
                        "\(record.id)/ipConfigurations/\(configurations[index][member: "name"]?.string ?? "")")
                ]
                state.put(owned)
            }
            let used = Self.all(in: state, of: record.id).count
            if configurations[index][path: "properties.privateIPAddress"] == nil {
                configurations[index][path: "properties.privateIPAddress"] = .string("10.0.0.\(4 + used % 250)")
            }
            if configurations[index][path: "properties.privateIPAllocationMethod"] == nil {
                configurations[index][path: "properties.privateIPAllocationMethod"] = "Dynamic"
            }
            configurations[index][path: "properties.provisioningState"] = "Succeeded"
            configurations[index][path: "properties.primary"] = .bool(index == 0)
            let name = configurations[index][member: "name"]?.string ?? "ipconfig\(index + 1)"
            configurations[index][path: "id"] = .string("\(record.id)/ipConfigurations/\(name)")
        }
        record.body[path: "properties.ipConfigurations"] = .array(configurations)
        if let group = record.body[path: "properties.networkSecurityGroup.id"]?.string {
            guard let id = ResourceID(group), state[id] != nil else { throw .missingReference(group, by: record.id) }
        }
        record.body[path: "properties.virtualMachine"] = state[record.id]?.body[path: "properties.virtualMachine"]
    }

    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError) {
        guard let machine = record.body[path: "properties.virtualMachine.id"]?.string else { return }
        throw ARMError(
            400, "NicInUse",
            "Network Interface \(record.id) is used by existing resource \(machine). In order to delete the network interface, "
                + "it must be dissociated from the resource.")
    }

    func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion {
        guard var record = state[operation.target] else { throw .resourceNotFound(operation.target) }
        if operation.verb == "delete" {
            for configuration in Self.configurations(record) {
                guard let id = configuration[path: "properties.publicIPAddress.id"]?.string.flatMap(ResourceID.init),
                    var address = state[id]
                else { continue }
                address.body[path: "properties.ipConfiguration"] = nil
                state.put(address)
            }
            state.remove(operation.target)
            return .done(nil)
        }
        record.provisioningState = "Succeeded"
        state.put(record)
        return .done(nil)
    }

    static func configurations(_ record: Record) -> [JSONValue] {
        record.body[path: "properties.ipConfigurations"]?.array ?? []
    }

    /// All interfaces of the subscription that `id` is in.
    static func all(in state: EmulatorState, of id: ResourceID) -> [Record] {
        state.list("Microsoft.Network/networkInterfaces", in: ResourceID(subscription: id.subscription))
    }
}
