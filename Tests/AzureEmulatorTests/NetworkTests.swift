import AzureEmulator
import SalvorJSON
import Testing

private let network = "resourceGroups/rg/providers/Microsoft.Network"

private func id(_ path: String) -> JSONValue {
    .string("/subscriptions/\(TestEmulator.subscription)/\(network)/\(path)")
}

extension TestEmulator {
    /// A network `10.0.0.0/16` with the subnets that are named by their prefixes.
    fileprivate func makeNetwork(_ subnets: [String: String] = ["default": "10.0.0.0/24"]) async throws {
        try await makeGroup()
        let reply = try await self(
            "PUT", "\(network)/virtualNetworks/net",
            [
                "location": "westeurope",
                "properties": [
                    "addressSpace": ["addressPrefixes": ["10.0.0.0/16"]],
                    "subnets": .array(
                        subnets.sorted { $0.key < $1.key }.map {
                            ["name": .string($0.key), "properties": ["addressPrefix": .string($0.value)]]
                        }),
                ],
            ])
        #expect(reply.status == 201, "\(reply.json)")
    }

    fileprivate func putInterface(_ name: String, _ more: JSONValue = [:], subnet: String = "default") async throws
        -> Reply
    {
        let properties: JSONValue = ["subnet": ["id": id("virtualNetworks/net/subnets/\(subnet)")]]
        return try await self(
            "PUT", "\(network)/networkInterfaces/\(name)",
            [
                "location": "westeurope",
                "properties": ["ipConfigurations": [["name": "one", "properties": properties.merged(with: more)]]],
            ])
    }

    fileprivate func address(_ name: String) async throws -> String? {
        let json = try await self("GET", "\(network)/networkInterfaces/\(name)").json
        return json[path: "properties.ipConfigurations"]?.array?.first?[path: "properties.privateIPAddress"]?.string
    }
}

@Suite struct NetworkTests {
    @Test("A network resource is made with 201 and one header, and deleted with 202 and two")
    func headers() async throws {
        let azure = try TestEmulator(latency: .seconds(5))
        try await azure.makeNetwork()
        let path = "\(network)/networkSecurityGroups/nsg"
        let made = try await azure("PUT", path, ["location": "westeurope"])
        #expect(made.status == 201)
        #expect(made.json[path: "properties.provisioningState"]?.string == "Updating")
        #expect(made.json["etag"]?.string?.hasPrefix("W/\"") == true)
        #expect(made.response[header: "Location"] == nil)
        let link = try #require(made.response[header: "Azure-AsyncOperation"])
        #expect(link.contains("/providers/Microsoft.Network/locations/westeurope/operations/"))
        #expect(try await azure.follow(made, "Azure-AsyncOperation").json["status"] == "InProgress")
        let busy = try await azure("PUT", path, ["location": "westeurope"])
        #expect(busy.status == 429 && busy.code == "AnotherOperationInProgress")
        azure.pass(.seconds(5))
        #expect(try await azure.follow(made, "Azure-AsyncOperation").json["status"] == "Succeeded")
        let again = try await azure("PUT", path, ["location": "West Europe"])
        #expect(again.status == 200)
        azure.pass(.seconds(5))
        #expect(try await azure("PUT", path, ["location": "eastus"]).code == "InvalidResourceLocation")
        let gone = try await azure("DELETE", path)
        #expect(gone.status == 202 && gone.response.body.isEmpty)
        #expect(gone.response[header: "Location"]?.contains("/operationResults/") == true)
        #expect(try await azure.follow(gone, "Location").status == 202)
        azure.pass(.seconds(5))
        #expect(try await azure.follow(gone, "Azure-AsyncOperation").json["status"] == "Succeeded")
        #expect(try await azure.follow(gone, "Location").status == 200)
        #expect(try await azure("DELETE", path).status == 204)
    }

    @Test(
        "A subnet that does not fit into its network is refused",
        arguments: [
            ("10.1.0.0/24", "NetcfgSubnetRangeOutsideVnet"), ("10.0.0.128/25", "NetcfgSubnetRangesOverlap"),
            ("10.0.0.0/15", "NetcfgSubnetRangeOutsideVnet"), ("10.0.1.1/24", "InvalidCIDRNotation"),
            ("10.0.1.0", "InvalidAddressPrefixFormat"), ("10.0.1.0/33", "InvalidAddressPrefixFormat"),
            ("10.0.1.256/24", "InvalidAddressPrefixFormat"), ("", "InvalidAddressPrefixFormat"),
            ("10.0.1.0/30", "NetcfgSubnetRangeTooSmall"),
        ])
    func prefixes(prefix: String, code: String) async throws {
        let azure = try TestEmulator()
        try await azure.makeNetwork()
        let path = "\(network)/virtualNetworks/net/subnets/two"
        let reply = try await azure("PUT", path, ["properties": ["addressPrefix": .string(prefix)]])
        #expect(reply.status == 400 && reply.code == code, "\(reply.json)")
        #expect(try await azure("GET", path).status == 404)
        let whole = try await azure(
            "PUT", "\(network)/virtualNetworks/net2",
            [
                "location": "westeurope",
                "properties": [
                    "addressSpace": ["addressPrefixes": ["10.0.0.0/16"]],
                    "subnets": [
                        ["name": "default", "properties": ["addressPrefix": "10.0.0.0/24"]],
                        ["name": "two", "properties": ["addressPrefix": .string(prefix)]],
                    ],
                ],
            ])
        #expect(whole.code == code)
        #expect(try await azure("GET", "\(network)/virtualNetworks/net2").status == 404)
    }

    @Test("Subnets are resources of their own, and the network shows them and changes with them")
    func subnets() async throws {
        let azure = try TestEmulator()
        try await azure.makeNetwork()
        let before = try await azure("GET", "\(network)/virtualNetworks/net").json["etag"]
        let made = try await azure(
            "PUT", "\(network)/virtualNetworks/net/subnets/two", ["properties": ["addressPrefixes": ["10.0.1.0/24"]]])
        #expect(made.status == 201)
        let net = try await azure("GET", "\(network)/virtualNetworks/net").json
        #expect(net["etag"] != before)
        #expect(net[path: "properties.subnets"]?.array?.compactMap { $0["name"]?.string } == ["default", "two"])
        let listed = try await azure("GET", "\(network)/virtualNetworks/net/subnets").json["value"]?.array
        #expect(listed?.count == 2)
        #expect(try await azure("DELETE", "\(network)/virtualNetworks/net/subnets/two").status == 202)
        #expect(try await azure("GET", "\(network)/virtualNetworks/net/subnets/two").status == 404)
        let orphan = try await azure(
            "PUT", "\(network)/virtualNetworks/none/subnets/two", ["properties": ["addressPrefix": "10.0.1.0/24"]])
        #expect(orphan.status == 404 && orphan.code == "ParentResourceNotFound")
    }

    @Test("What is used cannot be taken away")
    func inUse() async throws {
        let azure = try TestEmulator()
        try await azure.makeNetwork()
        #expect(
            try await azure("PUT", "\(network)/networkSecurityGroups/nsg", ["location": "westeurope"]).status == 201)
        #expect(try await azure.putInterface("nic").status == 201)
        let subnet = "\(network)/virtualNetworks/net/subnets/default"
        let change: JSONValue = [
            "properties": [
                "addressPrefix": "10.0.0.0/24", "networkSecurityGroup": ["id": id("networkSecurityGroups/nsg")],
            ]
        ]
        #expect(try await azure("PUT", subnet, change).status == 200)
        #expect(try await azure("DELETE", subnet).code == "InUseSubnetCannotBeDeleted")
        #expect(try await azure("DELETE", "\(network)/virtualNetworks/net").code == "InUseSubnetCannotBeDeleted")
        let moved = try await azure("PUT", subnet, ["properties": ["addressPrefix": "10.0.9.0/24"]])
        #expect(moved.code == "InUsePrefixCannotBeDeleted")
        let without = try await azure(
            "PUT", "\(network)/virtualNetworks/net",
            ["location": "westeurope", "properties": ["addressSpace": ["addressPrefixes": ["10.0.0.0/16"]]]])
        #expect(without.code == "InUseSubnetCannotBeDeleted")
        let group = try await azure("GET", "\(network)/networkSecurityGroups/nsg").json
        #expect(group[path: "properties.subnets"]?.array == [["id": id("virtualNetworks/net/subnets/default")]])
        let refused = try await azure("DELETE", "\(network)/networkSecurityGroups/nsg")
        #expect(refused.code == "InUseNetworkSecurityGroupCannotBeDeleted")
        let seen = try await azure("GET", subnet).json[path: "properties.ipConfigurations"]?.array
        #expect(seen == [["id": id("networkInterfaces/nic/ipConfigurations/one")]])
        #expect(try await azure("DELETE", "\(network)/networkInterfaces/nic").status == 202)
        #expect(try await azure("GET", subnet).json[path: "properties.ipConfigurations"] == nil)
        #expect(try await azure("DELETE", "\(network)/virtualNetworks/net").status == 202)
        #expect(try await azure("DELETE", "\(network)/networkSecurityGroups/nsg").status == 202)
    }

    @Test("Addresses come from the subnet, the lowest that is free first, and none twice")
    func addresses() async throws {
        let azure = try TestEmulator()
        try await azure.makeNetwork(["default": "10.0.0.0/29"])
        for name in ["a", "b", "c"] { #expect(try await azure.putInterface(name).status == 201) }
        #expect(try await azure.address("a") == "10.0.0.4")
        #expect(try await azure.address("b") == "10.0.0.5")
        #expect(try await azure.address("c") == "10.0.0.6")
        let full = try await azure.putInterface("d")
        #expect(full.status == 400 && full.code == "SubnetIsFull")
        _ = try await azure("DELETE", "\(network)/networkInterfaces/b")
        #expect(try await azure.putInterface("d").status == 201)
        #expect(try await azure.address("d") == "10.0.0.5")
        #expect(try await azure.putInterface("a").status == 200)
        #expect(try await azure.address("a") == "10.0.0.4")
        #expect(try await azure.address("c") == "10.0.0.6")
    }

    @Test(
        "A fixed address is one of the subnet's that nobody has",
        arguments: [
            ("10.0.0.4", "PrivateIPAddressInUse"), ("10.0.1.4", "PrivateIPAddressNotInSubnet"),
            ("10.0.0.3", "PrivateIPAddressInReservedRange"), ("10.0.0.255", "PrivateIPAddressInReservedRange"),
            ("10.0.0", "InvalidIPAddress"), ("10.0.0.9", nil),
        ])
    func fixed(address: String, code: String?) async throws {
        let azure = try TestEmulator()
        try await azure.makeNetwork()
        #expect(try await azure.putInterface("a").status == 201)
        let reply = try await azure.putInterface(
            "b", ["privateIPAddress": .string(address), "privateIPAllocationMethod": "static"])
        #expect(reply.code == code)
        #expect(reply.status == (code == nil ? 201 : 400))
        if code == nil {
            #expect(try await azure.address("b") == address)
        } else {
            // The refusal took nothing.
            #expect(try await azure.putInterface("c").status == 201)
            #expect(try await azure.address("c") == "10.0.0.5")
        }
    }

    @Test("A public address belongs to one interface, and is deleted when it belongs to none")
    func publicAddresses() async throws {
        let azure = try TestEmulator()
        try await azure.makeNetwork()
        let path = "\(network)/publicIPAddresses/ip"
        let dynamic = try await azure("PUT", path, ["location": "westeurope", "sku": ["name": "Standard"]])
        #expect(dynamic.code == "StandardSkuPublicIPAddressesMustBeStatic")
        let wanted: JSONValue = [
            "location": "westeurope", "sku": ["name": "standard"],
            "properties": ["publicIPAllocationMethod": "static", "dnsSettings": ["domainNameLabel": "host-1"]],
        ]
        let made = try await azure("PUT", path, wanted)
        #expect(made.status == 201)
        #expect(made.json[path: "sku.name"] == "Standard")
        #expect(made.json[path: "properties.publicIPAllocationMethod"] == "Static")
        #expect(made.json[path: "properties.dnsSettings.fqdn"] == "host-1.westeurope.cloudapp.azure.com")
        let address = try #require(made.json[path: "properties.ipAddress"]?.string)
        #expect(try await azure("PUT", path, wanted).json[path: "properties.ipAddress"]?.string == address)
        let reference: JSONValue = ["publicIPAddress": ["id": id("publicIPAddresses/ip")]]
        #expect(try await azure.putInterface("a", reference).status == 201)
        #expect(try await azure.putInterface("b", reference).code == "PublicIPAddressInUse")
        #expect(try await azure("GET", "\(network)/networkInterfaces/b").status == 404)
        let owner = try await azure("GET", path).json[path: "properties.ipConfiguration.id"]
        #expect(owner == id("networkInterfaces/a/ipConfigurations/one"))
        #expect(try await azure("DELETE", path).code == "PublicIPAddressCannotBeDeleted")
        #expect(try await azure.putInterface("a").status == 200)
        #expect(try await azure.putInterface("b", reference).status == 201)
        let basic = try await azure("PUT", "\(network)/publicIPAddresses/other", ["location": "westeurope"])
        #expect(basic.json[path: "sku.name"] == "Basic")
        #expect(basic.json[path: "properties.ipAddress"] == nil, "a dynamic address comes with a machine")
    }

    @Test("Public addresses are not given twice")
    func publicAddressesDiffer() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        func make(_ name: String) async throws -> String? {
            try await azure(
                "PUT", "\(network)/publicIPAddresses/\(name)",
                ["location": "westeurope", "properties": ["publicIPAllocationMethod": "Static"]]
            ).json[path: "properties.ipAddress"]?.string
        }
        let one = try #require(try await make("one"))
        let two = try #require(try await make("two"))
        #expect(try await azure("DELETE", "\(network)/publicIPAddresses/one").status == 202)
        #expect(try await azure("GET", "\(network)/publicIPAddresses/one").status == 404)
        let three = try await make("three")
        #expect(one != two)
        #expect(three == one)
    }

    private static func rule(_ changes: JSONValue = [:]) -> JSONValue {
        let properties: JSONValue = [
            "protocol": "tcp", "access": "allow", "direction": "inbound", "priority": 100, "sourcePortRange": "*",
            "destinationPortRange": "22-23", "sourceAddressPrefix": "*", "destinationAddressPrefix": "10.0.0.1/8",
        ]
        return ["properties": properties.merged(with: changes)]
    }

    @Test(
        "A rule that Azure does not take is refused, alone and inside of its group",
        arguments: [
            (["priority": 99], "SecurityRuleInvalidPriority"), (["priority": 4097], "SecurityRuleInvalidPriority"),
            (["priority": .null], "SecurityRuleInvalidPriority"),
            (["destinationPortRange": "70000"], "SecurityRuleInvalidPortRange"),
            (["destinationPortRange": "9-8"], "SecurityRuleInvalidPortRange"),
            (["destinationPortRange": "1-2-3"], "SecurityRuleInvalidPortRange"),
            (["sourceAddressPrefix": "10.0.0"], "SecurityRuleInvalidAddressPrefix"),
            (["sourceAddressPrefix": .null], "SecurityRuleMissingParameter"),
            (["access": "maybe"], "InvalidRequestFormat"), (["protocol": .null], "InvalidRequestFormat"),
            (["priority": 200], "SecurityRuleConflict"),
        ] as [(JSONValue, String)])
    func rules(changes: JSONValue, code: String) async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        let group = "\(network)/networkSecurityGroups/nsg"
        let present = Self.rule(["priority": 200]).merged(with: ["name": "present"])
        let body: JSONValue = ["location": "westeurope", "properties": ["securityRules": [present]]]
        #expect(try await azure("PUT", group, body).status == 201)
        let reply = try await azure("PUT", "\(group)/securityRules/bad", Self.rule(changes))
        #expect(reply.status == 400 && reply.code == code, "\(reply.json)")
        let bad = Self.rule(changes).merged(with: ["name": "bad"])
        let whole = try await azure(
            "PUT", group, ["location": "westeurope", "properties": ["securityRules": [present, bad]]])
        #expect(whole.code == code)
        let rules = try await azure("GET", group).json[path: "properties.securityRules"]?.array
        #expect(rules?.compactMap { $0["name"]?.string } == ["present"])
    }

    @Test("A group's rules are its own and the six that every group has")
    func groupRules() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        let group = "\(network)/networkSecurityGroups/nsg"
        #expect(try await azure("PUT", group, ["location": "westeurope"]).status == 201)
        let made = try await azure("PUT", "\(group)/securityRules/ssh", Self.rule())
        #expect(made.status == 201)
        #expect(made.json[path: "properties.protocol"] == "Tcp")
        let json = try await azure("GET", group).json
        #expect(json[path: "properties.securityRules"]?.array?.count == 1)
        #expect(json[path: "properties.defaultSecurityRules"]?.array?.count == 6)
        let outbound = try await azure("PUT", "\(group)/securityRules/out", Self.rule(["direction": "Outbound"]))
        #expect(outbound.status == 201, "the same priority in the other direction")
        #expect(try await azure("GET", "\(group)/securityRules").json["value"]?.array?.count == 2)
        #expect(try await azure("DELETE", "\(group)/securityRules/ssh").status == 202)
        let left = try await azure("GET", group).json[path: "properties.securityRules"]?.array
        #expect(left?.compactMap { $0["name"]?.string } == ["out"])
    }

    @Test("Whether an address is free can be asked, and which are")
    func availability() async throws {
        let azure = try TestEmulator()
        try await azure.makeNetwork()
        #expect(try await azure.putInterface("a").status == 201)
        let path = "\(network)/virtualNetworks/net/CheckIPAddressAvailability"
        let taken = try await azure("GET", path, query: ["ipaddress": "10.0.0.4"]).json
        #expect(taken["available"] == false)
        #expect(taken["availableIPAddresses"]?.array?.first == "10.0.0.5")
        #expect(try await azure("GET", path, query: ["ipaddress": "10.0.0.5"]).json["available"] == true)
    }
}
