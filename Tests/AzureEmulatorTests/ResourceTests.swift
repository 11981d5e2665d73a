import AzureEmulator
import Foundation
import SalvorJSON
import Testing

private let disks = "resourceGroups/rg/providers/Microsoft.Compute/disks"

@Suite struct ResourceTests {
    @Test("A disk is made: 202 without id, InProgress, Succeeded with the disk as output, and then it is there")
    func create() async throws {
        let azure = try TestEmulator(latency: .seconds(5))
        try await azure.makeGroup()
        let reply = try await azure(
            "PUT", "\(disks)/d1",
            ["location": "West Europe", "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 8]])
        #expect(reply.status == 202)
        #expect(reply.json["id"] == nil)
        #expect(reply.json[path: "properties.provisioningState"]?.string == "Updating")
        #expect(try await azure.follow(reply, "Azure-AsyncOperation").json["status"]?.string == "InProgress")
        #expect(try await azure.follow(reply, "Location").status == 202)
        azure.pass(.seconds(5))
        let status = try await azure.follow(reply, "Azure-AsyncOperation").json
        #expect(status["status"]?.string == "Succeeded")
        #expect(status[path: "properties.output.name"]?.string == "d1")
        let result = try await azure.follow(reply, "Location")
        #expect(result.status == 200)
        #expect(result.json["id"]?.string?.hasSuffix("/disks/d1") == true)
        let disk = try await azure("GET", "\(disks)/D1").json
        #expect(disk["location"]?.string == "westeurope")
        #expect(disk[path: "properties.diskState"]?.string == "Unattached")
        #expect(disk[path: "properties.diskSizeBytes"]?.integer == 8 << 30)
    }

    @Test(
        "What a disk cannot be is refused, and nothing is made",
        arguments: [
            (["location": "westeurope"], "InvalidParameter"),
            (["properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 8]], "LocationRequired"),
            (["location": "w", "properties": ["creationData": ["createOption": "Empty"]]], "InvalidParameter"),
            (
                ["location": "w", "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 0]],
                "InvalidParameter"
            ),
            (
                ["location": "w", "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 32768]],
                "InvalidParameter"
            ),
            (["location": "w", "properties": ["creationData": ["createOption": "Copy"]]], "InvalidParameter"),
            (
                [
                    "location": "w",
                    "properties": ["creationData": ["createOption": "Copy", "sourceResourceId": "/nonsense"]],
                ], "InvalidParameter"
            ),
            (
                [
                    "location": "w",
                    "properties": ["creationData": ["createOption": "Upload", "uploadSizeBytes": 1_000_000]],
                ],
                "InvalidParameter"
            ),
        ] as [(JSONValue, String)])
    func refusals(body: JSONValue, code: String) async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        let reply = try await azure("PUT", "\(disks)/d1", body)
        #expect(reply.status == 400)
        #expect(reply.code == code)
        #expect(try await azure("GET", "\(disks)/d1").status == 404)
    }

    @Test("A copy has its source's size and system, and its generation only if told, and may be larger but not smaller")
    func copy() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        try await azure.makeDisk("d1", sizeGB: 16)
        _ = try await azure("PATCH", "\(disks)/d1", ["properties": ["osType": "Windows", "hyperVGeneration": "V2"]])
        let source = "/subscriptions/\(TestEmulator.subscription)/\(disks)/d1"
        func copy(_ name: String, _ size: Int64?) async throws -> TestEmulator.Reply {
            var properties: JSONValue = ["creationData": ["createOption": "Copy", "sourceResourceId": .string(source)]]
            properties[path: "diskSizeGB"] = size.map { .integer($0) }
            return try await azure("PUT", "\(disks)/\(name)", ["location": "westeurope", "properties": properties])
        }
        #expect(try await copy("d2", nil).status == 202)
        let made = try await azure("GET", "\(disks)/d2").json
        #expect(made[path: "properties.diskSizeGB"]?.integer == 16)
        #expect(made[path: "properties.osType"]?.string == "Windows")
        #expect(made[path: "properties.hyperVGeneration"] == nil)
        #expect(try await copy("d3", 32).status == 202)
        #expect(try await copy("d4", 8).code == "InvalidParameter")
    }

    @Test("A disk grows and never shrinks, and what is Azure's to say stays as it is")
    func grow() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        try await azure.makeDisk("d1", sizeGB: 16)
        let change: JSONValue = ["properties": ["diskSizeGB": 32, "diskState": "Attached", "uniqueId": "mine"]]
        #expect(try await azure("PATCH", "\(disks)/d1", change).status == 202)
        let disk = try await azure("GET", "\(disks)/d1").json
        #expect(disk[path: "properties.diskSizeGB"]?.integer == 32)
        #expect(disk[path: "properties.diskState"]?.string == "Unattached")
        #expect(disk[path: "properties.uniqueId"]?.string != "mine")
        let smaller = try await azure("PATCH", "\(disks)/d1", ["properties": ["diskSizeGB": 16]])
        #expect(smaller.status == 409 && smaller.code == "OperationNotAllowed")
    }

    @Test("While one thing is done to a disk, no other is")
    func busy() async throws {
        let azure = try TestEmulator(latency: .seconds(5))
        try await azure.makeGroup()
        try await azure.makeDisk("d1")
        #expect(try await azure("PATCH", "\(disks)/d1", ["properties": ["diskSizeGB": 32]]).status == 202)
        #expect(try await azure("DELETE", "\(disks)/d1").code == "OperationNotAllowed")
        azure.pass(.seconds(5))
        #expect(try await azure("DELETE", "\(disks)/d1").status == 202)
        azure.pass(.seconds(5))
        #expect(try await azure("GET", "\(disks)/d1").status == 404)
        #expect(try await azure("DELETE", "\(disks)/d1").status == 204)
    }

    @Test("A group that is being deleted takes nothing new, and then all in it is gone")
    func deleteGroup() async throws {
        let azure = try TestEmulator(latency: .seconds(5))
        try await azure.makeGroup()
        try await azure.makeDisk("d1")
        let reply = try await azure("DELETE", "resourceGroups/rg")
        #expect(reply.status == 202)
        #expect(reply.response[header: "Azure-AsyncOperation"] == nil)
        #expect(try await azure.follow(reply, "Location").status == 202)
        let late = try await azure(
            "PUT", "\(disks)/d2",
            ["location": "westeurope", "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 8]])
        #expect(late.status == 409 && late.code == "ResourceGroupBeingDeleted")
        azure.pass(.seconds(5))
        #expect(try await azure.follow(reply, "Location").status == 200)
        #expect(try await azure("HEAD", "resourceGroups/rg").status == 404)
        #expect(try await azure("GET", "\(disks)/d1").code == "ResourceGroupNotFound")
        #expect(try await azure("GET", "providers/Microsoft.Compute/disks").json["value"]?.array?.isEmpty == true)
    }

    @Test(
        "What is not there is not found, each in its own words",
        arguments: [
            ("GET", "resourceGroups/none", 404, "ResourceGroupNotFound"),
            ("GET", "resourceGroups/none/providers/Microsoft.Compute/disks/d", 404, "ResourceGroupNotFound"),
            ("GET", "\(disks)/none", 404, "ResourceNotFound"),
            ("GET", "resourceGroups/rg/providers/Microsoft.Compute/teapots/t", 404, "InvalidResourceType"),
            ("GET", "resourceGroups/rg/providers/Nobody.Here/disks/d", 404, "InvalidResourceNamespace"),
            ("GET", "/subscriptions/99999999-0000-4000-8000-000000000000/resourceGroups", 404, "SubscriptionNotFound"),
            ("GET", "/nowhere", 404, "InvalidResourcePath"),
            ("POST", "\(disks)/none/beginGetAccess", 404, "ResourceNotFound"),
            ("PUT", "resourceGroups/bad%20name", 400, "InvalidParameter"),
        ])
    func notFound(method: String, path: String, status: Int, code: String) async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        let reply = try await azure(method, path)
        #expect(reply.status == status)
        #expect(reply.code == code)
    }

    @Test("A body that is not what it should be is refused", arguments: [("{", 400), ("[1]", 400), ("\"text\"", 400)])
    func bodies(text: String, status: Int) async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        let token = try #require(try await azure.signIn().json["access_token"]?.string)
        let reply = try await azure.send(
            EmulatorRequest(
                "PUT", "/subscriptions/\(TestEmulator.subscription)/\(disks)/d1", query: ["api-version": "2024-03-02"],
                headers: ["authorization": "Bearer \(token)"], body: Array(text.utf8)))
        #expect(reply.status == status)
        #expect(reply.code == "InvalidRequestContent")
    }

    @Test("A body of more than 4 MB is refused")
    func longBody() async throws {
        let azure = try TestEmulator()
        let token = try #require(try await azure.signIn().json["access_token"]?.string)
        let reply = try await azure.send(
            EmulatorRequest(
                "PUT", "/subscriptions/\(TestEmulator.subscription)/resourceGroups/rg",
                query: ["api-version": "2024-03-02"],
                headers: ["authorization": "Bearer \(token)"],
                body: Array(repeating: 0x20, count: Emulator.longestBody + 1)))
        #expect(reply.status == 413)
    }

    @Test("Preconditions hold back what they should")
    func preconditions() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        let body: JSONValue = ["location": "westeurope"]
        #expect(try await azure("PUT", "resourceGroups/rg", body, headers: ["if-none-match": "*"]).status == 412)
        #expect(try await azure("PUT", "resourceGroups/new", body, headers: ["if-match": "*"]).status == 412)
        #expect(try await azure("PUT", "resourceGroups/rg", body, headers: ["if-match": "*"]).status == 200)
    }

    @Test("What was answered is there after a restart, and what was begun goes on")
    func restart() async throws {
        let path = NSTemporaryDirectory() + "emulator-\(UUID().uuidString).sqlite"
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        var azure = try TestEmulator(path: path, latency: .seconds(5))
        try await azure.makeGroup()
        let reply = try await azure(
            "PUT", "\(disks)/d1",
            ["location": "westeurope", "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 8]])
        azure = try TestEmulator(path: path, latency: .seconds(5))
        #expect(try await azure("GET", "\(disks)/d1").json[path: "properties.provisioningState"]?.string == "Updating")
        #expect(try await azure.follow(reply, "Azure-AsyncOperation").json["status"]?.string == "InProgress")
        azure.pass(.seconds(5))
        #expect(try await azure.follow(reply, "Azure-AsyncOperation").json["status"]?.string == "Succeeded")
        azure = try TestEmulator(path: path)
        #expect(try await azure("GET", "\(disks)/d1").json[path: "properties.provisioningState"]?.string == "Succeeded")
    }
}
