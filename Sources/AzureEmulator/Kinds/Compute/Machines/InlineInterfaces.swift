internal import SalvorJSON

/// Network interfaces that a machine's own request makes: `networkProfile.networkInterfaceConfigurations`.
struct InlineInterfaces {
    private static let path = "properties.networkProfile.networkInterfaceConfigurations"
    /// What a configuration says that the interface then has; the rest is the machine's.
    private static let settings = [
        "enableAcceleratedNetworking", "enableIPForwarding", "networkSecurityGroup", "dnsSettings",
        "disableTcpStateTracking",
    ]
    private let call: ResourceCall

    init(_ call: ResourceCall) { self.call = call }

    /// Makes the interfaces, and names them in the machine's body in place of their configurations.
    func prepare(_ record: inout Record, in state: inout EmulatorState) throws(ARMError) {
        guard let configurations = record.body[path: Self.path]?.array, !configurations.isEmpty else { return }
        guard NetworkProfile.interfaceIDs(record.body).isEmpty else {
            throw .invalidParameter(
                "networkProfile",
                "The parameters 'networkInterfaces' and 'networkInterfaceConfigurations' cannot be given together.")
        }
        guard record.body[path: "properties.networkProfile.networkApiVersion"]?.string != nil else {
            throw .requiredParameter("networkProfile.networkApiVersion")
        }
        var interfaces: [JSONValue] = []
        var made: [String: JSONValue] = [:]
        for configuration in configurations {
            guard let name = configuration[member: "name"]?.string, made[name.lowercased()] == nil else {
                throw .requiredParameter("networkProfile.networkInterfaceConfigurations.name")
            }
            let properties = configuration[member: "properties"] ?? [:]
            let id = try make(name, properties, for: record, in: &state)
            var interface: JSONValue = ["id": .string(id.description)]
            for member in ["primary", "deleteOption"] {
                interface[path: "properties.\(member)"] = properties[member: member]
            }
            if configurations.count == 1 { interface[path: "properties.primary"] = true }
            interfaces.append(interface)
            made[name.lowercased()] = .string(id.description)
        }
        record.body[path: "properties.networkProfile"] = ["networkInterfaces": .array(interfaces)]
        record.hidden[path: "inlineInterfaces"] = .object(made)
    }

    private func make(
        _ name: String, _ properties: JSONValue, for machine: Record, in state: inout EmulatorState
    ) throws(ARMError) -> ResourceID {
        // The configuration's name is not the interface's: Azure adds digits to it.
        let suffix = String(call.makeID().filter { $0.isHexDigit }.suffix(8)).lowercased()
        let id = machine.id.beside("Microsoft.Network", "networkInterfaces", "\(name)-\(suffix)")
        var body: JSONValue = [:]
        body[path: "location"] = machine.body["location"]
        body[path: "tags"] = machine.body["tags"]
        for setting in Self.settings { body[path: "properties.\(setting)"] = properties[member: setting] }
        var addresses: [JSONValue] = []
        for address in properties[member: "ipConfigurations"]?.array ?? [] {
            guard address[member: "properties"]?[member: "publicIPAddressConfiguration"] ?? .null == .null else {
                throw ARMError(
                    400, "FeatureNotSupported", "This emulator makes no public address with a machine.",
                    target: "publicIPAddressConfiguration")
            }
            addresses.append(address)
        }
        body[path: "properties.ipConfigurations"] = .array(addresses)
        _ = try NetworkInterfaces().put(
            ResourceCall(id: id, body: body, query: [:], surroundings: call.surroundings), in: &state)
        return id
    }

    /// A repeated request for a machine says again what its interfaces were made of, and they are those that it has.
    /// - Throws: `PropertyChangeNotAllowed` for others.
    static func withoutKnown(_ wanted: JSONValue, of known: Record) throws(ARMError) -> JSONValue {
        guard let configurations = wanted[path: path]?.array, !configurations.isEmpty else { return wanted }
        let names = Set(configurations.compactMap { $0[member: "name"]?.string?.lowercased() })
        guard names == Set((known.hidden["inlineInterfaces"]?.object ?? [:]).keys) else {
            throw .changed("networkProfile.networkInterfaceConfigurations")
        }
        var wanted = wanted
        wanted[path: "properties.networkProfile"] = nil
        return wanted
    }
}
