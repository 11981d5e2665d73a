import SalvorJSON
import Testing

@testable import AzureEmulator

private let compute = "resourceGroups/rg/providers/Microsoft.Compute"
private let root = "/subscriptions/\(TestEmulator.subscription)"

@Suite struct ConcurrencyTests {
    @Test("Of two clients that attach one disk at once, one has it and the other is told who")
    func twoOnOneDisk() async throws {
        let azure = try TestEmulator(latency: .seconds(5))
        try await azure.makeGround(for: ["one", "two"])
        for name in ["one", "two"] { try await azure.makeMachine(name) }
        try await azure.makeDisk("shared")
        let attach: JSONValue = ["dataDisksToAttach": [["diskId": .string("\(root)/\(compute)/disks/shared")]]]
        let replies = try await withThrowingTaskGroup(of: TestEmulator.Reply.self) { group in
            for name in ["one", "two"] {
                group.addTask {
                    try await azure("POST", "\(compute)/virtualMachines/\(name)/attachDetachDataDisks", attach)
                }
            }
            return try await group.reduce(into: [TestEmulator.Reply]()) { $0.append($1) }
        }
        #expect(replies.map(\.status).sorted() == [202, 409])
        #expect(replies.compactMap(\.code) == ["ConflictingUserInput"])
        azure.pass(.seconds(5))
        let disk = try await azure("GET", "\(compute)/disks/shared").json
        let owner = try #require(disk["managedBy"]?.string)
        let machine = try await azure("GET", String(owner.dropFirst(root.count + 1))).json
        #expect(machine[path: "properties.storageProfile.dataDisks"]?.array?.count == 1)
    }

    @Test("A disk that is being detached cannot be attached, and can be when that has ended")
    func whileBeingDetached() async throws {
        let azure = try TestEmulator(latency: .seconds(5))
        try await azure.makeGround(for: ["one", "two"])
        for name in ["one", "two"] { try await azure.makeMachine(name) }
        try await azure.makeDisk("shared")
        let disk: JSONValue = ["diskId": .string("\(root)/\(compute)/disks/shared")]
        func send(_ name: String, _ body: JSONValue) async throws -> TestEmulator.Reply {
            try await azure("POST", "\(compute)/virtualMachines/\(name)/attachDetachDataDisks", body)
        }
        #expect(try await send("one", ["dataDisksToAttach": [disk]]).status == 202)
        azure.pass(.seconds(5))
        #expect(try await send("one", ["dataDisksToDetach": [disk]]).status == 202)
        let early = try await send("two", ["dataDisksToAttach": [disk]])
        #expect(early.status == 409 && early.code == "AttachDiskWhileBeingDetached")
        azure.pass(.seconds(5))
        #expect(try await send("two", ["dataDisksToAttach": [disk]]).status == 202)
    }

    @Test("A group that is deleted while a machine is created in it takes the machine along, and takes nothing new")
    func groupGoes() async throws {
        let azure = try TestEmulator(latency: .seconds(5))
        try await azure.makeGround()
        let create = try await azure("PUT", "\(compute)/virtualMachines/vm", TestEmulator.machine())
        #expect(create.status == 201)
        let delete = try await azure("DELETE", "resourceGroups/rg")
        #expect(delete.status == 202)
        #expect(delete.response[header: "Location"] != nil && delete.response[header: "Azure-AsyncOperation"] == nil)
        let late = try await azure("PUT", "\(compute)/disks/late", ["location": "westeurope"])
        #expect(late.status == 409 && late.code == "ResourceGroupBeingDeleted")
        for _ in 0..<6 {
            azure.pass(.seconds(5))
            _ = try await azure("GET", "resourcegroups")
        }
        #expect(try await azure("GET", "resourceGroups/rg").code == "ResourceGroupNotFound")
        #expect(try await azure("GET", "\(compute)/virtualMachines/vm").status == 404)
        #expect(try await azure.follow(delete, "Location").status == 200)
        let ended = try await azure.follow(create, "Azure-AsyncOperation").json["status"]
        #expect(ended == "Failed" || ended == "Succeeded")
    }

    @Test("Of requests that come at once each is answered, and the state is one that some order of them makes")
    func storm() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        let body: JSONValue = [
            "location": "westeurope", "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 4],
        ]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let path = "\(compute)/disks/d\(number % 50)"
                    let reply =
                        number % 4 == 3 ? try await azure("DELETE", path) : try await azure("PUT", path, body)
                    #expect([202, 204].contains(reply.status), "\(reply.json)")
                }
            }
            try await group.waitForAll()
        }
        for disk in try await azure("GET", "\(compute)/disks").json["value"]?.array ?? [] {
            #expect(disk[path: "properties.provisioningState"] == "Succeeded")
            #expect(disk[path: "properties.diskState"] == "Unattached")
        }
    }
}
