import SalvorAudit
import SalvorAzure
import SalvorCoordinatorCore
import SalvorJSON
import Testing

private let disk = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/d"
private let v1 = APIVersion(rawValue: "1")

@Suite struct RefusalTests {
    /// What real deployments answer, and the error that caused it.
    private static let nested: [(body: String, code: String, message: String)] = [
        (#"{"error":{"code":"ScopeLocked","message":"Locked."}}"#, "ScopeLocked", "Locked."),
        (#"{"code":"ScopeLocked","message":"Locked."}"#, "ScopeLocked", "Locked."),
        (
            #"{"error":{"code":"InvalidTemplateDeployment","message":"See details.","details":[{"code":"RequestDisallowedByPolicy","target":"vm","message":"Needs a tag."}]}}"#,
            "RequestDisallowedByPolicy", "Needs a tag."
        ),
        (
            #"{"error":{"code":"DeploymentFailed","message":"At least one failed.","details":[{"code":"Conflict","message":"{\"error\":{\"code\":\"SkuNotAvailable\",\"message\":\"No such size here.\"}}"}]}}"#,
            "SkuNotAvailable", "No such size here."
        ),
        (
            #"{"error":{"code":"DeploymentFailed","message":"x","details":[{"code":"ResourceDeploymentFailure","message":"y","details":[{"code":"DeploymentFailed","message":"z","details":[{"code":"QuotaExceeded","message":"No cores left."}]}]}]}}"#,
            "QuotaExceeded", "No cores left."
        ),
        (
            #"{"error":{"code":"DeploymentFailed","message":"Nothing more is known.","details":[]}}"#,
            "DeploymentFailed", "Nothing more is known."
        ),
    ]

    @Test(arguments: nested.indices) func `the cause is taken out of what wraps it`(index: Int) async throws {
        let (body, code, message) = Self.nested[index]
        let json = try JSONValue.parse(body.utf8)
        let azure = ScriptedAzure(.answer(400, [:], json))
        let error = try #require(await failure { () throws(AzureError) in try await azure.arm.put(disk, v1, [:]) })
        #expect(error.refusal?.code == code)
        #expect(error.refusal?.message == message)
        #expect(error.message.contains(code) && error.message.contains(message))

        let operation = "https://management.test/subscriptions/s/operations/1"
        let failed: JSONValue = ["status": "Failed", "error": json["error"] ?? json]
        let later = ScriptedAzure(.answer(201, ["Azure-AsyncOperation": operation]), .answer(200, [:], failed))
        let end = try #require(await failure { () throws(AzureError) in try await later.arm.put(disk, v1, [:]) })
        #expect(end.refusal?.code == code)
    }

    @Test(arguments: ["", "<html>503</html>", "{", #"{"error":7}"#, "[]", #"{"error":{"code":7}}"#])
    func `a refusal without a body that can be read is still a refusal`(body: String) async throws {
        let transport = FixedAnswer(
            response: HTTPResponse(
                status: 403, headers: [HTTPField("x-ms-request-id", "id-1")], body: Array(body.utf8)))
        let arm = ARMClient(endpoint: "https://management.test", transport: transport, tokens: CountedTokens())
        let error = try #require(await failure { () throws(AzureError) in try await arm.get(disk, v1) })
        #expect(error.code == .forbidden)
        #expect(error.message.contains(disk) && error.message.contains("id-1"))
    }

    @Test func `a page of a proxy instead of JSON is said to be that`() async throws {
        let transport = FixedAnswer(response: HTTPResponse(status: 200, body: Array("<html>".utf8)))
        let arm = ARMClient(endpoint: "https://management.test", transport: transport, tokens: CountedTokens())
        let error = try #require(await failure { () throws(AzureError) in try await arm.get(disk, v1) })
        #expect(error.code == .badAnswer)
        #expect(error.nextStep.contains("proxy"))
    }

    @Test func `each call is on the trail with its ids, answered or not`() async throws {
        let ids = ["x-ms-request-id": "r-1", "x-ms-correlation-request-id": "c-1"]
        let azure = ScriptedAzure(
            .answer(409, ids, .refusal("AttachDiskWhileBeingDetached")), .lost(.unreachable),
            .after(.milliseconds(250)),
            .answer(200, ["X-Ms-Request-Id": "r-2"], [:]))
        let trail = ProviderTrail()
        try await ProviderTrail.$current.withValue(trail) {
            _ = try await azure.arm.answer(ARMCall("PUT", disk, v1, query: ["secret": "sig"], body: ["password": "pw"]))
            let asking = ScriptedAzure(.answer(200, [:], [:]))
            try await asking.arm.post("\(disk)/ask", v1, changes: false)
        }
        #expect(trail.calls.map(\.status) == [409, nil, 200, 200])
        #expect(trail.calls.map(\.requestID) == ["r-1", nil, "r-2", nil])
        #expect(trail.calls[0].correlationID == "c-1")
        #expect(trail.calls[0].code == "AttachDiskWhileBeingDetached")
        #expect(trail.calls[2].milliseconds == 250)
        #expect(trail.calls.map(\.changes) == [true, true, true, false])
        #expect(trail.calls.map(\.target) == [disk, disk, disk, "\(disk)/ask"])
    }

    @Test func `no error holds a token, a query or a body`() async throws {
        let lines: [ScriptedTransport.Line] = [
            .answer(403, [:], .refusal("AuthorizationFailed")), .lost(.unreachable), .lost(.timedOut), .answer(500),
            .answer(202, ["Location": "https://elsewhere.test/x?sig=hush"]),
        ]
        for line in lines {
            let azure = ScriptedAzure(line)
            let error = try #require(
                await failure { () throws(AzureError) in
                    try await azure.arm.post(
                        "\(disk)/x", v1, ["password": "hush"], query: ["sig": "hush"], repeats: .never)
                })
            var dumped = ""
            dump(error, to: &dumped)
            for text in [error.description, dumped, "\(error.refusal as Any)"] {
                #expect(!text.contains("hush") && !text.contains("secret-token"))
            }
        }
    }
}

private struct FixedAnswer: HTTPTransport {
    let response: HTTPResponse
    func send(_ request: HTTPRequest) async throws(AzureError) -> HTTPResponse { response }
}
