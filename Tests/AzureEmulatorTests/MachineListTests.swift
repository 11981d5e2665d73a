import AzureEmulator
import SalvorJSON
import Testing

private let compute = "resourceGroups/rg/providers/Microsoft.Compute"
private let root = "/subscriptions/\(TestEmulator.subscription)"
private let machines = "providers/Microsoft.Compute/virtualMachines"

@Suite struct MachineListTests {
    private func agent(_ azure: TestEmulator) async throws -> String? {
        try await azure("GET", "\(compute)/virtualMachines/vm/instanceView").json[path: "vmAgent.statuses"]?.array?
            .first?["displayStatus"]?.string
    }

    @Test("A list with statusOnly says what machines are doing, and not what they are")
    func statusOnly() async throws {
        let azure = try TestEmulator()
        try await azure.makeGround()
        try await azure.makeMachine()
        let falcon: JSONValue = [
            "location": "westeurope",
            "properties": [
                "publisher": "CrowdStrike.Falcon", "type": "FalconSensorWindows", "typeHandlerVersion": "1.0",
            ],
        ]
        #expect(try await azure("PUT", "\(compute)/virtualMachines/vm/extensions/falcon", falcon).status == 201)
        azure.pass(.seconds(60))
        let listed = try await azure("GET", machines, query: ["statusonly": "true"]).json["value"]?.array ?? []
        #expect(listed.count == 1)
        #expect(Set((listed[0]["properties"]?.object ?? [:]).keys) == ["vmId", "provisioningState", "instanceView"])
        let view = try #require(listed[0][path: "properties.instanceView"])
        #expect(view["statuses"]?.array?.last?["code"] == "PowerState/running")
        #expect(view["extensions"]?.array?.first?["type"] == "CrowdStrike.Falcon.FalconSensorWindows")
        #expect(
            view[path: "vmAgent.extensionHandlers"]?.array?.first?["type"] == "CrowdStrike.Falcon.FalconSensorWindows")
        let plain = try await azure("GET", machines).json["value"]?.array ?? []
        #expect(plain[0][path: "properties.instanceView"] == nil)
        #expect(plain[0][path: "properties.storageProfile"] != nil)
    }

    @Test("A list is expanded for the machines of a scale set alone")
    func expand() async throws {
        let azure = try TestEmulator()
        try await azure.makeGround()
        try await azure.makeMachine()
        let all = try await azure("GET", machines, query: ["$expand": "instanceView"])
        #expect(all.status == 400 && all.code == "InvalidParameter")
        let filter = "'virtualMachineScaleSet/id' eq '\(root)/\(compute)/virtualMachineScaleSets/none'"
        let ofSet = try await azure("GET", machines, query: ["$expand": "instanceView", "$filter": filter])
        #expect(ofSet.status == 200 && ofSet.json["value"] == [])
        #expect(try await azure("GET", machines, query: ["$filter": "name eq 'vm'"]).code == "InvalidParameter")
    }

    @Test("A machine that is said not to boot runs with an agent that is not ready, until it gets another OS disk")
    func unbootable() async throws {
        let azure = try TestEmulator()
        try await azure.makeGround()
        try await azure.makeMachine()
        #expect(try await agent(azure) == "Ready")
        let id = "\(root)/\(compute)/virtualMachines/vm"
        let said = try await azure("PUT", "/emulator/guests", ["unbootable": [.string(id.uppercased())]])
        #expect(said.status == 200 && said.json["unbootable"] == [.string(id)], "\(said.json)")
        #expect(try await agent(azure) == "Not Ready")
        #expect(try await azure.power() == "PowerState/running")
        #expect(try await azure("POST", "\(compute)/virtualMachines/vm/restart").status == 202)
        #expect(try await agent(azure) == "Not Ready")

        let copy: JSONValue = [
            "location": "westeurope",
            "properties": [
                "creationData": [
                    "createOption": "Copy", "sourceResourceId": .string("\(root)/\(compute)/disks/vm-os"),
                ], "hyperVGeneration": "V2",
            ],
        ]
        #expect(try await azure("PUT", "\(compute)/disks/repaired", copy).status == 202)
        azure.pass(.seconds(60))
        func swap(to disk: String) async throws {
            let reply = try await azure(
                "PATCH", "\(compute)/virtualMachines/vm",
                [
                    "properties": [
                        "storageProfile": [
                            "osDisk": [
                                "name": .string(disk),
                                "managedDisk": ["id": .string("\(root)/\(compute)/disks/\(disk)")],
                            ]
                        ]
                    ]
                ])
            #expect(reply.status == 200, "\(reply.json)")
            azure.pass(.seconds(60))
        }
        try await swap(to: "repaired")
        #expect(try await agent(azure) == "Ready")
        #expect(try await azure("GET", "/emulator/guests").json["unbootable"] == [])
        try await swap(to: "vm-os")
        #expect(try await agent(azure) == "Not Ready")
        #expect(try await azure("PUT", "/emulator/guests", ["unbootable": []]).status == 200)
        #expect(try await agent(azure) == "Ready")
        let none: JSONValue = ["unbootable": [.string("\(root)/\(compute)/virtualMachines/none")]]
        #expect(try await azure("PUT", "/emulator/guests", none).status == 404)
        #expect(try await azure("PUT", "/emulator/guests", ["unbootable": ["vm"]]).code == "InvalidGuests")
    }
}
