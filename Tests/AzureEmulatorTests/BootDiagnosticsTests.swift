import SalvorJSON
import Testing

@testable import AzureEmulator

private let machine = "resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"

@Suite struct BootDiagnosticsTests {
    private func make(_ hypervisor: TestHypervisor?) async throws -> TestEmulator {
        let azure = try TestEmulator(equipment: Equipment(hypervisor: hypervisor))
        try await azure.makeGround()
        try await azure.makeMachine()
        _ = try await azure("GET", machine)
        await azure.emulator.settle()
        return azure
    }

    private func enable(_ azure: TestEmulator) async throws {
        let reply = try await azure(
            "PATCH", machine, ["properties": ["diagnosticsProfile": ["bootDiagnostics": ["enabled": true]]]])
        #expect(reply.status == 200, "\(reply.json)")
        _ = try await azure("GET", machine)
    }

    private func addresses(_ azure: TestEmulator, query: [String: String] = [:]) async throws -> (
        log: String, screen: String
    ) {
        let reply = try await azure("POST", "\(machine)/retrieveBootDiagnosticsData", query: query)
        #expect(reply.status == 200, "\(reply.json)")
        return (
            try #require(reply.json["serialConsoleLogBlobUri"]?.string),
            try #require(reply.json["consoleScreenshotBlobUri"]?.string)
        )
    }

    /// Without a token, as clients fetch it.
    private func fetch(
        _ azure: TestEmulator, _ address: String, headers: [String: String] = [:],
        change: (name: String, value: String)? = nil
    ) async -> EmulatorResponse {
        let halves = address.dropFirst("https://localhost:8443".count).split(separator: "?", maxSplits: 1)
        var query: [String: String] = [:]
        for pair in halves[1].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            query[String(parts[0])] = Form.decode(parts[1].utf8)
        }
        if let change { query[change.name] = change.value }
        return await azure.emulator.answer(
            EmulatorRequest("GET", String(halves[0]), query: query, headers: headers))
    }

    @Test("Only a machine with boot diagnostics has some")
    func notEnabled() async throws {
        let azure = try await make(nil)
        let reply = try await azure("POST", "\(machine)/retrieveBootDiagnosticsData")
        #expect(reply.status == 409 && reply.code == "OperationNotAllowed")
        try await enable(azure)
        _ = try await addresses(azure)
        for minutes in ["0", "1441", "x"] {
            let reply = try await azure(
                "POST", "\(machine)/retrieveBootDiagnosticsData", query: ["sasuriexpirationtimeinminutes": minutes])
            #expect(reply.code == "InvalidParameter")
        }
    }

    @Test("A real machine's console and screen are had by signed addresses, in ranges too")
    func real() async throws {
        let hypervisor = try TestHypervisor()
        let azure = try await make(hypervisor)
        try await enable(azure)
        hypervisor.setLog("booting\nup\n")
        let (log, screen) = try await addresses(azure)
        #expect(await fetch(azure, log).body == Array("booting\nup\n".utf8))
        #expect(await fetch(azure, screen).body == [0x89, 0x50])
        let part = await fetch(azure, log, headers: ["x-ms-range": "bytes=8-100"])
        #expect(part.status == 206 && part.body == Array("up\n".utf8))
        #expect(part[header: "Content-Range"] == "bytes 8-10/11")
        #expect(await fetch(azure, log, headers: ["range": "bytes=11-"]).status == 416)
        #expect(await fetch(azure, log, headers: ["range": "bytes=9-8"]).status == 400)
        _ = try await azure("POST", "\(machine)/powerOff")
        _ = try await azure("GET", machine)
        await azure.emulator.settle()
        #expect(await fetch(azure, screen).status == 404)
    }

    @Test("An address is good for one file of one machine, for its time, and signed by nobody else")
    func signatures() async throws {
        let azure = try await make(try TestHypervisor())
        try await enable(azure)
        let (log, screen) = try await addresses(azure, query: ["sasuriexpirationtimeinminutes": "5"])
        let signature = try #require(screen.split(separator: "sig=").last)
        #expect(await fetch(azure, log, change: ("sig", Form.decode(signature.utf8))).status == 403)
        #expect(await fetch(azure, log, change: ("sig", "")).status == 403)
        #expect(await fetch(azure, log, change: ("se", "2099-01-01T00:00:00Z")).status == 403)
        #expect(await fetch(azure, log).status == 200)
        azure.pass(.seconds(301))
        #expect(await fetch(azure, log).status == 403)
    }

    @Test("A simulated machine has a log that says so, and a black screen")
    func simulated() async throws {
        let azure = try await make(nil)
        try await enable(azure)
        let (log, screen) = try await addresses(azure)
        #expect(String(decoding: await fetch(azure, log).body, as: UTF8.self).contains("vm is simulated"))
        #expect(Array(await fetch(azure, screen).body.prefix(4)) == [0x89, 0x50, 0x4E, 0x47])
    }
}
