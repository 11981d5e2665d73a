internal import SalvorJSON

/// Network security groups: their rules are kept and shown, and filter nothing here.
struct NetworkSecurityGroups: NetworkKind {
    let type = "Microsoft.Network/networkSecurityGroups"

    func fill(
        _ record: inout Record, known: Record?, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) {
        let wanted = record.body[path: "properties.securityRules"]?.array ?? []
        for name in ["securityRules", "defaultSecurityRules", "networkInterfaces", "subnets"]
        where record.body["properties"]?[name] != nil {
            record.body[path: "properties.\(name)"] = nil
        }
        var rules: [Record] = []
        for rule in wanted {
            guard let name = rule[member: "name"]?.string else {
                throw .missingValue("securityRules.name", of: record.id)
            }
            let id = record.id.child("securityRules", name)
            try ResourceName.check(id.name, of: "security rule name", longest: 80, lastMayNotBe: ".-")
            guard !rules.contains(where: { $0.id == id }) else {
                throw ARMError(
                    400, "DuplicateResourceName",
                    "Resource \(record.id) has two child resources with the same name (\(printable(name))).")
            }
            var made = state[id] ?? Record(id: id, body: [:])
            made.body = ["properties": rule[member: "properties"] ?? [:]]
            try SecurityRule.fill(&made)
            try SecurityRule.checkAlone(made, among: rules)
            made.provisioningState = "Succeeded"
            rules.append(made)
        }
        for old in state.children(of: record.id, "securityRules") where !rules.contains(where: { $0.id == old.id }) {
            state.remove(old.id)
        }
        for rule in rules { state.put(rule) }
    }

    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError) {
        let users = Self.interfaces(of: record, in: state) + Self.subnets(of: record, in: state)
        guard !users.isEmpty else { return }
        throw ARMError(
            400, "InUseNetworkSecurityGroupCannotBeDeleted",
            "Network security group \(record.id) cannot be deleted because it is in use by the following resources: "
                + users.map(\.id.description).joined(separator: ", ")
                + ". In order to delete the Network security group, remove "
                + "the association with the resource(s). To learn how to do this, see aka.ms/deletensg.")
    }

    func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue {
        var json = record.json
        json[path: "etag"] = .string(record.etag)
        json[path: "properties.securityRules"] = .array(
            state.children(of: record.id, "securityRules").map { SecurityRules().view($0, call, in: state) })
        json[path: "properties.defaultSecurityRules"] = .array(SecurityRule.defaults(of: record))
        func references(_ records: [Record]) -> JSONValue? {
            records.isEmpty ? nil : .array(records.map { ["id": .string($0.id.description)] })
        }
        json[path: "properties.networkInterfaces"] = references(Self.interfaces(of: record, in: state))
        json[path: "properties.subnets"] = references(Self.subnets(of: record, in: state))
        return json
    }

    func read(
        _ child: String, _ record: Record, _ call: ResourceCall, in state: EmulatorState
    ) throws(ARMError) -> JSONValue? {
        child.lowercased() == "defaultsecurityrules" ? ["value": .array(SecurityRule.defaults(of: record))] : nil
    }

    private static func interfaces(of group: Record, in state: EmulatorState) -> [Record] {
        NetworkInterfaces.all(in: state, of: group.id).filter {
            $0.body[path: "properties.networkSecurityGroup.id"]?.string?.lowercased() == group.id.key
        }
    }

    private static func subnets(of group: Record, in state: EmulatorState) -> [Record] {
        state.list(Subnets().type, in: ResourceID(subscription: group.id.subscription)).filter {
            $0.body[path: "properties.networkSecurityGroup.id"]?.string?.lowercased() == group.id.key
        }
    }
}

/// The rules of a network security group, each a resource of its own.
struct SecurityRules: NetworkKind {
    let type = "Microsoft.Network/networkSecurityGroups/securityRules"

    func fill(
        _ record: inout Record, known: Record?, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) {
        record.body = ["properties": record.body[member: "properties"] ?? [:]]
        try SecurityRule.fill(&record)
        guard let group = record.id.parent else { return }
        let others = state.children(of: group, "securityRules").filter { $0.id != record.id }
        try SecurityRule.checkAlone(record, among: others)
        if let group = state[group] { state.put(group) }
    }

    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError) {}

    func release(_ record: Record, in state: inout EmulatorState) {
        if let group = record.id.parent.flatMap({ state[$0] }) { state.put(group) }
    }
}
