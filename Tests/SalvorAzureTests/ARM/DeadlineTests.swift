import SalvorAzure
import SalvorJSON
import Testing

private let disk = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/d"
private let v1 = APIVersion(rawValue: "1")
private let status = "https://management.test/subscriptions/s/operations/1"
private let begun = ScriptedTransport.Line.answer(202, ["Azure-AsyncOperation": status])
private let going = ScriptedTransport.Line.answer(200, [:], ["status": "InProgress"])

@Suite struct DeadlineTests {
    @Test func `an operation that outlasts its step goes on in Azure, and the error says so`() async throws {
        let azure = ScriptedAzure([begun] + Array(repeating: going, count: 100))
        let error = try #require(
            await failure { () throws(AzureError) in try await azure.arm.within(.seconds(60)).put(disk, v1, [:]) })
        #expect(error.code == .timedOut)
        #expect(error.message.contains("PUT \(disk)") && error.message.contains("goes on in Azure"))
        #expect(azure.time.now <= .seconds(60))
        #expect(azure.transport.sent.filter { $0.method == "PUT" }.count == 1)
    }

    @Test(arguments: [
        (ScriptedTransport.Line.answer(503, [:], .refusal("ServerBusy")), AzureError.Code.failed),
        (.answer(429, ["Retry-After": "5"], .refusal("TooManyRequests")), .throttled),
        (.answer(409, [:], .refusal("AttachDiskWhileBeingDetached")), .conflict),
        (.lost(.unreachable), .unreachable),
    ])
    func `what does not pass within the step ends with its own reason`(
        line: ScriptedTransport.Line, code: AzureError.Code
    ) async throws {
        let azure = ScriptedAzure(Array(repeating: line, count: 100))
        let error = await failure { () throws(AzureError) in
            try await azure.arm.within(.seconds(60)).put(disk, v1, [:])
        }
        #expect(error?.code == code)
        #expect(azure.time.now <= .seconds(60) && azure.time.now > .seconds(30))
    }

    @Test func `without a deadline a call that nobody answers ends after minutes`() async throws {
        let azure = ScriptedAzure(Array(repeating: .lost(.unreachable), count: 200))
        let error = await failure { () throws(AzureError) in try await azure.arm.list(disk, v1) }
        #expect(error?.code == .unreachable)
        #expect(azure.time.now <= .seconds(300))
    }

    @Test func `a request is given no longer than the step has left`() async throws {
        let answer = ScriptedTransport.Line.answer(200, [:], [:])
        let azure = ScriptedAzure(answer, .after(.seconds(290)), answer, answer)
        let arm = azure.arm.within(.seconds(300))
        for _ in 1...3 { _ = try await arm.get(disk, v1) }
        #expect(azure.transport.sent.map(\.timeout) == [.seconds(60), .seconds(60), .seconds(10)])
        azure.time.pass(.seconds(11))
        let error = await failure { () throws(AzureError) in try await arm.get(disk, v1) }
        #expect(error?.code == .timedOut)
        #expect(azure.transport.sent.count == 3)
    }

    @Test func `a deadline within another ends no later than that`() async throws {
        let azure = ScriptedAzure(Array(repeating: .answer(503), count: 100))
        let arm = azure.arm.within(.seconds(20)).within(.seconds(3600))
        _ = await failure { () throws(AzureError) in try await arm.get(disk, v1) }
        #expect(azure.time.now <= .seconds(20))
    }
}

@Suite struct CancellationTests {
    /// Where a call is when it is interrupted: with the answers before the one that never comes.
    private static let places: [(String, [ScriptedTransport.Line])] = [
        ("in the call", [.hang]),
        ("in the status", [begun, .hang]),
        ("in a repeat", [.lost(.unreachable), .hang]),
        ("in the last read", [begun, .answer(200, [:], ["status": "Succeeded"]), .hang]),
    ]

    @Test(arguments: places.indices) func `an interrupted call ends at once as interrupted`(place: Int) async throws {
        let (_, lines) = Self.places[place]
        let azure = ScriptedAzure(lines)
        let task = Task {
            await failure { () throws(AzureError) in try await azure.arm.within(.seconds(600)).put(disk, v1, [:]) }
        }
        for await _ in azure.transport.hanging { break }
        task.cancel()
        #expect(await task.value?.code == .cancelled)
        #expect(azure.transport.sent.count == lines.count)
    }

    @Test(arguments: [
        ScriptedTransport.Line.answer(503), .answer(429, ["Retry-After": "9"], .refusal("TooManyRequests")), begun,
        .answer(404, [:], .refusal("NotFound")),
    ])
    func `an interrupted pause ends at once as interrupted`(line: ScriptedTransport.Line) async throws {
        let (sleeping, announce) = AsyncStream<Void>.makeStream()
        let time = RecordedTime()
        var clock = time.clock
        clock.sleep = { _ in
            announce.yield()
            try await Task.sleep(for: .seconds(3600))
        }
        let transport = ScriptedTransport([line], time: time)
        let arm = ARMClient(
            endpoint: ScriptedAzure.endpoint, transport: transport, tokens: CountedTokens(), clock: clock)
        let task = Task {
            await failure { () throws(AzureError) in
                var call = ARMCall("PUT", disk, v1, body: [:])
                call.mustExist = true
                _ = try await arm.change(call)
            }
        }
        for await _ in sleeping { break }
        task.cancel()
        #expect(await task.value?.code == .cancelled)
        #expect(transport.sent.count == 1)
    }

    @Test func `a task that is interrupted already sends nothing`() async throws {
        let azure = ScriptedAzure(.answer(200, [:], [:]))
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await failure { () throws(AzureError) in try await azure.arm.get(disk, v1) }
        }
        task.cancel()
        #expect(await task.value?.code == .cancelled)
        #expect(azure.transport.sent.isEmpty)
    }
}
