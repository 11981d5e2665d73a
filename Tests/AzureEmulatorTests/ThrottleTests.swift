import AzureEmulator
import SalvorJSON
import Testing

private let machine = "resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"

@Suite struct ThrottleTests {
    @Test("A machine takes twelve changes at once, and four more a minute")
    func machineWrites() async throws {
        let azure = try TestEmulator(throttles: true)
        try await azure.makeGround()
        try await azure.makeMachine()
        azure.pass(.seconds(600))
        for _ in 0..<12 { #expect(try await azure("PATCH", machine, ["tags": ["a": "b"]]).status == 200) }
        let refused = try await azure("PATCH", machine, ["tags": ["a": "c"]])
        #expect(refused.status == 429 && refused.code == "OperationNotAllowed")
        #expect(refused.response[header: "Retry-After"] == "15")
        #expect(refused.json[path: "error.details"]?.array?.first?["code"] == "TooManyRequests")
        #expect(try await azure("GET", machine).json[path: "tags.a"] == "b")
        azure.pass(.seconds(15))
        #expect(try await azure("PATCH", machine, ["tags": ["a": "c"]]).status == 200)
        #expect(try await azure("PATCH", machine, ["tags": ["a": "d"]]).status == 429)
    }

    @Test("Reads of a machine and of its operations have buckets of their own")
    func reads() async throws {
        let azure = try TestEmulator(latency: .seconds(600), throttles: true)
        try await azure.makeGround()
        azure.pass(.seconds(1200))
        let reply = try await azure("PUT", machine, TestEmulator.machine())
        for _ in 0..<36 { #expect(try await azure("GET", machine).status == 200) }
        #expect(try await azure("GET", machine).status == 429)
        for _ in 0..<45 { #expect(try await azure.follow(reply, "Azure-AsyncOperation").status == 200) }
        #expect(try await azure.follow(reply, "Azure-AsyncOperation").status == 429)
    }

    @Test("The front door counts reads, writes and deletes, and says how many are left")
    func door() async throws {
        let azure = try TestEmulator(throttles: true)
        let first = try await azure("GET", "resourcegroups")
        #expect(first.response[header: "x-ms-ratelimit-remaining-subscription-reads"] == "249")
        for _ in 0..<249 { #expect(try await azure("GET", "resourcegroups").status == 200) }
        let refused = try await azure("GET", "resourcegroups")
        #expect(refused.status == 429 && refused.code == "SubscriptionRequestsThrottled")
        #expect(refused.response[header: "Retry-After"] == "1")
        try await azure.makeGroup()
        azure.pass(.seconds(1))
        for _ in 0..<25 { #expect(try await azure("GET", "resourcegroups").status == 200) }
        #expect(try await azure("GET", "resourcegroups").status == 429)
    }

    @Test("A machine's answers say what its buckets hold")
    func headers() async throws {
        let azure = try TestEmulator(throttles: true)
        try await azure.makeGround()
        try await azure.makeMachine()
        let reply = try await azure("PATCH", machine, ["tags": ["a": "b"]])
        #expect(reply.response[header: "x-ms-ratelimit-remaining-resource"] == "Microsoft.Compute/PutVM3Min;11")
    }

    @Test("What is new may be said to be missing for a while")
    func replication() async throws {
        let azure = try TestEmulator(replicationLag: .seconds(3))
        try await azure.makeGroup()
        #expect(try await azure("GET", "resourceGroups/rg").status == 404)
        azure.pass(.seconds(3))
        #expect(try await azure("GET", "resourceGroups/rg").status == 200)
        _ = try await azure("PUT", "resourceGroups/rg", ["location": "westeurope"])
        #expect(try await azure("GET", "resourceGroups/rg").status == 200)
    }
}
