import SalvorJSON
import Testing

@testable import AzureEmulator

private let disk = "resourceGroups/rg/providers/Microsoft.Compute/disks/d"
private let empty: JSONValue = [
    "location": "westeurope", "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 8],
]

@Suite struct FaultTests {
    @Test("A script of faults refuses what it names, as often as it says, after what it lets pass")
    func script() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        let rules: JSONValue = [
            "rules": [
                [
                    "method": "GET", "path": "*/DISKS/*", "skip": 1, "times": 2,
                    "refuse": ["status": 429, "retryAfter": 7],
                ]
            ]
        ]
        #expect(try await azure("PUT", "/emulator/faults", rules).status == 200)
        _ = try await azure("PUT", disk, empty)
        #expect(try await azure("GET", disk).status == 200)
        for _ in 0..<2 {
            let reply = try await azure("GET", disk)
            #expect(reply.status == 429 && reply.code == "TooManyRequests")
            #expect(reply.response[header: "Retry-After"] == "7")
        }
        #expect(try await azure("GET", disk).status == 200)
        #expect(try await azure("GET", "/emulator/faults").json["hits"] == [2])
        #expect(try await azure("DELETE", "/emulator/faults").status == 204)
        #expect(try await azure("GET", "/emulator/faults").json["hits"] == [])
    }

    @Test("A refused request has no effect, a lost one has, and one that hangs has none")
    func effects() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        for (rule, fate, isThere) in [
            (
                FaultRule(
                    method: "PUT", times: 1, effect: .refuse(status: 500, code: "X", message: "", retryAfter: nil)),
                EmulatorResponse.Fate.sent, false
            ),
            (FaultRule(method: "PUT", times: 1, effect: .hang), .hang, false),
            (FaultRule(method: "PUT", times: 1, effect: .lose), .drop, true),
        ] {
            azure.emulator.faults.rules = [rule]
            let reply = try await azure("PUT", disk, empty)
            #expect(reply.response.fate == fate)
            #expect((try await azure("GET", disk).status == 200) == isThere)
        }
    }

    @Test("An operation fails with the error that was asked for, and its resource says so")
    func failing() async throws {
        let azure = try TestEmulator(latency: .seconds(5))
        try await azure.makeGroup()
        azure.emulator.faults.rules = [
            FaultRule(path: "*/disks/*", verb: "create", effect: .fail(code: "InternalDiskError", message: "No luck."))
        ]
        let reply = try await azure("PUT", disk, empty)
        #expect(reply.status == 202)
        azure.pass(.seconds(5))
        let status = try await azure.follow(reply, "Azure-AsyncOperation")
        #expect(status.status == 200)
        #expect(status.json["status"] == "Failed")
        #expect(status.code == "InternalDiskError")
        #expect(try await azure("GET", disk).json[path: "properties.provisioningState"] == "Failed")
    }

    @Test("An operation that stalls goes on until the fault is taken back")
    func stalling() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        azure.emulator.faults.rules = [FaultRule(verb: "create", effect: .stall)]
        let reply = try await azure("PUT", disk, empty)
        azure.pass(.seconds(3600))
        #expect(try await azure.follow(reply, "Azure-AsyncOperation").json["status"] == "InProgress")
        azure.emulator.faults.rules = []
        azure.pass(.seconds(2))
        #expect(try await azure.follow(reply, "Azure-AsyncOperation").json["status"] == "Succeeded")
    }

    @Test("What happens at a rate happens alike for the same seed, and about as often")
    func rate() async throws {
        func hits(_ seed: UInt64) async throws -> [Bool] {
            let faults = Faults(
                [FaultRule(rate: 0.3, effect: .refuse(status: 503, code: "X", message: "", retryAfter: nil))],
                seed: seed)
            var hits: [Bool] = []
            for _ in 0..<400 {
                do {
                    _ = try await faults.around(EmulatorRequest("GET", "/"), WorldClock()) { () throws(ARMError) in
                        EmulatorResponse(200)
                    }
                    hits.append(false)
                } catch {
                    hits.append(true)
                }
            }
            return hits
        }
        let one = try await hits(1)
        #expect(try await hits(1) == one)
        #expect(try await hits(2) != one)
        #expect((80...160).contains(one.filter { $0 }.count))
    }

    @Test("A delayed request is answered when its time has passed")
    func delay() async throws {
        let azure = try TestEmulator()
        try await azure.makeGroup()
        azure.emulator.faults.rules = [FaultRule(method: "PUT", effect: .delay(.seconds(30)))]
        async let reply = azure("PUT", disk, empty)
        // Time stands still: it is let go until the request has been let through.
        while try await azure("GET", disk).status == 404 { azure.pass(.seconds(10)) }
        #expect(try await reply.status == 202)
    }

    @Test(
        "A pattern's star is any text, and case does not matter",
        arguments: [
            ("/a/b/c", "*", true), ("/a/b/c", "/a/*/c", true), ("/a/b/c", "/A/B/C", true), ("/a/b/c", "/a/*", true),
            ("/a/b/c", "*b*", true), ("/a/b/c", "/a/b", false), ("/a/b/c", "*/b", false), ("/aa", "*aa*a", false),
            ("", "*", true), ("/a", "", false),
        ])
    func patterns(text: String, pattern: String, fits: Bool) {
        #expect(Faults.matches(text, pattern) == fits)
    }

    @Test(
        "A rule that cannot be read is refused, and the script stays",
        arguments: [
            #"{}"#, #"{"rules": [{}]}"#, #"{"rules": [{"hang": true, "lose": true}]}"#, #"{"rules": [7]}"#,
            #"{"rules": [{"refuse": {"status": 200}}]}"#, #"{"rules": [{"hang": true, "rate": 2}]}"#,
            #"{"rules": [{"hang": true, "ofen": 2}]}"#, #"{"rules": [{"delay": {}}]}"#,
        ])
    func badRules(text: String) async throws {
        let azure = try TestEmulator()
        azure.emulator.faults.rules = [FaultRule(effect: .stall)]
        let reply = try await azure("PUT", "/emulator/faults", try JSONValue.parse(text.utf8))
        #expect(reply.status == 400 && reply.code == "InvalidFault")
        #expect(azure.emulator.faults.rules.count == 1)
    }

    @Test("Controls need a token, and a clock that stands still is moved by them")
    func controls() async throws {
        let azure = try TestEmulator()
        let stranger = EmulatorRequest("GET", "/emulator/faults")
        #expect(try await azure.send(stranger).status == 401)
        let before = try await azure("GET", "/emulator/clock").json["milliseconds"]?.integer ?? 0
        let reply = try await azure("POST", "/emulator/clock", ["advanceMilliseconds": 1500])
        #expect(reply.json["milliseconds"]?.integer == before + 1500)
        #expect(try await azure("POST", "/emulator/clock", ["advanceMilliseconds": -1]).code == "InvalidClock")
        #expect(try await azure("GET", "/emulator/elsewhere").status == 404)
    }
}
