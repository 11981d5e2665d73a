import SalvorAzure
import SalvorJSON
import Testing

private let disk = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/d"
private let v1 = APIVersion(rawValue: "1")
private let status =
    "https://management.test/subscriptions/s/providers/Microsoft.Compute/locations/w/DiskOperations/1?p=x&api-version=1"
private let location =
    "https://management.test/subscriptions/s/providers/Microsoft.Compute/locations/w/DiskOperations/1?monitor=true"
private let there: JSONValue = ["id": .string(disk), "properties": ["provisioningState": "Succeeded"]]
private let going: JSONValue = ["status": "InProgress"]
private let done: JSONValue = ["status": "Succeeded"]

@Suite struct LongRunningTests {
    @Test func `a disk's PUT is followed at Azure-AsyncOperation although Location is there, and read at its end`()
        async throws
    {
        let azure = ScriptedAzure(
            .answer(202, ["Azure-AsyncOperation": status, "Location": location, "Retry-After": "7"]),
            .answer(200, ["Retry-After": "3"], going), .answer(200, [:], done), .answer(200, [:], there))
        #expect(try await azure.arm.put(disk, v1, [:]) == there)
        #expect(azure.time.pauses == [.seconds(7), .seconds(3)])
        let path = String(status.dropFirst("https://management.test".count))
        #expect(
            azure.transport.shown == [
                "PUT \(disk)?api-version=1", "GET \(path)", "GET \(path)", "GET \(disk)?api-version=1",
            ])
    }

    @Test func `a machine's PATCH that answers 200 with Updating and no Location is followed to its end`() async throws
    {
        let azure = ScriptedAzure(
            .answer(200, ["azure-asyncoperation": status], ["properties": ["provisioningState": "Updating"]]),
            .answer(200, [:], done), .answer(200, [:], there))
        #expect(try await azure.arm.patch(disk, v1, [:]) == there)
    }

    @Test func `a group's DELETE is followed at Location, whose address may change`() async throws {
        let azure = ScriptedAzure(
            .answer(202, ["Location": location, "Retry-After": "15"]),
            .answer(202, ["Location": "\(location)&page=2"]), .answer(200))
        try await azure.arm.delete(disk, v1)
        #expect(azure.transport.shown.last?.hasSuffix("&page=2") == true)
        #expect(azure.time.pauses == [.seconds(15), .seconds(2)])
    }

    @Test func `a resource that answers without headers is asked until it is made`() async throws {
        let making: JSONValue = ["properties": ["provisioningState": "Creating"]]
        let azure = ScriptedAzure(.answer(201, [:], making), .answer(200, [:], making), .answer(200, [:], there))
        #expect(try await azure.arm.put(disk, v1, [:]) == there)
        #expect(azure.time.pauses == [.seconds(1), .seconds(2)])
    }

    @Test(arguments: ["Failed", "failed", "FAILED", "Canceled", "canceled", "Cancelled"])
    func `an operation's bad end is an error in any spelling, with Azure's words and the first call's id`(word: String)
        async throws
    {
        let azure = ScriptedAzure(
            .answer(202, ["Azure-AsyncOperation": status, "x-ms-request-id": "first-1"]),
            .answer(
                200, [:], ["status": .string(word), "error": ["code": "InternalDiskError", "message": "No luck."]]))
        let error = try #require(await failure { () throws(AzureError) in try await azure.arm.put(disk, v1, [:]) })
        #expect(error.code == .operationFailed)
        for part in ["PUT \(disk)", "InternalDiskError", "No luck.", "first-1"] {
            #expect(error.message.contains(part))
        }
        #expect(!error.nextStep.isEmpty)
        #expect(azure.transport.left == 0)
    }

    @Test(arguments: ["Failed", "Canceled", "cancelled"])
    func `a resource's bad end is an error where there is no header to follow`(word: String) async throws {
        let azure = ScriptedAzure(
            .answer(201, ["x-ms-request-id": "first-1"], ["properties": ["provisioningState": .string(word)]]))
        let error = try #require(await failure { () throws(AzureError) in try await azure.arm.put(disk, v1, [:]) })
        #expect(error.code == .operationFailed)
        #expect(error.message.contains("first-1"))
    }

    @Test(arguments: ["Succeeded", "succeeded", "SUCCEEDED"])
    func `an operation's good end counts in any spelling`(word: String) async throws {
        let azure = ScriptedAzure(
            .answer(202, ["Azure-AsyncOperation": status]), .answer(200, [:], ["status": .string(word)]))
        try await azure.arm.delete(disk, v1)
        #expect(azure.transport.left == 0)
    }

    @Test func `states that nobody has heard of are waited out`() async throws {
        let azure = ScriptedAzure(
            .answer(202, ["Azure-AsyncOperation": status]), .answer(200, [:], ["status": "Creating"]),
            .answer(200, [:], ["status": "Hydrating"]), .answer(200, [:], done))
        try await azure.arm.delete(disk, v1)
        #expect(azure.time.pauses == [.seconds(1), .seconds(2), .seconds(4)])
    }

    @Test func `an action's result is the status document's output`() async throws {
        let azure = ScriptedAzure(
            .answer(202, ["Azure-AsyncOperation": status, "Location": location]),
            .answer(200, [:], ["status": "Succeeded", "properties": ["output": ["accessSAS": "https://blob"]]]))
        #expect(try await azure.arm.post("\(disk)/beginGetAccess", v1)?["accessSAS"] == "https://blob")
    }

    @Test(arguments: [200, 204, 404])
    func `an action without a result has ended well, whatever is left at its Location`(left: Int) async throws {
        let azure = ScriptedAzure(
            .answer(202, ["Azure-AsyncOperation": status, "Location": location]), .answer(200, [:], done),
            .answer(left, [:], left == 404 ? .refusal("NotFound") : nil))
        #expect(try await azure.arm.post("\(disk)/start", v1) == nil)
        #expect(azure.transport.left == 0)
    }

    @Test func `a Retry-After of nothing is no leave to ask without pause`() async throws {
        let azure = ScriptedAzure(
            .answer(202, ["Azure-AsyncOperation": status, "Retry-After": "0"]), .answer(200, [:], done))
        try await azure.arm.delete(disk, v1)
        #expect(azure.time.pauses == [.seconds(1)])
    }
}

@Suite struct MissingTests {
    @Test func `what was made just now and is not seen yet is looked for again`() async throws {
        let azure = ScriptedAzure(
            .answer(201, ["Azure-AsyncOperation": status]), .answer(404, [:], .refusal("NotFound")),
            .answer(200, [:], done), .answer(404, [:], .refusal("ResourceNotFound")), .answer(200, [:], there))
        #expect(try await azure.arm.put(disk, v1, [:]) == there)
    }

    @Test func `what stays missing after it was made ends the wait after a minute or two`() async throws {
        let lines = [ScriptedTransport.Line.answer(202, ["Azure-AsyncOperation": status]), .answer(200, [:], done)]
        let azure = ScriptedAzure(
            lines + Array(repeating: .answer(404, [:], .refusal("ResourceNotFound")), count: 50))
        let error = await failure { () throws(AzureError) in
            try await azure.arm.within(.seconds(3600)).put(disk, v1, [:])
        }
        #expect(error?.code == .notFound)
        #expect((60...180).contains(azure.time.now.components.seconds))
    }

    @Test func `deleting what is not there is done`() async throws {
        let azure = ScriptedAzure(.answer(404, [:], .refusal("ResourceGroupNotFound")))
        try await azure.arm.delete(disk, v1)
        let nothing = ScriptedAzure(.answer(204))
        try await nothing.arm.delete(disk, v1)
        #expect(nothing.transport.sent.count == 1)
    }

    @Test(arguments: ["Location", "Azure-AsyncOperation"])
    func `a deletion whose address is forgotten has ended where the resource is gone, and goes on where it is not`(
        header: String
    ) async throws {
        let azure = ScriptedAzure(
            .answer(202, [header: status]), .answer(404, [:], .refusal("NotFound")), .answer(200, [:], there),
            .answer(404, [:], .refusal("NotFound")), .answer(404, [:], .refusal("ResourceNotFound")))
        try await azure.arm.delete(disk, v1)
        #expect(azure.transport.left == 0)
        #expect(azure.time.now < .seconds(10))
    }

    @Test func `a read of what is not there is an error that says what`() async throws {
        let azure = ScriptedAzure(.answer(404, ["x-ms-request-id": "id-9"], .refusal("ResourceNotFound", "No disk.")))
        let error = try #require(await failure { () throws(AzureError) in try await azure.arm.get(disk, v1) })
        #expect(error.code == .notFound)
        for part in [disk, "ResourceNotFound", "No disk.", "id-9"] { #expect(error.message.contains(part)) }
        let finding = ScriptedAzure(.answer(404, [:], .refusal("ResourceNotFound")))
        #expect(try await finding.arm.find(disk, v1) == nil)
    }
}
