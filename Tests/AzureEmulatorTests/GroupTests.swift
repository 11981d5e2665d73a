import AzureEmulator
import SalvorJSON
import Testing

private let group = "resourceGroups/rg"
private let compute = "\(group)/providers/Microsoft.Compute"
private let network = "\(group)/providers/Microsoft.Network"

@Suite struct GroupTests {
    /// A machine with an interface in a network, all in `rg`.
    private func makeMachine(_ azure: TestEmulator) async throws {
        let prefix = "/subscriptions/\(TestEmulator.subscription)/\(network)"
        let net: JSONValue = [
            "location": "westeurope",
            "properties": [
                "addressSpace": ["addressPrefixes": ["10.0.0.0/16"]],
                "subnets": [["name": "default", "properties": ["addressPrefix": "10.0.0.0/24"]]],
            ],
        ]
        #expect(try await azure("PUT", "\(network)/virtualNetworks/net", net).status == 201)
        let nic: JSONValue = [
            "location": "westeurope",
            "properties": [
                "ipConfigurations": [
                    [
                        "name": "one",
                        "properties": ["subnet": ["id": .string("\(prefix)/virtualNetworks/net/subnets/default")]],
                    ]
                ]
            ],
        ]
        #expect(try await azure("PUT", "\(network)/networkInterfaces/nic", nic).status == 201)
        let machine: JSONValue = [
            "location": "westeurope",
            "properties": [
                "hardwareProfile": ["vmSize": "Standard_D2s_v5"],
                "storageProfile": [
                    "imageReference": [
                        "publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2022-datacenter-g2",
                        "version": "latest",
                    ],
                    "osDisk": ["createOption": "FromImage"],
                ],
                "osProfile": ["computerName": "vm", "adminUsername": "operator", "adminPassword": "Not-a-secret-1234"],
                "networkProfile": ["networkInterfaces": [["id": .string("\(prefix)/networkInterfaces/nic")]]],
            ],
        ]
        let reply = try await azure("PUT", "\(compute)/virtualMachines/vm", machine)
        #expect(reply.status == 201, "\(reply.json)")
    }

    @Test("A group is deleted with the machine that is just being made in it, and all that they use")
    func machineInDeletion() async throws {
        let azure = try TestEmulator(latency: .seconds(5))
        try await azure.makeGroup()
        try await makeMachine(azure)
        let reply = try await azure("DELETE", group)
        #expect(reply.status == 202)
        let late = try await azure("PUT", "\(compute)/availabilitySets/set", ["location": "westeurope"])
        #expect(late.status == 409 && late.code == "ResourceGroupBeingDeleted")
        azure.pass(.seconds(10))
        #expect(try await azure.follow(reply, "Location").status == 200)
        #expect(try await azure("HEAD", group).status == 404)
        #expect(try await azure("GET", "resources").json["value"] == [])
    }

    @Test("A group with what others use is not deleted, and says what and why")
    func blocked() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        try await azure.makeGroup("other")
        try await azure.makeDisk("d1")
        let net: JSONValue = [
            "location": "westeurope",
            "properties": [
                "addressSpace": ["addressPrefixes": ["10.0.0.0/16"]],
                "subnets": [["name": "default", "properties": ["addressPrefix": "10.0.0.0/24"]]],
            ],
        ]
        _ = try await azure("PUT", "\(network)/virtualNetworks/net", net)
        let subnet = "/subscriptions/\(TestEmulator.subscription)/\(network)/virtualNetworks/net/subnets/default"
        let nic: JSONValue = [
            "location": "westeurope",
            "properties": [
                "ipConfigurations": [["name": "one", "properties": ["subnet": ["id": .string(subnet)]]]]
            ],
        ]
        let interface = "resourceGroups/other/providers/Microsoft.Network/networkInterfaces/nic"
        #expect(try await azure("PUT", interface, nic).status == 201)
        let reply = try await azure("DELETE", group)
        azure.pass(.seconds(1))
        let result = try await azure.follow(reply, "Location")
        #expect(result.status == 409 && result.code == "ResourceGroupDeletionBlocked")
        #expect(result.json[path: "error.message"]?.string?.contains("Microsoft.Network/virtualNetworks/net") == true)
        #expect(result.json[path: "error.details"]?.array?.first?["code"] == "InUseSubnetCannotBeDeleted")
        #expect(try await azure("GET", group).json[path: "properties.provisioningState"] == "Succeeded")
        #expect(try await azure("GET", "\(compute)/disks/d1").status == 404, "what could go is gone")
        #expect(try await azure("DELETE", interface).status == 202)
        let again = try await azure("DELETE", group)
        azure.pass(.seconds(1))
        #expect(try await azure.follow(again, "Location").status == 200)
        #expect(try await azure("HEAD", group).status == 404)
    }

    @Test("A deployment that goes on in a group that is deleted ends with it")
    func deployment() async throws {
        let azure = try TestEmulator(latency: .seconds(5))
        try await azure.makeGroup()
        let disk: JSONValue = [
            "type": "Microsoft.Compute/disks", "apiVersion": "2024-03-02", "location": "westeurope",
            "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 4],
        ]
        let resources: JSONValue = [
            disk.merged(with: ["name": "a"]), disk.merged(with: ["name": "b", "dependsOn": ["a"]]),
        ]
        let deployed = try await azure(
            "PUT", "\(group)/providers/Microsoft.Resources/deployments/d",
            ["properties": ["mode": "Incremental", "template": ["resources": resources]]])
        azure.pass(.seconds(6))
        let reply = try await azure("DELETE", group)
        azure.pass(.seconds(20))
        #expect(try await azure.follow(reply, "Location").status == 200)
        #expect(try await azure.follow(deployed, "Azure-AsyncOperation").json["status"] == "Canceled")
        #expect(try await azure("GET", "resources").json["value"] == [])
    }

    @Test("Tags are put, merged, replaced and taken away, on groups and on what is in them")
    func tags() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        try await azure.makeDisk("d1")
        for target in [group, "\(compute)/disks/d1"] {
            let path = "\(target)/providers/Microsoft.Resources/tags/default"
            func tags() async throws -> JSONValue? { try await azure("GET", path).json[path: "properties.tags"] }
            func patch(_ operation: String, _ tags: JSONValue) async throws -> Int {
                try await azure("PATCH", path, ["operation": .string(operation), "properties": ["tags": tags]]).status
            }
            #expect(try await tags() == [:])
            #expect(try await azure("PUT", path, ["properties": ["tags": ["a": "1"]]]).status == 200)
            #expect(try await patch("Merge", ["b": "2", "A": "3"]) == 200)
            #expect(try await tags() == ["A": "3", "b": "2"])
            #expect(try await patch("Delete", ["b": "2"]) == 200)
            #expect(try await azure("GET", target).json["tags"] == ["A": "3"])
            #expect(try await patch("Replace", ["c": "4"]) == 200)
            #expect(try await tags() == ["c": "4"])
            #expect(try await patch("Invent", [:]) == 400)
            #expect(try await azure("DELETE", path).status == 200)
            #expect(try await tags() == [:])
        }
        let bad = try await azure("PUT", group, ["location": "westeurope", "tags": ["a<b": "c"]])
        #expect(bad.code == "InvalidTagNameCharacters")
        let many = JSONValue.object(Dictionary(uniqueKeysWithValues: (0...50).map { ("t\($0)", "x") }))
        #expect(try await azure("PUT", group, ["location": "westeurope", "tags": many]).code == "TooManyTags")
        #expect(
            try await azure("GET", "\(compute)/disks/none/providers/Microsoft.Resources/tags/default").status == 404)
    }

    @Test(
        "Lists are filtered as clients ask for it",
        arguments: [
            ("resourceType eq 'Microsoft.Compute/disks'", ["d1", "d2"]),
            ("resourcetype eq 'microsoft.compute/DISKS' and name eq 'd1'", ["d1"]),
            ("tagName eq 'use' and tagValue eq 'test'", ["d1"]), ("tagname eq 'use'", ["d1", "d2"]),
            ("startswith(tagname, 'us')", ["d1", "d2"]), ("substringof('2', name)", ["d2"]),
            ("name eq 'd1' or name eq 'd2'", ["d1", "d2"]), ("resourceGroup eq 'other'", []),
            ("location ne 'westeurope'", []), ("name eq", nil), ("name lt 'x'", nil), ("name eq 'x", nil),
        ] as [(String, [String]?)])
    func filters(text: String, names: [String]?) async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        for (name, use) in [("d1", "test"), ("d2", "work")] {
            try await azure.makeDisk(name)
            _ = try await azure("PATCH", "\(compute)/disks/\(name)", ["tags": ["use": .string(use), "other": "test"]])
        }
        for path in ["resources", "\(group)/resources"] {
            let reply = try await azure("GET", path, query: ["$filter": text])
            guard let names else {
                #expect(reply.status == 400 && reply.code == "InvalidFilterInQueryString")
                continue
            }
            #expect(reply.json["value"]?.array?.compactMap { $0["name"]?.string } == names)
        }
    }

    @Test("A list comes in pages where that is asked for")
    func pages() async throws {
        let azure = try TestEmulator()
        for name in ["a", "b", "c"] { try await azure.makeGroup(name) }
        let first = try await azure("GET", "resourceGroups", query: ["$top": "2"])
        #expect(first.json["value"]?.array?.count == 2)
        let link = try #require(first.json["nextLink"]?.string)
        #expect(link.contains("%24skiptoken=2") || link.contains("$skiptoken=2"))
        let second = try await azure("GET", "resourceGroups", query: ["$top": "2", "$skiptoken": "2"])
        #expect(second.json["value"]?.array?.compactMap { $0["name"]?.string } == ["c"])
        #expect(second.json["nextLink"] == nil)
        #expect(try await azure("GET", "resourceGroups", query: ["$top": "x"]).status == 400)
    }

    @Test("A namespace is used until it is unregistered, and cannot be while something is in it")
    func registration() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        try await azure.makeDisk("d1")
        #expect(try await azure("POST", "providers/Microsoft.Compute/unregister").status == 409)
        let gone = try await azure("POST", "providers/Microsoft.Network/unregister")
        #expect(gone.json["registrationState"] == "NotRegistered")
        let set = try await azure("PUT", "\(network)/networkSecurityGroups/nsg", ["location": "westeurope"])
        #expect(set.status == 409 && set.code == "MissingSubscriptionRegistration")
        let back = try await azure("POST", "providers/Microsoft.Network/register")
        #expect(back.json["registrationState"] == "Registered")
        #expect(
            try await azure("PUT", "\(network)/networkSecurityGroups/nsg", ["location": "westeurope"]).status == 201)
        #expect(try await azure("POST", "providers/Nobody.Here/register").status == 404)
    }

    @Test("The tenant is told")
    func tenants() async throws {
        let azure = try TestEmulator()
        let tenants = try await azure("GET", "/tenants").json["value"]?.array
        #expect(tenants?.compactMap { $0["tenantId"]?.string } == [TestEmulator.tenant])
    }
}
