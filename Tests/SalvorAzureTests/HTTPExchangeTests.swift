import SalvorAzure
import Testing

@Suite struct HTTPExchangeTests {
    @Test func aHeaderIsFoundInAnySpelling() {
        let response = HTTPResponse(status: 202, headers: [HTTPField("Retry-After", "7")])
        #expect(response[header: "retry-after"] == "7")
        #expect(response[header: "location"] == nil)
    }
}
