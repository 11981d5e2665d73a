import BenchFigures
import SalvorImage
import SalvorJSON
import Synchronization
import SystemPackage

/// Requests by the thousand, sent by wrk.
final class Load: Sendable {
    static let compute = "resourceGroups/bench/providers/Microsoft.Compute"
    static let network = "resourceGroups/bench/providers/Microsoft.Network"

    struct Outcome: Sendable {
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
                "networkProfile": ["networkInterfaces": [["id": .string(interface)]]],
            ],
        ]
        try await send(Requests(method: "PUT", path: "\(Self.compute)/virtualMachines/vm@", body: body), machines)
        // The group, the network with its subnet, and three for each machine.
        count.withLock { $0 += 3 + 3 * machines }
    }

    func makeDisks(_ disks: Int) async throws -> Outcome {
        let body: JSONValue = [
            "location": "westeurope", "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 8],
        ]
        let outcome = try await send(
            Requests(method: "PUT", path: "\(Self.compute)/disks/disk@", body: body), disks)
        count.withLock { $0 += disks }
        return outcome
    }

    /// The same request again and again, as fast as they are answered.
    func repeated(_ requests: Requests, connections: Int = 32, seconds: Int) async throws -> Outcome {
        try await wrk(requests, times: nil, connections: connections, seconds: seconds)
    }

    @discardableResult
    private func send(_ requests: Requests, _ times: Int) async throws -> Outcome {
        try await wrk(requests, times: times, connections: min(32, times), seconds: 120)
    }

    private func wrk(
        _ requests: Requests, times: Int?, connections: Int, seconds: Int
    ) async throws -> Outcome {
        let script = scratch.appending("requests.lua")
        Posix.removeTree(script)
        try Posix.write(Array(lua(requests, times: times).utf8), to: script)
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
        guard answered > 0, microseconds > 0, times.map({ Int(answered) >= $0 }) ?? true else {
            throw BenchError("\(requests.method) \(requests.path): \(Int(answered)) answers in \(microseconds / 1e6) s")
        }
        return Outcome(
            perSecond: answered / microseconds * 1e6,
            medianMilliseconds: Double(json["median"]?.integer ?? 0) / 1000)
    }

    /// A script that counts answers by itself: wrk's own count of errors leaves out those below 400 that are none.
    private func lua(_ requests: Requests, times: Int?) -> String {
        let path = "/subscriptions/\(emulator.subscription)/\(requests.path)?api-version=2024-11-01"
        return """
            local sent = 0
            answered, bad = 0, 0
            local limit = \(times.map(String.init) ?? "math.huge")
            local path, body = [[\(path)]], [[\(requests.body?.text ?? "")]]
            wrk.headers["Authorization"] = "Bearer \(token)"
            wrk.headers["Content-Type"] = "application/json"
            local threads = {}
            function setup(thread) table.insert(threads, thread) end
            function request()
              sent = sent + 1
              local number = tostring(math.min(sent, limit))
              return wrk.format("\(requests.method)", (path:gsub("@", number)), nil, (body:gsub("@", number)))
            end
            function response(status, headers, text)
              if answered >= limit then return end
              answered = answered + 1
              if status < 200 or status > 202 then bad = bad + 1 end
              if answered == limit then wrk.thread:stop() end
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
