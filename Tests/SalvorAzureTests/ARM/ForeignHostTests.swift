import SalvorAzure
import SalvorJSON
import Testing

private let disks = "/subscriptions/s/providers/Microsoft.Compute/disks"
private let v1 = APIVersion(rawValue: "1")

@Suite struct ForeignHostTests {
    private static let foreign = [
        "https://evil.test/steal?sig=x", "http://management.test/plain", "https://management.test:444/port",
        "https://management.test.evil.test/suffix", "https://management.test@evil.test/user",
        "https://management.test#@evil.test/fragment", "https://evil.test?https://management.test/",
        "@evil.test/relative", ".evil.test/relative", "ftp://management.test/scheme",
    ]

    @Test(arguments: foreign) func `a next page elsewhere is not asked for`(address: String) async throws {
        let azure = ScriptedAzure(
            .answer(200, [:], ["value": [], "nextLink": .string(address)]), .answer(200, [:], [:]))
        try await expectRefused(azure) { () throws(AzureError) in _ = try await azure.arm.list(disks, v1) }
    }

    @Test(arguments: ["Location", "Azure-AsyncOperation"], foreign)
    func `an operation elsewhere is not followed`(header: String, address: String) async throws {
        let azure = ScriptedAzure(.answer(202, [header: address]), .answer(200, [:], ["status": "Succeeded"]))
        try await expectRefused(azure) { () throws(AzureError) in try await azure.arm.delete("\(disks)/d", v1) }
    }

    private func expectRefused(_ azure: ScriptedAzure, _ body: () async throws(AzureError) -> Void) async throws {
        let error = try #require(await failure(body))
        #expect(error.code == .badAnswer, "\(error)")
        #expect(azure.transport.sent.count == 1)
        #expect(!"\(error)".contains("sig=x"))
        #expect(!error.nextStep.isEmpty)
    }

    @Test(arguments: [
        ("https://management.test", "https://MANAGEMENT.test/next"),
        ("https://Management.Test/", "https://management.test/next"),
        ("https://management.test", "https://management.test:443/next"),
        ("https://management.test:443", "https://management.test/next"),
        ("https://localhost:8443", "https://localhost:8443/next"),
    ])
    func `the endpoint's own address in another spelling is no other host`(endpoint: String, next: String) async throws
    {
        let azure = ScriptedAzure(
            [.answer(200, [:], ["value": [1], "nextLink": .string(next)]), .answer(200, [:], ["value": [2]])],
            endpoint: endpoint)
        #expect(try await azure.arm.list(disks, v1) == [1, 2])
    }

    @Test func `pages are read to the last, each as Azure names it`() async throws {
        let link = "https://management.test\(disks)?api-version=1&%24skiptoken=a%2Fb%3D"
        let azure = ScriptedAzure(
            .answer(200, [:], ["value": [1, 2], "nextLink": .string(link)]),
            .answer(200, [:], ["value": [], "nextLink": .string("\(link)2")]),
            .answer(200, [:], ["value": [3], "nextLink": ""]))
        #expect(try await azure.arm.list(disks, v1) == [1, 2, 3])
        #expect(azure.transport.sent.map(\.url).dropFirst() == [link, "\(link)2"])
    }
}
