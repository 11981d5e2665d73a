import AzureEmulator
import SalvorJSON
import Testing

private let compute = "resourceGroups/rg/providers/Microsoft.Compute"
private let network = "resourceGroups/rg/providers/Microsoft.Network"
private let root = "/subscriptions/\(TestEmulator.subscription)"
private let path = "\(compute)/virtualMachines/vm"
private let interfaces = "properties.networkProfile.networkInterfaces"
private let configurations = "properties.networkProfile.networkInterfaceConfigurations"

/// A machine whose interface is made with it.
private func machine(_ change: JSONValue = [:]) -> JSONValue {
    var body = TestEmulator.machine()
    body[path: "properties.networkProfile"] = [
        "networkApiVersion": "2022-11-01",
        "networkInterfaceConfigurations": [
            [
                "name": "nic",
                "properties": [
                    "deleteOption": "Delete", "enableAcceleratedNetworking": true,
                    "ipConfigurations": [
                        [
                            "name": "one",
                            "properties": [
                                "subnet": ["id": .string("\(root)/\(network)/virtualNetworks/net/subnets/default")]
                            ],
                        ]
                    ],
                ],
            ]
        ],
    ]
    return body.merged(with: change)
}

@Suite struct MachineCreationTests {
    @Test("An interface is made with its machine, is named after its configuration, and goes with the machine")
    func inlineInterface() async throws {
        let azure = try TestEmulator()
        try await azure.makeGround()
        let made = try await azure("PUT", path, machine())
        #expect(made.status == 201, "\(made.json)")
        #expect(made.json[path: configurations] == nil)
        let shown = try #require(made.json[path: interfaces]?.array)
        #expect(shown.count == 1)
        #expect(shown[0]["properties"] == ["primary": true, "deleteOption": "Delete"])
        let id = try #require(shown[0]["id"]?.string)
        #expect(id.hasPrefix("\(root)/\(network)/networkInterfaces/nic-"))
        azure.pass(.seconds(60))
        let interface = try await azure("GET", id).json
        #expect(interface[path: "properties.virtualMachine.id"]?.string == "\(root)/\(path)")
        #expect(interface[path: "properties.enableAcceleratedNetworking"] == true)
        #expect(interface[path: "properties.provisioningState"] == "Succeeded")

        // A request that is repeated makes no second one.
        let again = try await azure("PUT", path, machine())
        #expect(again.status == 200 && again.json[path: interfaces] == .array(shown), "\(again.json)")
        azure.pass(.seconds(60))
        var other = machine()
        other[path: configurations] = [["name": "another"]]
        #expect(try await azure("PUT", path, other).code == "PropertyChangeNotAllowed")
        #expect(try await azure("DELETE", path).status == 202)
        azure.pass(.seconds(60))
        #expect(try await azure("GET", id).status == 404)
        // Its address is free again: the other interface alone keeps the subnet in use.
        #expect(try await azure("DELETE", "\(network)/networkInterfaces/vm-nic").status == 202)
        azure.pass(.seconds(60))
        #expect(try await azure("DELETE", "\(network)/virtualNetworks/net").status == 202)
    }

    @Test(
        "An interface that cannot be made leaves neither itself nor the machine",
        arguments: [
            (["properties": ["networkProfile": ["networkApiVersion": .null]]], 400, "InvalidParameter"),
            (
                [
                    "properties": [
                        "networkProfile": [
                            "networkInterfaces": [["id": .string("\(root)/\(network)/networkInterfaces/vm-nic")]]
                        ]
                    ]
                ], 400, "InvalidParameter"
            ),
            (
                ["properties": ["networkProfile": ["networkInterfaceConfigurations": [["name": "nic"]]]]], 400,
                "InvalidRequestFormat"
            ),
            (["properties": ["hardwareProfile": ["vmSize": "Standard_None"]]], 400, "InvalidParameter"),
        ] as [(JSONValue, Int, String)])
    func refusals(change: JSONValue, status: Int, code: String) async throws {
        let azure = try TestEmulator()
        try await azure.makeGround()
        let reply = try await azure("PUT", path, machine(change))
        #expect(reply.status == status && reply.code == code, "\(reply.json)")
        #expect(try await azure("GET", path).status == 404)
        let left = try await azure("GET", "\(network)/networkInterfaces").json["value"]?.array ?? []
        #expect(left.compactMap { $0["name"]?.string } == ["vm-nic"])
    }

    @Test("A generalised image needs a first user, and a specialised disk cannot have one")
    func firstUser() async throws {
        let azure = try TestEmulator()
        try await azure.makeGround()
        let profile: JSONValue = ["computerName": "vm", "adminUsername": "operator"]
        let attached = try await azure("PUT", path, machine(["properties": ["osProfile": profile]]))
        #expect(attached.status == 400 && attached.code == "InvalidParameter")
        #expect(attached.json[path: "error.target"] == "osProfile")
        var fresh = machine()
        fresh[path: "properties.storageProfile"] = [
            "imageReference": [
                "publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2022-datacenter-g2",
                "version": "latest",
            ], "osDisk": ["createOption": "FromImage"],
        ]
        #expect(try await azure("PUT", path, fresh).json[path: "error.target"] == "osProfile")
        fresh[path: "properties.osProfile"] = profile
        #expect(try await azure("PUT", path, fresh).status == 201)
    }

    @Test("A machine of a specialised gallery version begins with the bytes of that, and needs no first user")
    func bytesOfImage() async throws {
        let ground = try DiskGround()
        let azure = ground.azure
        try await azure.makeGround()
        try await ground.makeUpload()
        let address = try await ground.grant("\(DiskGround.disks)/up")
        let bytes = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(await ground.write(bytes, at: 1 << 20, to: address).status == 201)
        let footer = DiskGround.footer(of: DiskGround.content)
        #expect(await ground.write(footer, at: DiskGround.content, to: address).status == 201)
        #expect(try await ground.revoke("\(DiskGround.disks)/up").json["status"] == "Succeeded")
        let system: JSONValue = ["properties": ["osType": "Linux", "hyperVGeneration": "V2"]]
        #expect(try await azure("PATCH", "\(DiskGround.disks)/up", system).status == 202)
        try await ground.finish()

        func make(_ path: String, _ properties: JSONValue) async throws {
            let reply = try await azure(
                "PUT", "\(compute)/galleries/\(path)", ["location": "westeurope", "properties": properties])
            #expect((200...202).contains(reply.status), "\(reply.json)")
            try await ground.finish()
            azure.pass(.seconds(60))
        }
        try await make("g", [:])
        try await make(
            "g/images/rescue",
            [
                "osType": "Linux", "osState": "Specialized", "hyperVGeneration": "V2",
                "identifier": ["publisher": "p", "offer": "o", "sku": "s"],
            ])
        try await make(
            "g/images/rescue/versions/1.0.0",
            ["storageProfile": ["osDiskImage": ["source": ["id": .string("\(root)/\(DiskGround.disks)/up")]]]])

        var body = machine(["properties": ["userData": "aGVsbG8="]])
        body[path: "properties.storageProfile"] = [
            "imageReference": ["id": .string("\(root)/\(compute)/galleries/g/images/rescue")],
            "osDisk": ["name": "rescue-os", "createOption": "FromImage", "deleteOption": "Delete"],
        ]
        let made = try await azure("PUT", path, body)
        #expect(made.status == 201, "\(made.json)")
        try await ground.finish()
        let shown = try await azure("GET", path, query: ["$expand": "userData"]).json
        #expect(shown[path: "properties.provisioningState"] == "Succeeded")
        #expect(shown[path: "properties.userData"] == "aGVsbG8=")
        let content = try ground.content("\(DiskGround.disks)/rescue-os")
        let read = try await ground.contents.read(content, (1 << 20)..<(1 << 20) + 4096)
        #expect(read == bytes)
    }
}
