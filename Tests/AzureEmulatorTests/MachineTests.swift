import AzureEmulator
import SalvorJSON
import Testing

private let compute = "resourceGroups/rg/providers/Microsoft.Compute"
private let network = "resourceGroups/rg/providers/Microsoft.Network"
private let root = "/subscriptions/\(TestEmulator.subscription)"

extension TestEmulator {
    /// A group with a network, an interface for each name, and a specialised Windows disk for each name.
    func makeGround(for names: [String] = ["vm"]) async throws {
        try await makeGroup()
        let vnet = try await self(
            "PUT", "\(network)/virtualNetworks/net",
            [
                "location": "westeurope",
                "properties": [
                    "addressSpace": ["addressPrefixes": ["10.0.0.0/16"]],
                    "subnets": [["name": "default", "properties": ["addressPrefix": "10.0.0.0/24"]]],
                ],
            ])
        #expect(vnet.status == 201, "\(vnet.json)")
        for name in names {
            let interface = try await self("PUT", "\(network)/networkInterfaces/\(name)-nic", Self.interface)
            #expect(interface.status == 201, "\(interface.json)")
            try await makeDisk("\(name)-os", sizeGB: 127)
            _ = try await self(
                "PATCH", "\(compute)/disks/\(name)-os", ["properties": ["osType": "Windows", "hyperVGeneration": "V2"]])
        }
        pass(.seconds(60))
    }

    static let interface: JSONValue = [
        "location": "westeurope",
        "properties": [
            "ipConfigurations": [
                [
                    "name": "one",
                    "properties": [
                        "subnet": ["id": .string("\(root)/\(network)/virtualNetworks/net/subnets/default")]
                    ],
                ]
            ]
        ],
    ]

    static func machine(_ name: String = "vm", size: String = "Standard_D2s_v5") -> JSONValue {
        [
            "location": "westeurope",
            "properties": [
                "hardwareProfile": ["vmSize": .string(size)],
                "storageProfile": [
                    "osDisk": [
                        "createOption": "Attach", "osType": "Windows",
                        "managedDisk": ["id": .string("\(root)/\(compute)/disks/\(name)-os")],
                    ]
                ],
                "networkProfile": [
                    "networkInterfaces": [["id": .string("\(root)/\(network)/networkInterfaces/\(name)-nic")]]
                ],
            ],
        ]
    }

    func makeMachine(_ name: String = "vm") async throws {
        let reply = try await self("PUT", "\(compute)/virtualMachines/\(name)", Self.machine(name))
        #expect(reply.status == 201, "\(reply.json)")
        pass(.seconds(60))
    }

    func diskState(_ name: String) async throws -> String {
        try await self("GET", "\(compute)/disks/\(name)").json[path: "properties.diskState"]?.string ?? ""
    }

    func power(_ name: String = "vm") async throws -> String? {
        try await self("GET", "\(compute)/virtualMachines/\(name)/instanceView").json["statuses"]?.array?.compactMap {
            $0["code"]?.string
        }.last
    }
}

@Suite struct MachineTests {
    @Test("A machine is made of a disk and an interface, which are its own from then on")
    func create() async throws {
        let azure = try TestEmulator(latency: .seconds(5))
        try await azure.makeGround()
        let reply = try await azure("PUT", "\(compute)/virtualMachines/vm", TestEmulator.machine())
        #expect(reply.status == 201)
        #expect(reply.response[header: "Azure-AsyncOperation"] != nil && reply.response[header: "Location"] == nil)
        #expect(reply.json[path: "properties.provisioningState"]?.string == "Creating")
        azure.pass(.seconds(5))
        let machine = try await azure("GET", "\(compute)/virtualMachines/VM", query: ["$expand": "instanceView"]).json
        #expect(machine[path: "properties.provisioningState"]?.string == "Succeeded")
        #expect(machine[path: "properties.instanceView.vmAgent.statuses"] != nil)
        #expect(machine[path: "properties.storageProfile.osDisk.name"]?.string == "vm-os")
        #expect(try await azure.power() == "PowerState/running")
        #expect(try await azure.diskState("vm-os") == "Attached")
        let disk = try await azure("GET", "\(compute)/disks/vm-os").json
        #expect(disk["managedBy"]?.string == "\(root)/\(compute)/virtualMachines/vm")
        #expect(try await azure("DELETE", "\(compute)/disks/vm-os").code == "OperationNotAllowed")
        #expect(try await azure("DELETE", "\(network)/networkInterfaces/vm-nic").code == "NicInUse")
        #expect(
            try await azure("DELETE", "\(network)/virtualNetworks/net").code == "InUseSubnetCannotBeDeleted")
    }

    @Test("Power goes through its states, and the disks with it")
    func power() async throws {
        let azure = try TestEmulator(latency: .seconds(5))
        try await azure.makeGround()
        try await azure.makeMachine()
        for (action, state, disk) in [
            ("powerOff", "stopped", "Attached"), ("deallocate", "deallocated", "Reserved"),
            ("start", "running", "Attached"), ("restart", "running", "Attached"),
        ] {
            let reply = try await azure("POST", "\(compute)/virtualMachines/vm/\(action)")
            #expect(reply.status == 202)
            #expect(reply.json == .null)
            #expect(try await azure("POST", "\(compute)/virtualMachines/vm/start").code == "OperationNotAllowed")
            azure.pass(.seconds(5))
            #expect(try await azure.follow(reply, "Location").status == 200)
            #expect(try await azure.power() == "PowerState/\(state)")
            #expect(try await azure.diskState("vm-os") == disk)
        }
    }

    @Test("A disk of one machine is refused to another")
    func ownership() async throws {
        let azure = try TestEmulator()
        try await azure.makeGround(for: ["vm", "other"])
        try await azure.makeMachine()
        try await azure.makeMachine("other")
        let attach: JSONValue = [
            "dataDisksToAttach": [["diskId": .string("\(root)/\(compute)/disks/vm-os"), "lun": 0]]
        ]
        let reply = try await azure("POST", "\(compute)/virtualMachines/other/attachDetachDataDisks", attach)
        #expect(reply.status == 409 && reply.code == "ConflictingUserInput")
        #expect(reply.json[path: "error.message"]?.string?.contains("already owned by VM") == true)
    }

    @Test("Several disks are attached and detached in one call, up to what the size takes")
    func attachDetach() async throws {
        let azure = try TestEmulator()
        try await azure.makeGround()
        try await azure.makeMachine()
        for number in 0..<5 { try await azure.makeDisk("data\(number)") }
        func id(_ number: Int) -> JSONValue { .string("\(root)/\(compute)/disks/data\(number)") }
        let path = "\(compute)/virtualMachines/vm/attachDetachDataDisks"
        let five: JSONValue = ["dataDisksToAttach": .array((0..<5).map { ["diskId": id($0)] })]
        #expect(try await azure(("POST"), path, five).code == "OperationNotAllowed")
        #expect(try await azure.diskState("data0") == "Unattached")
        let four: JSONValue = ["dataDisksToAttach": .array((0..<4).map { ["diskId": id($0)] })]
        #expect(try await azure("POST", path, four).status == 202)
        let luns = try await azure("GET", "\(compute)/virtualMachines/vm").json[
            path: "properties.storageProfile.dataDisks"]?.array?.compactMap { $0["lun"]?.integer }
        #expect(luns == [0, 1, 2, 3])
        let change: JSONValue = [
            "dataDisksToDetach": [["diskId": id(0)], ["diskId": id(1)]],
            "dataDisksToAttach": [["diskId": id(4), "lun": 1]],
        ]
        #expect(try await azure("POST", path, change).status == 202)
        #expect(try await azure.diskState("data0") == "Unattached")
        #expect(try await azure.diskState("data4") == "Attached")
        let twice: JSONValue = ["dataDisksToAttach": [["diskId": id(0), "lun": 1]]]
        #expect(try await azure("POST", path, twice).code == "InvalidParameter")
        #expect(
            try await azure("POST", path, ["dataDisksToDetach": [["diskId": id(0)]]]).code == "InvalidParameter")
    }

    @Test("The OS disk is swapped for one of the same kind", arguments: ["running", "stopped", "deallocated"])
    func swap(power: String) async throws {
        let azure = try TestEmulator(latency: .seconds(5))
        try await azure.makeGround(for: ["vm", "new"])
        try await azure.makeMachine()
        let path = "\(compute)/virtualMachines/vm"
        func osDisk(_ name: String, option: String = "Attach") -> JSONValue {
            [
                "properties": [
                    "storageProfile": [
                        "osDisk": [
                            "name": .string(name), "createOption": .string(option),
                            "managedDisk": ["id": .string("\(root)/\(compute)/disks/\(name)")],
                        ]
                    ]
                ]
            ]
        }
        if power != "running" {
            _ = try await azure("POST", "\(path)/\(power == "stopped" ? "powerOff" : "deallocate")")
            azure.pass(.seconds(5))
        }
        #expect(
            try await azure("PATCH", path, osDisk("new-os", option: "FromImage")).code == "PropertyChangeNotAllowed")
        #expect(try await azure("PATCH", path, osDisk("missing")).code == "NotFound")
        try await azure.makeDisk("linux", sizeGB: 127)
        #expect(try await azure("PATCH", path, osDisk("linux")).code == "PropertyChangeNotAllowed")
        let reply = try await azure("PATCH", path, osDisk("new-os"))
        #expect(reply.status == 200)
        #expect(reply.json[path: "properties.provisioningState"]?.string == "Updating")
        #expect(reply.json[path: "properties.storageProfile.osDisk.name"]?.string == "new-os")
        azure.pass(.seconds(5))
        #expect(try await azure.diskState("vm-os") == "Unattached")
        #expect(try await azure.diskState("new-os") == (power == "deallocated" ? "Reserved" : "Attached"))
        #expect(try await azure("GET", "\(compute)/disks/vm-os").json["managedBy"] == nil)
    }

    @Test(
        "A machine that cannot be is refused, and takes no disk",
        arguments: [
            ("properties.hardwareProfile.vmSize", .string("Standard_Huge"), "InvalidParameter"),
            ("properties.networkProfile", .object([:]), "InvalidParameter"),
            (
                "properties.networkProfile.networkInterfaces", .array([["id": "/subscriptions/s/nowhere"]]),
                "InvalidResourceReference"
            ),
            ("properties.storageProfile.osDisk.managedDisk.id", .string("/nonsense"), "InvalidParameter"),
            (
                "properties.storageProfile.dataDisks",
                .array([["lun": 0, "createOption": "Empty"], ["lun": 0, "createOption": "Empty"]]), "InvalidParameter"
            ),
            ("location", .null, "LocationRequired"),
        ] as [(String, JSONValue, String)])
    func refusals(path: String, value: JSONValue, code: String) async throws {
        let azure = try TestEmulator()
        try await azure.makeGround()
        var body = TestEmulator.machine()
        body[path: path] = value
        let reply = try await azure("PUT", "\(compute)/virtualMachines/vm", body)
        #expect(reply.code == code, "\(reply.json)")
        #expect(try await azure("GET", "\(compute)/virtualMachines/vm").status == 404)
        #expect(try await azure.diskState("vm-os") == "Unattached")
    }

    @Test("A machine goes, its disks stay, but for those that were to go with it")
    func delete() async throws {
        let azure = try TestEmulator()
        try await azure.makeGround()
        try await azure.makeDisk("gone")
        var body = TestEmulator.machine()
        body[path: "properties.storageProfile.dataDisks"] = [
            [
                "lun": 3, "createOption": "Attach", "deleteOption": "Delete",
                "managedDisk": ["id": .string("\(root)/\(compute)/disks/gone")],
            ]
        ]
        #expect(try await azure("PUT", "\(compute)/virtualMachines/vm", body).status == 201)
        azure.pass(.seconds(1))
        #expect(try await azure("DELETE", "\(compute)/virtualMachines/vm").status == 202)
        #expect(try await azure.diskState("vm-os") == "Unattached")
        #expect(try await azure("GET", "\(compute)/disks/gone").status == 404)
        #expect(try await azure("DELETE", "\(network)/networkInterfaces/vm-nic").status == 202)
        #expect(try await azure("DELETE", "\(compute)/virtualMachines/vm").status == 204)
    }
}

@Suite struct DeploymentTests {
    private let path = "resourceGroups/rg/providers/Microsoft.Resources/deployments/d"

    private func template(
        size: String = "Standard_D2s_v5", needs: JSONValue = ["[resourceId('Microsoft.Compute/disks', 'b')]"]
    )
        -> JSONValue
    {
        [
            "properties": [
                "mode": "Incremental", "parameters": ["size": ["value": 4]],
                "template": [
                    "parameters": ["size": ["type": "int"]], "variables": ["prefix": "da"],
                    "resources": [
                        [
                            "type": "Microsoft.Compute/disks", "name": "[concat(variables('prefix'), 'ta')]",
                            "apiVersion": "2024-03-02", "location": "[resourceGroup().location]", "dependsOn": needs,
                            "tags": .null,
                            "properties": [
                                "creationData": [
                                    "createOption": "Copy",
                                    "sourceResourceId": "[resourceId('Microsoft.Compute/disks', 'b')]",
                                ]
                            ],
                        ],
                        [
                            "type": "Microsoft.Compute/disks", "name": "b", "apiVersion": "2024-03-02",
                            "location": "westeurope",
                            "properties": [
                                "creationData": ["createOption": "Empty"], "diskSizeGB": "[parameters('size')]",
                            ],
                        ],
                    ],
                ],
            ]
        ]
    }

    @Test("Resources of a template are made in the order of their needs, with its expressions evaluated")
    func order() async throws {
        let azure = try TestEmulator(latency: .seconds(5))
        try await azure.makeGroup()
        let reply = try await azure("PUT", path, template())
        #expect(reply.status == 201)
        var status: String?
        for _ in 0..<200 where status != "Succeeded" {
            azure.pass(.milliseconds(500))
            status = try await azure.follow(reply, "Azure-AsyncOperation").json["status"]?.string
        }
        #expect(status == "Succeeded")
        let disk = try await azure("GET", "resourceGroups/rg/providers/Microsoft.Compute/disks/data").json
        #expect(disk[path: "properties.diskSizeGB"]?.integer == 4)
        #expect(disk["location"]?.string == "westeurope")
        let deployment = try await azure("GET", path).json
        #expect(deployment[path: "properties.provisioningState"]?.string == "Succeeded")
        #expect(deployment[path: "properties.outputResources"]?.array?.count == 2)
    }

    @Test("A resource that fails fails the deployment, with its error behind it")
    func failure() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        // The copy is asked for before its source is there.
        let reply = try await azure("PUT", path, template(needs: []))
        azure.pass(.seconds(1))
        let status = try await azure.follow(reply, "Azure-AsyncOperation").json
        #expect(status["status"]?.string == "Failed")
        #expect(status[path: "error.code"]?.string == "DeploymentFailed")
        #expect(status[path: "error.details"]?.array?.first?["code"]?.string == "ResourceNotFound")
    }

    @Test(
        "A template that makes no sense is refused",
        arguments: [
            ("properties.template", .null), ("properties.template.resources", .null),
            ("properties.template.resources", [["type": "Microsoft.Compute/disks"]]),
            ("properties.template.resources", [["type": "Microsoft.Compute/disks", "name": "a/b"]]),
            ("properties.template.resources", [["type": "Microsoft.Compute/disks", "name": "[parameters('none')]"]]),
            ("properties.template.resources", [["type": "Microsoft.Compute/disks", "name": "[unknown('x')]"]]),
            ("properties.template.resources", [["type": "Microsoft.Compute/disks", "name": "[concat('x]"]]),
        ] as [(String, JSONValue)])
    func nonsense(place: String, value: JSONValue) async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        var body = template()
        body[path: place] = value
        for (method, path) in [("PUT", path), ("POST", "\(path)/validate")] {
            let reply = try await azure(method, path, body)
            #expect(reply.status == 400)
            #expect(reply.code == "InvalidTemplate")
        }
        #expect(try await azure("GET", path).status == 404)
    }
}
