internal import SalvorJSON

/// Network security groups: their rules are kept and shown, and filter nothing here.
struct NetworkSecurityGroups: NetworkKind {
    let type = "Microsoft.Network/networkSecurityGroups"

    func fill(_ record: inout Record, _ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) {
        var rules = record.body[path: "properties.securityRules"]?.array ?? []
        for index in rules.indices {
            guard let name = rules[index][member: "name"]?.string else {
                throw .requiredParameter("securityRules.name")
            }
            rules[index][path: "id"] = .string("\(record.id)/securityRules/\(name)")
            rules[index][path: "properties.provisioningState"] = "Succeeded"
        }
        record.body[path: "properties.securityRules"] = .array(rules)
        record.body[path: "properties.defaultSecurityRules"] = []
    }

    func checkUnused(_ record: Record, in state: EmulatorState) throws(ARMError) {
        let users = NetworkInterfaces.all(in: state, of: record.id).filter {
            $0.body[path: "properties.networkSecurityGroup.id"]?.string?.lowercased() == record.id.key
        }
        guard let user = users.first else { return }
        throw ARMError(
            400, "InUseNetworkSecurityGroupCannotBeDeleted",
            "Network security group \(record.id) cannot be deleted because it is in use by the following resources: \(user.id)."
        )
    }
}
