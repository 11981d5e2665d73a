import AzureEmulator
import SalvorDigest
import SalvorJSON
import Synchronization
import Testing

/// An emulator with a clock that stands still until it is told, signed in to.
final class TestEmulator: Sendable {
    static let tenant = "11111111-1111-4111-8111-111111111111"
    static let subscription = "22222222-2222-4222-8222-222222222222"
    static let client = "33333333-3333-4333-8333-333333333333"
    static let secret = "a secret"

    struct Reply {
        var status: Int
        var json: JSONValue
        var response: EmulatorResponse

        var code: String? { json[path: "error.code"]?.string }
    }

    let emulator: Emulator
    private let clock: ManualClock
    private let token = Mutex<(text: String, ends: EmulatorTime)?>(nil)

    /// - Parameters:
    ///   - path: of the state's file; nil for a state in memory.
    ///   - latency: of every operation, but those of `latencyOf`, by lower-cased `type/verb`.
    ///   - ids: what ids begin with.
    init(
        path: String? = nil, latency: Duration = .zero, latencyOf: [String: Duration] = [:], throttles: Bool = false,
        replicationLag: Duration = .zero, equipment: Equipment = Equipment(), ids: String = "op",
        at start: EmulatorTime = .init(milliseconds: 1_721_362_140_000),
        configure: (inout EmulatorConfiguration) -> Void = { _ in }
    ) throws {
        let clock = ManualClock(start)
        let counter = Counter()
        self.clock = clock
        var configuration = EmulatorConfiguration(
            tenant: Self.tenant, subscriptions: [.init(id: Self.subscription, name: "Test")],
            applications: [.init(id: Self.client, secretSHA256: SHA256.digest(of: Array(Self.secret.utf8)))],
            latencies: Latencies(standard: latency, exceptions: latencyOf), throttles: throttles,
            replicationLag: replicationLag)
        configure(&configuration)
        emulator = try Emulator(
            configuration, equipment: equipment, file: try StateFile(path: path),
            tokenKey: Array(repeating: 7, count: 32),
            clock: clock,
            makeID: { "\(ids)-\(counter.next())" })
    }

    /// Lets time pass.
    func pass(_ duration: Duration) { _ = clock.advance(by: duration) }

    /// Signs in with the application's secret, or with another form.
    func signIn(_ form: String? = nil, tenant: String = TestEmulator.tenant) async throws -> Reply {
        let body =
            form
            ?? "grant_type=client_credentials&client_id=\(Self.client)&client_secret=a+secret&scope=https%3A%2F%2Flocalhost%2F.default"
        return try await send(
            EmulatorRequest("POST", "/\(tenant)/oauth2/v2.0/token", body: Array(body.utf8)))
    }

    /// A token of an application for a resource.
    func token(_ client: String = TestEmulator.client, for resource: String) async throws -> String {
        let reply = try await signIn(
            "grant_type=client_credentials&client_id=\(client)&client_secret=a+secret&scope=\(resource)/.default")
        return try #require(reply.json["access_token"]?.string, "\(reply.json)")
    }

    /// - Parameters:
    ///   - path: below the subscription, unless it begins with a slash.
    ///   - body: JSON.
    func callAsFunction(
        _ method: String, _ path: String, _ body: JSONValue? = nil, query: [String: String] = [:],
        headers: [String: String] = [:]
    ) async throws -> Reply {
        var request = EmulatorRequest(
            method, path.hasPrefix("/") ? path : "/subscriptions/\(Self.subscription)/\(path)",
            query: ["api-version": "2024-11-01"].merging(query) { $1 }, headers: headers,
            body: body.map { Array($0.text.utf8) } ?? [])
        if request.headers["authorization"] == nil { request.headers["authorization"] = "Bearer \(try await bearer())" }
        return try await send(request)
    }

    func send(_ request: EmulatorRequest) async throws -> Reply {
        let response = await emulator.answer(request)
        let json = response.body.isEmpty ? JSONValue.null : try JSONValue.parse(response.body)
        return Reply(status: response.status, json: json, response: response)
    }

    /// Follows a link of an answer.
    func follow(_ reply: Reply, _ header: String) async throws -> Reply {
        let link = try #require(reply.response[header: header])
        let rest = try #require(link.split(separator: "https://localhost:8443", omittingEmptySubsequences: true).first)
        let halves = rest.split(separator: "?", maxSplits: 1)
        var query: [String: String] = [:]
        for pair in halves[1].split(separator: "&") {
            let parts = pair.split(separator: "=")
            query[String(parts[0])] = String(parts[1])
        }
        return try await self("GET", String(halves[0]), query: query)
    }

    func makeGroup(_ name: String = "rg") async throws {
        let reply = try await self("PUT", "resourceGroups/\(name)", ["location": "westeurope"])
        #expect(reply.status == 201)
    }

    /// Makes an empty disk and waits for it.
    func makeDisk(_ name: String, group: String = "rg", sizeGB: Int64 = 8) async throws {
        let reply = try await self(
            "PUT", "resourceGroups/\(group)/providers/Microsoft.Compute/disks/\(name)",
            [
                "location": "westeurope",
                "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": .integer(sizeGB)],
            ])
        #expect(reply.status == 202, "\(reply.json)")
        pass(.seconds(60))
    }

    private func bearer() async throws -> String {
        let now = clock.now
        if let token = token.withLock({ $0 }), now < token.ends { return token.text }
        let reply = try await signIn()
        let token = try #require(reply.json["access_token"]?.string)
        self.token.withLock { $0 = (token, now + .seconds(1800)) }
        return token
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock {
            $0 += 1
            return $0
        }
    }
}
