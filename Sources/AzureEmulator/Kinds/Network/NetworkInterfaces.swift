internal import SalvorJSON

/// Network interfaces: what a machine has in a subnet.
struct NetworkInterfaces: NetworkKind {
    let type = "Microsoft.Network/networkInterfaces"

    func fill(
        _ record: inout Record, known: Record?, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) {
        let configurations = try Self.named(record)
        if let known { releaseAddresses(of: known, in: &state) }
        var filled: [JSONValue] = []
        for (index, configuration) in configurations.enumerated() {
            let id = "\(record.id)/ipConfigurations/\(configuration["name"]?.string ?? "")"
            let old = known.flatMap { Self.configuration(id, of: $0) }
            var wanted = InterfaceConfiguration(id: id, body: configuration, owner: record)
            try wanted.fill(old: old, in: &state)
            let isPrimary =
                configurations.firstIndex { $0[path: "properties.primary"]?.bool == true } ?? 0 == index
            wanted.body[path: "properties.primary"] = .bool(isPrimary)
            filled.append(wanted.body)
        }
        try checkOneNetwork(filled, of: record)
        record.body[path: "properties.ipConfigurations"] = .array(filled)
        if let group = record.body[path: "properties.networkSecurityGroup.id"]?.string {
            guard let id = ResourceID(group), let found = state[id], found.body["location"] == record.body["location"]
            else { throw .missingReference(group, by: record.id) }
            record.body[path: "properties.networkSecurityGroup"] = ["id": .string(id.description)]
        }
        for name in ["enableAcceleratedNetworking", "enableIPForwarding"]
        where record.body[path: "properties.\(name)"] == nil {
            record.body[path: "properties.\(name)"] = false
        }
        if record.body[path: "properties.dnsSettings.dnsServers"] == nil {
            record.body[path: "properties.dnsSettings.dnsServers"] = []
        }
        record.body[path: "properties.dnsSettings.appliedDnsServers"] =
            record.body[path: "properties.dnsSettings.dnsServers"]
        record.body[path: "properties.nicType"] = "Standard"
        for name in ["virtualMachine", "macAddress", "primary"] {
            record.body[path: "properties.\(name)"] = known?.body["properties"]?[name]
        }
    }

    /// The configurations that a body asks for, each with a name of its own.
    private static func named(_ record: Record) throws(ARMError) -> [JSONValue] {
        let configurations = self.configurations(record)
        guard !configurations.isEmpty else { throw .missingValue("ipConfigurations", of: record.id) }
        var names: Set<String> = []
        var result: [JSONValue] = []
        for var configuration in configurations {
            guard let name = configuration[member: "name"]?.string else {
                throw .missingValue("ipConfigurations.name", of: record.id)
            }
            guard names.insert(name.lowercased()).inserted else {
                throw ARMError(
                    400, "DuplicateResourceName",
                    "Resource \(record.id) has two child resources with the same name (\(printable(name))).")
            }
            configuration[path: "name"] = .string(name)
            result.append(configuration)
        }
        return result
    }

    private func checkOneNetwork(_ configurations: [JSONValue], of record: Record) throws(ARMError) {
        let subnets = configurations.compactMap { $0[path: "properties.subnet.id"]?.string.flatMap { ResourceID($0) } }
        guard let first = subnets.first, let other = subnets.first(where: { $0.parent != first.parent }) else { return }
        throw ARMError(
            400, "SubnetsNotInSameVnet",
            "Subnets \(first) and \(other) referenced by resource \(record.id) are not in the same Virtual Network.")
    }

    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError) {
        guard let machine = record.body[path: "properties.virtualMachine.id"]?.string else { return }
        throw ARMError(
            400, "NicInUse",
            "Network Interface \(record.id) is used by existing resource \(machine). In order to delete the network interface, "
                + "it must be dissociated from the resource. To learn more, see aka.ms/deletenic.")
    }

    func release(_ record: Record, in state: inout EmulatorState) { releaseAddresses(of: record, in: &state) }

    private func releaseAddresses(of record: Record, in state: inout EmulatorState) {
        for configuration in Self.configurations(record) {
            InterfaceConfiguration(
                id: configuration["id"]?.string ?? "", body: configuration, owner: record
            ).release(in: &state)
        }
    }

    func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue {
        var json = record.json
        let etag = JSONValue.string(record.etag)
        json[path: "etag"] = etag
        json[path: "properties.ipConfigurations"] = .array(
            Self.configurations(record).map { configuration in
                var configuration = configuration
                configuration[path: "etag"] = etag
                configuration[path: "type"] = "Microsoft.Network/networkInterfaces/ipConfigurations"
                return configuration
            })
        guard let machine = record.body[path: "properties.virtualMachine.id"]?.string else { return json }
        json[path: "properties.primary"] = .bool(Self.isFirst(record.id, of: machine, in: state))
        // A machine that never ran has no such address.
        json[path: "properties.macAddress"] = .string(Self.hardwareAddress(of: record.id))
        return json
    }

    /// `00-0D-3A-12-34-56`: one address is as good as another, as long as it stays.
    static func hardwareAddress(of id: ResourceID) -> String {
        let hash = id.key.utf8.reduce(UInt64(5381)) { ($0 &* 33) ^ UInt64($1) }
        let hex = String(hash % 0x1000000, radix: 16, uppercase: true)
        let digits = Array(String(repeating: "0", count: 6 - hex.count) + hex)
        return "00-0D-3A-" + stride(from: 0, to: 6, by: 2).map { String(digits[$0...$0 + 1]) }.joined(separator: "-")
    }

    /// Whether it is the machine's primary interface.
    private static func isFirst(_ id: ResourceID, of machine: String, in state: EmulatorState) -> Bool {
        let interfaces =
            ResourceID(machine).flatMap { state[$0] }?.body[path: "properties.networkProfile.networkInterfaces"]?.array
            ?? []
        let primary = interfaces.first { $0[path: "properties.primary"]?.bool == true } ?? interfaces.first
        return primary?[member: "id"]?.string?.lowercased() == id.key
    }

    static func configurations(_ record: Record) -> [JSONValue] {
        record.body[path: "properties.ipConfigurations"]?.array ?? []
    }

    private static func configuration(_ id: String, of record: Record) -> JSONValue? {
        configurations(record).first { $0["id"]?.string?.lowercased() == id.lowercased() }
    }

    /// All interfaces of the subscription that `id` is in.
    static func all(in state: EmulatorState, of id: ResourceID) -> [Record] {
        state.list("Microsoft.Network/networkInterfaces", in: ResourceID(subscription: id.subscription))
    }
}
