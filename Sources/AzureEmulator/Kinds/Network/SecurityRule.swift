internal import SalvorJSON

/// What a rule of a network security group says.
enum SecurityRule {
    private static let priorities: ClosedRange<Int64> = 100...4096

    /// Checks a rule by itself, and adds what Azure adds.
    static func fill(_ record: inout Record) throws(ARMError) {
        let id = record.id
        try record.body.spell("properties.protocol", ["Tcp", "Udp", "Icmp", "Esp", "Ah", "*"], of: id)
        try record.body.spell("properties.access", ["Allow", "Deny"], of: id)
        try record.body.spell("properties.direction", ["Inbound", "Outbound"], of: id)
        for name in ["protocol", "access", "direction"] where record.body[path: "properties.\(name)"] == nil {
            throw .missingValue(name, of: id)
        }
        let priority = record.body[path: "properties.priority"]?.integer ?? 0
        guard priorities.contains(priority) else {
            throw ARMError(
                400, "SecurityRuleInvalidPriority",
                "Security rule has invalid Priority. Value provided: \(priority) Allowed range \(priorities.lowerBound)-"
                    + "\(priorities.upperBound).")
        }
        for side in ["source", "destination"] {
            try checkPorts(side, of: record)
            try checkAddresses(side, of: record)
            for name in ["PortRanges", "AddressPrefixes"] where record.body[path: "properties.\(side)\(name)"] == nil {
                record.body[path: "properties.\(side)\(name)"] = []
            }
        }
    }

    private static func values(_ single: String, _ many: String, of record: Record) -> [String] {
        ([record.body[path: "properties.\(single)"]].compactMap { $0 }
            + (record.body[path: "properties.\(many)"]?.array ?? [])).compactMap(\.string)
    }

    private static func checkPorts(_ side: String, of record: Record) throws(ARMError) {
        let ranges = values("\(side)PortRange", "\(side)PortRanges", of: record)
        guard !ranges.isEmpty else { throw missing("\(side)PortRange", of: record.id) }
        for range in ranges where range != "*" {
            let ends = range.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
            let fits =
                switch ends.count {
                case 1: ends[0] != nil
                case 2: ends[0].flatMap { low in ends[1].map { low <= $0 } } ?? false
                default: false
                }
            guard fits else {
                throw ARMError(
                    400, "SecurityRuleInvalidPortRange",
                    "Security rule has invalid Port range. Value provided: \(printable(range)). Value should be an integer OR "
                        + "integer range with '-' delimiter. Valid range 0-65535.")
            }
        }
    }

    private static func checkAddresses(_ side: String, of record: Record) throws(ARMError) {
        let prefixes = values("\(side)AddressPrefix", "\(side)AddressPrefixes", of: record)
        let groups = record.body[path: "properties.\(side)ApplicationSecurityGroups"]?.array ?? []
        guard !prefixes.isEmpty || !groups.isEmpty else { throw missing("\(side)AddressPrefix", of: record.id) }
        for prefix in prefixes {
            // `*`, service tags, IPv6, addresses and prefixes; an IPv4 prefix may name any address in its range.
            let looksLikeIPv4 = prefix.allSatisfy { $0.isNumber || $0 == "." || $0 == "/" }
            let halves = prefix.split(separator: "/", omittingEmptySubsequences: false)
            let fits =
                !looksLikeIPv4
                || (halves.first.flatMap { IPv4Address($0) } != nil
                    && (halves.count == 1
                        || (halves.count == 2 && Int(halves[1]).map { (0...32).contains($0) } ?? false)))
            guard fits, !prefix.isEmpty else {
                throw ARMError(
                    400, "SecurityRuleInvalidAddressPrefix",
                    "Security rule has invalid Address prefix. Value provided: \(printable(prefix))")
            }
        }
    }

    private static func missing(_ name: String, of id: ResourceID) -> ARMError {
        let capital = name.prefix(1).uppercased() + name.dropFirst()
        return ARMError(
            400, "SecurityRuleMissingParameter",
            "Required security rule parameters are missing for security rule with Id: \(id). Security rule must specify "
                + "\(capital) or \(capital.hasSuffix("Prefix") ? "\(capital)es" : "\(capital)s").")
    }

    /// - Throws: `SecurityRuleConflict` where another has the same priority and direction.
    static func checkAlone(_ rule: Record, among others: [Record]) throws(ARMError) {
        func key(_ record: Record) -> [JSONValue?] {
            [record.body[path: "properties.priority"], record.body[path: "properties.direction"]]
        }
        guard let other = others.first(where: { key($0) == key(rule) }) else { return }
        throw ARMError(
            400, "SecurityRuleConflict",
            "Security rule \(rule.id.name) conflicts with rule \(other.id.name). Rules cannot have the same Priority and "
                + "Direction. To learn more, see aka.ms/nsgrules.")
    }

    /// The rules that every group has.
    static func defaults(of group: Record) -> [JSONValue] {
        let rules:
            [(name: String, text: String, from: String, to: String, access: String, priority: Int64, way: String)] =
                [
                    (
                        "AllowVnetInBound", "Allow inbound traffic from all VMs in VNET", "VirtualNetwork",
                        "VirtualNetwork",
                        "Allow", 65000, "Inbound"
                    ),
                    (
                        "AllowAzureLoadBalancerInBound", "Allow inbound traffic from azure load balancer",
                        "AzureLoadBalancer", "*", "Allow", 65001, "Inbound"
                    ),
                    ("DenyAllInBound", "Deny all inbound traffic", "*", "*", "Deny", 65500, "Inbound"),
                    (
                        "AllowVnetOutBound", "Allow outbound traffic from all VMs to all VMs in VNET", "VirtualNetwork",
                        "VirtualNetwork", "Allow", 65000, "Outbound"
                    ),
                    (
                        "AllowInternetOutBound", "Allow outbound traffic from all VMs to Internet", "*", "Internet",
                        "Allow",
                        65001, "Outbound"
                    ),
                    ("DenyAllOutBound", "Deny all outbound traffic", "*", "*", "Deny", 65500, "Outbound"),
                ]
        return rules.map { rule in
            [
                "name": .string(rule.name), "id": .string("\(group.id)/defaultSecurityRules/\(rule.name)"),
                "etag": .string(group.etag), "type": "Microsoft.Network/networkSecurityGroups/defaultSecurityRules",
                "properties": [
                    "provisioningState": "Succeeded", "description": .string(rule.text), "protocol": "*",
                    "sourcePortRange": "*", "destinationPortRange": "*", "sourceAddressPrefix": .string(rule.from),
                    "destinationAddressPrefix": .string(rule.to), "access": .string(rule.access),
                    "priority": .integer(rule.priority), "direction": .string(rule.way), "sourcePortRanges": [],
                    "destinationPortRanges": [], "sourceAddressPrefixes": [], "destinationAddressPrefixes": [],
                ],
            ]
        }
    }
}
