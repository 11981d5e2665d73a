import AzureEmulator
import SalvorJSON
import Testing

private let compute = "resourceGroups/rg/providers/Microsoft.Compute"
private let prefix = "/subscriptions/\(TestEmulator.subscription)/\(compute)"

@Suite struct ImageTests {
    private func prepared() async throws -> TestEmulator {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        try await azure.makeDisk("d1", sizeGB: 16)
        _ = try await azure(
            "PATCH", "\(compute)/disks/d1", ["properties": ["osType": "Windows", "hyperVGeneration": "V2"]])
        return azure
    }

    private static func image(_ more: JSONValue = [:]) -> JSONValue {
        let disk: JSONValue = [
            "osType": "Windows", "osState": "Generalized", "managedDisk": ["id": .string("\(prefix)/disks/d1")],
        ]
        return ["location": "westeurope", "properties": ["storageProfile": ["osDisk": disk.merged(with: more)]]]
    }

    @Test("An image is made from a disk, shown, tagged and deleted")
    func image() async throws {
        let azure = try await prepared()
        let reply = try await azure("PUT", "\(compute)/images/i1", Self.image())
        #expect(reply.status == 201)
        #expect(reply.json[path: "properties.provisioningState"] == "Creating")
        #expect(reply.response[header: "Azure-AsyncOperation"] != nil)
        let shown = try await azure("GET", "\(compute)/images/i1").json
        #expect(shown[path: "properties.provisioningState"] == "Succeeded")
        #expect(shown[path: "properties.hyperVGeneration"] == "V2")
        #expect(shown[path: "properties.storageProfile.osDisk.diskSizeGB"]?.integer == 16)
        #expect(try await azure("PATCH", "\(compute)/images/i1", ["tags": ["a": "b"]]).status == 200)
        #expect(try await azure("GET", "\(compute)/images").json["value"]?.array?.first?[path: "tags.a"] == "b")
        #expect(try await azure("DELETE", "\(compute)/disks/d1").status == 202, "an image has bytes of its own")
        #expect(try await azure("DELETE", "\(compute)/images/i1").status == 202)
        #expect(try await azure("GET", "\(compute)/images/i1").status == 404)
    }

    @Test(
        "An image of what is not there, or is something else, is refused",
        arguments: [
            (["managedDisk": ["id": "/nonsense"]], 400, "InvalidParameter"),
            (["managedDisk": ["id": .string("\(prefix)/disks/none")]], 404, "ResourceNotFound"),
            (["managedDisk": .null], 400, "InvalidParameter"), (["osType": .null], 400, "InvalidParameter"),
            (["osType": "Linux"], 400, "InvalidParameter"), (["diskSizeGB": 8], 400, "InvalidParameter"),
            (["osState": .null], 400, "InvalidParameter"),
        ] as [(JSONValue, Int, String)])
    func refusals(change: JSONValue, status: Int, code: String) async throws {
        let azure = try await prepared()
        let reply = try await azure("PUT", "\(compute)/images/i1", Self.image(change))
        #expect(reply.status == status && reply.code == code, "\(reply.json)")
        #expect(try await azure("GET", "\(compute)/images/i1").status == 404)
    }

    private func makeGallery(_ azure: TestEmulator) async throws {
        #expect(try await azure("PUT", "\(compute)/galleries/g", ["location": "westeurope"]).status == 201)
        let definition: JSONValue = [
            "location": "westeurope",
            "properties": [
                "osType": "Windows", "osState": "Specialized", "hyperVGeneration": "V2",
                "identifier": ["publisher": "p", "offer": "o", "sku": "s"],
            ],
        ]
        #expect(try await azure("PUT", "\(compute)/galleries/g/images/def", definition).status == 201)
    }

    private static let version: JSONValue = [
        "location": "westeurope",
        "properties": ["storageProfile": ["osDiskImage": ["source": ["id": .string("\(prefix)/disks/d1")]]]],
    ]

    @Test("A gallery, its image and a version are made, and go in that order alone")
    func gallery() async throws {
        let azure = try await prepared()
        let early = try await azure("PUT", "\(compute)/galleries/g/images/def", ["location": "westeurope"])
        #expect(early.status == 404 && early.code == "ParentResourceNotFound")
        try await makeGallery(azure)
        let path = "\(compute)/galleries/g/images/def/versions"
        #expect(try await azure("PUT", "\(path)/1.0.0", Self.version).status == 201)
        let shown = try await azure("GET", "\(path)/1.0.0", query: ["$expand": "ReplicationStatus"]).json
        #expect(shown[path: "properties.replicationStatus.aggregatedState"] == "Completed")
        #expect(shown[path: "properties.storageProfile.osDiskImage.sizeInGB"]?.integer == 16)
        let regions = shown[path: "properties.publishingProfile.targetRegions"]?.array
        #expect(regions?.first?["name"] == "West Europe")
        for name in ["1.0", "1.0.x", "1.0.99999999999", "v1.0.0"] {
            #expect(try await azure("PUT", "\(path)/\(name)", Self.version).code == "InvalidParameter")
        }
        #expect(try await azure("DELETE", "\(compute)/galleries/g").code == "CannotDeleteResource")
        #expect(try await azure("DELETE", "\(compute)/galleries/g/images/def").code == "CannotDeleteResource")
        #expect(try await azure("DELETE", "\(path)/1.0.0").status == 202)
        #expect(try await azure("DELETE", "\(compute)/galleries/g/images/def").status == 202)
        #expect(try await azure("GET", "\(compute)/galleries/g/images").json["value"] == [])
        #expect(try await azure("DELETE", "\(compute)/galleries/g").status == 202)
    }

    @Test("A version does not take a disk of another system or generation")
    func mismatch() async throws {
        let azure = try await prepared()
        try await makeGallery(azure)
        let other = Self.version.merged(with: [
            "properties": ["storageProfile": ["osDiskImage": ["source": ["id": .string("\(prefix)/disks/d2")]]]]
        ])
        try await azure.makeDisk("d2")
        let reply = try await azure("PUT", "\(compute)/galleries/g/images/def/versions/1.0.0", other)
        #expect(reply.status == 409 && reply.code == "OperationNotAllowed")
    }

    @Test("An availability set knows its machines, and an encryption set its key")
    func sets() async throws {
        let azure = try await prepared()
        let set = try await azure(
            "PUT", "\(compute)/availabilitySets/set", ["location": "westeurope", "sku": ["name": "Aligned"]])
        #expect(set.status == 200)
        #expect(set.json[path: "properties.virtualMachines"] == [])
        let many: JSONValue = ["location": "westeurope", "properties": ["platformFaultDomainCount": 4]]
        #expect(try await azure("PUT", "\(compute)/availabilitySets/s2", many).code == "InvalidParameter")
        #expect(try await azure("DELETE", "\(compute)/availabilitySets/set").status == 200)
        let path = "\(compute)/diskEncryptionSets/des"
        let body: JSONValue = [
            "location": "westeurope", "identity": ["type": "SystemAssigned"],
            "properties": ["activeKey": ["keyUrl": "https://v.vault.localhost/keys/k/1"]],
        ]
        #expect(try await azure("PUT", path, ["location": "westeurope"]).code == "InvalidParameter")
        #expect(try await azure("PUT", path, body).status == 202)
        #expect(try await azure("GET", path).json[path: "identity.principalId"]?.string?.isEmpty == false)
        #expect(try await azure("DELETE", path).status == 202)
    }
}

@Suite struct CatalogTests {
    @Test(
        "Sizes have the data disks that Azure gives them",
        arguments: [
            ("Standard_D2s_v4", 4), ("Standard_D4s_v4", 8), ("Standard_D8s_v4", 16), ("Standard_D16s_v4", 32),
            ("Standard_D64s_v4", 32), ("Standard_D2s_v5", 4), ("Standard_B2s", 4), ("Standard_DS1_v2", 4),
        ])
    func sizes(name: String, disks: Int) async throws {
        let azure = try TestEmulator()
        let skus =
            try await azure(
                "GET", "providers/Microsoft.Compute/skus", query: ["$filter": "location eq 'westeurope'"]
            ).json["value"]?.array ?? []
        #expect(skus.allSatisfy { $0["locations"] == ["WestEurope"] })
        let sku = try #require(skus.first { $0["name"]?.string == name })
        let capability = sku["capabilities"]?.array?.first { $0["name"] == "MaxDataDiskCount" }
        #expect(capability?["value"]?.string == "\(disks)")
        let sizes = try await azure("GET", "providers/Microsoft.Compute/locations/westeurope/vmSizes").json["value"]
        #expect(sizes?.array?.first { $0["name"]?.string == name }?["maxDataDiskCount"]?.integer == Int64(disks))
    }

    private static let machine: JSONValue = [
        "properties": [
            "mode": "Incremental",
            "template": [
                "resources": [
                    [
                        "type": "Microsoft.Compute/virtualMachines", "name": "vm", "apiVersion": "2024-11-01",
                        "location": "westeurope", "zones": ["2"],
                        "properties": ["hardwareProfile": ["vmSize": "Standard_D4s_v5"]],
                    ]
                ]
            ],
        ]
    ]

    @Test("What a subscription cannot have is said in the list of sizes, and when a template asks for it")
    func restrictions() async throws {
        let path = "resourceGroups/rg/providers/Microsoft.Resources/deployments/d/validate"
        for zone in [nil, "2", "3"] {
            let azure = try TestEmulator(configure: {
                $0.offer = ComputeOffer(restrictions: [
                    .init(size: "Standard_D4s_v5", location: "westeurope", zone: zone)
                ])
            })
            try await azure.makeGroup()
            let skus = try await azure("GET", "providers/Microsoft.Compute/skus").json["value"]?.array ?? []
            let restricted = skus.filter { $0["restrictions"] != [] }
            #expect(restricted.count == 1)
            #expect(restricted.first?["restrictions"]?.array?.first?["type"] == (zone == nil ? "Location" : "Zone"))
            let reply = try await azure("POST", path, Self.machine)
            let details = reply.json[path: "error.details"]?.array?.compactMap { $0["code"]?.string }
            #expect(details == (zone == "3" ? nil : ["SkuNotAvailable"]))
        }
    }

    @Test("A quota is shown, and a template that goes beyond it is refused with Azure's words")
    func quota() async throws {
        let azure = try TestEmulator(configure: { $0.offer = ComputeOffer(coreLimits: ["standardDSv5Family": 3]) })
        try await azure.makeGroup()
        let usages = try await azure("GET", "providers/Microsoft.Compute/locations/westeurope/usages").json["value"]
        let family = usages?.array?.first { $0[path: "name.value"] == "standardDSv5Family" }
        #expect(family?["limit"]?.integer == 3)
        let reply = try await azure(
            "POST", "resourceGroups/rg/providers/Microsoft.Resources/deployments/d/validate", Self.machine)
        let error = try #require(reply.json[path: "error.details"]?.array?.first)
        #expect(error["code"] == "QuotaExceeded")
        #expect(error["message"]?.string?.contains("exceeding approved standardDSv5Family Cores quota") == true)
        #expect(
            error["message"]?.string?.contains("Current Limit: 3, Current Usage: 0, Additional Required: 4") == true)
    }
}
