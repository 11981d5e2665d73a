import SalvorAzure
import SalvorJSON
import Testing

private let v1 = APIVersion(rawValue: "1")
private let good = ScriptedTransport.Line.answer(200, [:], [:])

private func machine(_ name: String, subscription: String = "s") -> String {
    "/subscriptions/\(subscription)/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/\(name)"
}

@Suite struct PacingTests {
    @Test(arguments: [("GET", 250, 25.0), ("PUT", 200, 10), ("POST", 200, 10), ("DELETE", 200, 10)])
    func `the front door's bucket is used up first, then calls come as fast as it fills`(
        method: String, burst: Int, perSecond: Double
    ) async throws {
        let azure = ScriptedAzure(Array(repeating: good, count: burst + 5))
        for _ in 0..<burst { _ = try await azure.arm.answer(ARMCall(method, machine("m"), v1)) }
        #expect(azure.time.pauses.isEmpty)
        for _ in 0..<5 { _ = try await azure.arm.answer(ARMCall(method, machine("m"), v1)) }
        let waited = azure.time.now / Duration.seconds(1)
        #expect(abs(waited - 5 / perSecond) < 0.01)
    }

    @Test func `subscriptions and kinds of calls have buckets of their own`() async throws {
        let azure = ScriptedAzure(Array(repeating: good, count: 203))
        for _ in 0..<200 { _ = try await azure.arm.answer(ARMCall("PUT", machine("m"), v1)) }
        _ = try await azure.arm.answer(ARMCall("PUT", machine("m", subscription: "other"), v1))
        _ = try await azure.arm.answer(ARMCall("GET", machine("m"), v1))
        _ = try await azure.arm.answer(ARMCall("DELETE", machine("m"), v1))
        #expect(azure.time.pauses.isEmpty)
    }

    @Test(arguments: [
        ("GET", "x-ms-ratelimit-remaining-subscription-reads", 25.0),
        ("PUT", "x-ms-ratelimit-remaining-subscription-writes", 10),
        ("DELETE", "X-Ms-RateLimit-Remaining-Subscription-Deletes", 10),
    ])
    func `what the front door says is left counts, because others use it as well`(
        method: String, header: String, perSecond: Double
    ) async throws {
        let azure = ScriptedAzure(.answer(200, [header: "1"], [:]), good, good)
        for _ in 0..<3 { _ = try await azure.arm.answer(ARMCall(method, machine("m"), v1)) }
        #expect(azure.time.pauses.count == 1)
        #expect(abs(azure.time.now / Duration.seconds(1) - 1 / perSecond) < 0.01)
    }

    @Test(arguments: [("236", false), ("4", false), ("3", true), ("0", true)])
    func `a group of which little is left rests`(left: String, rests: Bool) async throws {
        let remaining = "Microsoft.Compute/PutVM3Min;\(left),Microsoft.Compute/PutVM30Min;1190"
        let azure = ScriptedAzure(.answer(200, ["x-ms-ratelimit-remaining-resource": remaining], [:]), good, good)
        _ = try await azure.arm.answer(ARMCall("PUT", machine("m"), v1))
        // Another group of operations does not.
        _ = try await azure.arm.answer(ARMCall("GET", machine("m"), v1))
        #expect(azure.time.pauses.isEmpty)
        _ = try await azure.arm.answer(ARMCall("PUT", machine("other"), v1))
        #expect(azure.time.pauses == (rests ? [.seconds(4)] : []))
    }

    @Test(arguments: ["", "nonsense", "Microsoft.Compute/PutVM3Min", ";,;"])
    func `headers that cannot be read change nothing`(text: String) async throws {
        let azure = ScriptedAzure(.answer(200, ["x-ms-ratelimit-remaining-resource": text], [:]), good)
        for _ in 0..<2 { _ = try await azure.arm.answer(ARMCall("PUT", machine("m"), v1)) }
        #expect(azure.time.pauses.isEmpty)
    }

    @Test func `a 429 makes the whole group wait, and nobody else`() async throws {
        let azure = ScriptedAzure(
            .answer(429, ["Retry-After": "30"], .refusal("TooManyRequests")), good, good, good, good)
        let short = azure.arm.within(.seconds(10))
        let error = await failure { () throws(AzureError) in
            try await short.answer(ARMCall("POST", "\(machine("m"))/start", v1))
        }
        #expect(error?.code == .throttled)
        _ = try await azure.arm.answer(ARMCall("POST", "\(machine("m"))/powerOff", v1))
        #expect(azure.time.pauses.isEmpty)
        _ = try await azure.arm.answer(ARMCall("POST", "\(machine("other"))/start", v1))
        #expect(azure.time.pauses == [.seconds(30)])
        _ = try await azure.arm.answer(ARMCall("POST", "\(machine("m"))/start", v1))
        #expect(azure.time.pauses.count == 1)
    }

    @Test func `a group's rest that does not fit into the step is throttling, before anything is sent`() async throws {
        let azure = ScriptedAzure(.answer(429, ["Retry-After": "120"], .refusal("TooManyRequests")), good)
        for _ in 0..<2 {
            let error = await failure { () throws(AzureError) in
                try await azure.arm.within(.seconds(60)).get(machine("m"), v1)
            }
            #expect(error?.code == .throttled)
            #expect(error?.message.contains(machine("m")) == true)
        }
        #expect(azure.transport.sent.count == 1)
    }
}
