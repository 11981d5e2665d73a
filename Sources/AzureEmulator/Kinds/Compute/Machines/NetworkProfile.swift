internal import SalvorJSON

/// The network interfaces of a machine as its body names them.
enum NetworkProfile {
    static func interfaceIDs(_ body: JSONValue) -> [String] {
        (body[path: "properties.networkProfile.networkInterfaces"]?.array ?? []).compactMap { $0[member: "id"]?.string }
    }

    /// That of the primary interface; nil for a machine that has none.
    static func hardwareAddress(of record: Record) -> String? {
        primaryInterface(of: record).map(NetworkInterfaces.hardwareAddress)
    }

    /// The primary one of the primary interface; nil for a machine that has none.
    static func privateAddress(of record: Record, in state: EmulatorState) -> String? {
        let interface = primaryInterface(of: record).flatMap { state[$0] }
        let configurations = interface?.body[path: "properties.ipConfigurations"]?.array ?? []
        let primary = configurations.first { $0[path: "properties.primary"]?.bool == true } ?? configurations.first
        return primary?[path: "properties.privateIPAddress"]?.string
    }

    private static func primaryInterface(of record: Record) -> ResourceID? {
        let interfaces = record.body[path: "properties.networkProfile.networkInterfaces"]?.array ?? []
        let primary = interfaces.first { $0[path: "properties.primary"]?.bool == true } ?? interfaces.first
        return (primary?[member: "id"]?.string).flatMap(ResourceID.init)
    }

    /// - Throws: for interfaces that are missing or another's.
    static func check(_ record: Record, in state: EmulatorState) throws(ARMError) {
        let interfaces = interfaceIDs(record.body)
        guard !interfaces.isEmpty else { throw .requiredParameter("networkProfile") }
        for text in interfaces {
            guard let id = ResourceID(text), let interface = state[id] else {
                throw .missingReference(text, by: record.id)
            }
            if let owner = interface.body[path: "properties.virtualMachine.id"]?.string,
                owner.lowercased() != record.id.key
            {
                throw ARMError(
                    400, "NicInUse", "Network Interface \(id) is used by existing resource \(owner).")
            }
        }
    }

    /// Makes the interfaces the machine's own.
    static func take(_ record: Record, in state: inout EmulatorState) {
        for text in interfaceIDs(record.body) {
            guard let id = ResourceID(text), var interface = state[id] else { continue }
            interface.body[path: "properties.virtualMachine"] = ["id": .string(record.id.description)]
            state.put(interface)
        }
    }

    static func release(_ record: Record, in state: inout EmulatorState) {
        for text in interfaceIDs(record.body) {
            guard let id = ResourceID(text), var interface = state[id] else { continue }
            interface.body[path: "properties.virtualMachine"] = nil
            state.put(interface)
        }
    }
}
