import SalvorAzure
import SalvorJSON
import Testing

private let v1 = APIVersion(rawValue: "1")

@Suite struct EncodingTests {
    @Test(arguments: [
        ("/subscriptions/s/resourceGroups/a(b).c_d-e", "/subscriptions/s/resourceGroups/a(b).c_d-e"),
        ("/subscriptions/s/resourceGroups/größe", "/subscriptions/s/resourceGroups/gr%C3%B6%C3%9Fe"),
        ("/subscriptions/s/x/a b", "/subscriptions/s/x/a%20b"),
        ("/subscriptions/s/x/100%", "/subscriptions/s/x/100%25"),
        ("/subscriptions/s/x/a#b", "/subscriptions/s/x/a%23b"),
        ("/subscriptions/s/x/a\"\\\r\nb", "/subscriptions/s/x/a%22%5C%0D%0Ab"),
    ])
    func `odd names are one part of the path`(path: String, sent: String) async throws {
        let azure = ScriptedAzure(.answer(200, [:], [:]))
        _ = try await azure.arm.get(path, v1)
        #expect(azure.transport.sent[0].url == "https://management.test\(sent)?api-version=1")
    }

    @Test func `a filter's own signs do not end it`() async throws {
        let azure = ScriptedAzure(.answer(200, [:], ["value": []]))
        _ = try await azure.arm.list(
            "/subscriptions/s/resources", v1, query: ["$filter": "tagName eq 'a&b=c+d' and tagValue eq 'ä/?#'"])
        #expect(
            azure.transport.sent[0].url
                == "https://management.test/subscriptions/s/resources?$filter=tagName%20eq%20'a%26b%3Dc%2Bd'%20and%20"
                + "tagValue%20eq%20'%C3%A4%2F%3F%23'&api-version=1")
    }

    @Test func `a body goes as JSON and nothing else has a content type`() async throws {
        let azure = ScriptedAzure(.answer(200, [:], [:]), .answer(200, [:], [:]))
        _ = try await azure.arm.put("/subscriptions/s/x", v1, ["name": "ü\n"])
        _ = try await azure.arm.get("/subscriptions/s/x", v1)
        let types = azure.transport.sent.map { $0.headers.first { $0.name == "Content-Type" }?.value }
        #expect(types == ["application/json", nil])
        #expect(try JSONValue.parse(azure.transport.sent[0].body) == ["name": "ü\n"])
        #expect(azure.transport.sent[1].body.isEmpty)
    }
}
