import BenchFigures
import SalvorImage
import SalvorJSON
import Synchronization
import SystemPackage

/// Requests by the thousand: those that are measured sent by wrk, those that only make the ground by curl.
final class Load: Sendable {
    static let compute = "resourceGroups/bench/providers/Microsoft.Compute"
    static let network = "resourceGroups/bench/providers/Microsoft.Network"

    struct Outcome: Sendable {
        var answered: Int
        var perSecond: Double
        var medianMilliseconds: Double
    }

    /// What a wrk script sends; `@` in path and body is the request's number.
    struct Requests: Sendable {
        var method: String
        var path: String
        var body: JSONValue?

        static func get(_ path: String) -> Requests { Requests(method: "GET", path: path) }
    }

    private let emulator: RunningEmulator
    private let scratch: FilePath
    private let token: String
    private let count = Mutex(0)
    private let tools = ToolRunner()

    /// Resources that it has made.
    var made: Int { count.withLock { $0 } }

    init(_ emulator: RunningEmulator, scratch: FilePath) async throws {
        self.emulator = emulator
        self.scratch = scratch
        let form = scratch.appending("form")
        try Posix.write(
            Array(
                ("grant_type=client_credentials&client_id=\(emulator.application)&client_secret="
                    + Self.encoded(try emulator.secret()) + "&scope=https%3A%2F%2Flocalhost%2F.default").utf8), to: form
        )
        let answer = try await tools.output(
            "curl",
            [
                "--silent", "--show-error", "--fail", "--cacert", emulator.authority.string, "--data", "@\(form)",
                "\(emulator.base)/\(emulator.tenant)/oauth2/v2.0/token",
            ])
        guard let token = try JSONValue.parse(answer)["access_token"]?.string else {
            throw BenchError("azure-emulator gave no token")
        }
        self.token = token
    }

    /// A machine needs an interface; its disk is made with it: three resources each, and the network that all are in.
    func makeMachines(_ machines: Int) async throws {
        let location: JSONValue = ["location": "westeurope"]
        try await send(Requests(method: "PUT", path: "resourceGroups/bench", body: location), 1)
        let subnet = "/subscriptions/\(emulator.subscription)/\(Self.network)/virtualNetworks/net/subnets/default"
        var body = location
        body = [
            "location": "westeurope",
            "properties": [
                "addressSpace": ["addressPrefixes": ["10.0.0.0/16"]],
                "subnets": [["name": "default", "properties": ["addressPrefix": "10.0.0.0/16"]]],
            ],
        ]
        try await send(Requests(method: "PUT", path: "\(Self.network)/virtualNetworks/net", body: body), 1)
        body = [
            "location": "westeurope",
            "properties": [
                "ipConfigurations": [["name": "one", "properties": ["subnet": ["id": .string(subnet)]]]]
            ],
        ]
        try await send(Requests(method: "PUT", path: "\(Self.network)/networkInterfaces/vm@", body: body), machines)
        let interface = "/subscriptions/\(emulator.subscription)/\(Self.network)/networkInterfaces/vm@"
        body = [
            "location": "westeurope",
            "properties": [
                "hardwareProfile": ["vmSize": "Standard_D2s_v5"],
                "storageProfile": [
                    "imageReference": [
                        "publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2022-datacenter-g2",
                        "version": "latest",
                    ], "osDisk": ["createOption": "FromImage", "name": "vm@-os"],
                ],
                "osProfile": ["computerName": "vm@", "adminUsername": "bench", "adminPassword": "Not-a-secret-1234"],
                "networkProfile": ["networkInterfaces": [["id": .string(interface)]]],
            ],
        ]
        try await send(Requests(method: "PUT", path: "\(Self.compute)/virtualMachines/vm@", body: body), machines)
        // The group, the network with its subnet, and three for each machine.
        count.withLock { $0 += 3 + 3 * machines }
    }

    /// New disks, as fast as they are made.
    func makeDisks(seconds: Int) async throws -> Outcome {
        let body: JSONValue = [
            "location": "westeurope", "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 8],
        ]
        let outcome = try await wrk(
            Requests(method: "PUT", path: "\(Self.compute)/disks/disk\(made)-@", body: body), connections: 32,
            seconds: seconds)
        count.withLock { $0 += outcome.answered }
        return outcome
    }

    /// The same request again and again, as fast as they are answered.
    func repeated(_ requests: Requests, connections: Int = 32, seconds: Int) async throws -> Outcome {
        try await wrk(requests, connections: connections, seconds: seconds)
    }

    /// Sends requests with the numbers from 1 on, and looks at each answer.
    private func send(_ requests: Requests, _ times: Int) async throws {
        let address = "\(emulator.base)/subscriptions/\(emulator.subscription)/\(requests.path)?api-version=2024-11-01"
        let orders = (1...times).map { number in
            func numbered(_ text: String) -> String { text.replacing("@", with: "\(number)") }
            let body = numbered(requests.body?.text ?? "").replacing("\"", with: "\\\"")
            return """
                url = "\(numbered(address))"
                request = "\(requests.method)"
                header = "Authorization: Bearer \(token)"
                header = "Content-Type: application/json"
                cacert = "\(emulator.authority)"
                data = "\(body)"
                output = "/dev/null"
                write-out = "%{http_code}\\n"
                silent
                """
        }
        let script = scratch.appending("orders")
        Posix.removeTree(script)
        try Posix.write(Array(orders.joined(separator: "\nnext\n").utf8), to: script, mode: 0o600)
        let output = try await tools.output("curl", ["--parallel", "--parallel-max", "32", "--config", script.string])
        let statuses = String(decoding: output, as: UTF8.self).split(separator: "\n")
        let bad = statuses.filter { !["200", "201", "202"].contains($0) }
        guard statuses.count == times, bad.isEmpty else {
            throw BenchError(
                "\(requests.method) \(requests.path): \(statuses.count) of \(times) answered, \(bad.count) of them badly"
            )
        }
    }

    private func wrk(_ requests: Requests, connections: Int, seconds: Int) async throws -> Outcome {
        let script = scratch.appending("requests.lua")
        Posix.removeTree(script)
        try Posix.write(Array(lua(requests).utf8), to: script)
        let output = try await tools.output(
            "wrk",
            [
                "--threads", "1", "--connections", "\(connections)", "--duration", "\(seconds)s", "--timeout", "30s",
                "--script", script.string, emulator.base,
            ])
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n")
        guard let last = lines.last(where: { $0.hasPrefix("{") }) else { throw BenchError("wrk said nothing") }
        let json = try JSONValue.parse(last.utf8)
        let bad = json["bad"]?.integer ?? 1
        guard bad == 0 else {
            throw BenchError("\(bad) of \(requests.method) \(requests.path) were not answered as they should be")
        }
        let answered = Double(json["answered"]?.integer ?? 0)
        let microseconds = Double(json["microseconds"]?.integer ?? 0)
        guard answered > 0, microseconds > 0 else {
            throw BenchError("\(requests.method) \(requests.path): \(Int(answered)) answers in \(microseconds / 1e6) s")
        }
        return Outcome(
            answered: Int(answered), perSecond: answered / microseconds * 1e6,
            medianMilliseconds: Double(json["median"]?.integer ?? 0) / 1000)
    }

    /// A script that counts answers by itself: wrk's own count of errors leaves out those below 400 that are none.
    private func lua(_ requests: Requests) -> String {
        let path = "/subscriptions/\(emulator.subscription)/\(requests.path)?api-version=2024-11-01"
        return """
            -- wrk asks for one request before it sends any.
            local sent = -1
            answered, bad = 0, 0
            local path, body = [[\(path)]], [[\(requests.body?.text ?? "")]]
            wrk.headers["Authorization"] = "Bearer \(token)"
            wrk.headers["Content-Type"] = "application/json"
            local threads = {}
            function setup(thread) table.insert(threads, thread) end
            function request()
              sent = sent + 1
              local number = tostring(sent)
              return wrk.format("\(requests.method)", (path:gsub("@", number)), nil, (body:gsub("@", number)))
            end
            function response(status, headers, text)
              answered = answered + 1
              if status < 200 or status > 202 then bad = bad + 1 end
            end
            function done(summary, latency, all)
              local counted, wrong = 0, summary.errors.connect + summary.errors.read + summary.errors.timeout
              for _, thread in ipairs(threads) do
                counted = counted + thread:get("answered")
                wrong = wrong + thread:get("bad")
              end
              print(string.format('{"answered":%d,"bad":%d,"microseconds":%d,"median":%d}', counted, wrong,
                summary.duration, latency:percentile(50)))
            end
            """
    }

    /// For a form: all but letters and digits by their bytes.
    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            return isPlain ? String(UnicodeScalar(byte)) : "%" + hexadecimalDigits(byte)
        }.joined()
    }

    private static func hexadecimalDigits(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.count == 1 ? "0" + digits : digits
    }
}
