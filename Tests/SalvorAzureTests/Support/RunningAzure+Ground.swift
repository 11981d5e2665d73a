import SalvorAzure
import SalvorDigest
import SalvorJSON
import Synchronization
import Testing

@testable import AzureEmulator

/// A token that was fetched before.
struct FixedToken: TokenSource {
    let secret: String

    func token(for scope: String) async throws(AzureError) -> AccessToken {
        AccessToken(secret: secret, expires: .max)
    }

    func forget(_ token: AccessToken) async {}
}

/// Counts what passes through it.
final class CountingTransport: HTTPTransport {
    let transport: any HTTPTransport
    private let seen = Mutex<[String]>([])

    init(_ transport: any HTTPTransport) { self.transport = transport }

    /// `METHOD /path`, without query, in the order of sending.
    var calls: [String] { seen.withLock { $0 } }

    func send(_ request: HTTPRequest) async throws(AzureError) -> HTTPResponse {
        let path = request.url.split(separator: "/", maxSplits: 2).last.map {
            $0.drop { $0 != "/" }.prefix { $0 != "?" }
        }
        seen.withLock { $0.append("\(request.method) \(path ?? "")") }
        return try await transport.send(request)
    }
}

/// Holds answers to GETs of one kind back until as many as are to meet have come.
final class MeetingTransport: HTTPTransport {
    private struct State {
        var isOn = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let transport: any HTTPTransport
    private let suffix: String
    private let count: Int
    private let state = Mutex(State())

    /// - Parameter suffix: of the path.
    init(_ transport: any HTTPTransport, at suffix: String, count: Int) {
        self.transport = transport
        self.suffix = suffix
        self.count = count
    }

    /// The next that come wait for each other, once.
    func begin() { state.withLock { $0.isOn = true } }

    func send(_ request: HTTPRequest) async throws(AzureError) -> HTTPResponse {
        let response = try await transport.send(request)
        guard request.method == "GET", request.url.prefix(while: { $0 != "?" }).hasSuffix(suffix) else {
            return response
        }
        await withCheckedContinuation { continuation in
            let met = state.withLock { state -> [CheckedContinuation<Void, Never>] in
                guard state.isOn else { return [continuation] }
                state.waiting.append(continuation)
                guard state.waiting.count == count else { return [] }
                state.isOn = false
                return state.waiting
            }
            for one in met { one.resume() }
        }
        return response
    }
}

extension RunningAzure {
    static let root = "/subscriptions/\(subscription)"
    static let guest = "55555555-5555-4555-8555-555555555555"
    static let guestObject = "66666666-6666-4666-8666-666666666666"

    /// - Parameter transport: nil for the emulator's own.
    func client(_ transport: (any HTTPTransport)? = nil) async throws -> ARMClient {
        ARMClient(
            endpoint: endpoint, transport: transport ?? connections, tokens: FixedToken(secret: try await bearer()))
    }

    /// The second application's, which `configure` must have added by ``addGuest(_:role:)``.
    func guestClient(_ transport: (any HTTPTransport)? = nil) async throws -> ARMClient {
        let form =
            "grant_type=client_credentials&client_id=\(Self.guest)&client_secret=\(Self.secret)&scope=\(endpoint)/.default"
        let response = try await connections.send(
            HTTPRequest(
                "POST", "\(endpoint)/\(Self.tenant)/oauth2/v2.0/token",
                headers: [HTTPField("Content-Type", "application/x-www-form-urlencoded")], body: Array(form.utf8)))
        let token = try #require(try JSONValue.parse(response.body)["access_token"]?.string)
        return ARMClient(endpoint: endpoint, transport: transport ?? connections, tokens: FixedToken(secret: token))
    }

    /// An application of less permission.
    static func addGuest(_ configuration: inout EmulatorConfiguration, role: String?) {
        configuration.applications.append(
            .init(
                id: guest, objectID: guestObject, secretSHA256: SHA256.digest(of: Array(secret.utf8)), role: role))
    }

    static func compute(_ type: String, _ name: String, group: String = "rg") -> String {
        "resourceGroups/\(group)/providers/Microsoft.Compute/\(type)/\(name)"
    }

    static func network(_ type: String, _ name: String, group: String = "rg") -> String {
        "resourceGroups/\(group)/providers/Microsoft.Network/\(type)/\(name)"
    }

    static func machineID(_ name: String, group: String = "rg") -> String {
        "\(root)/\(compute("virtualMachines", name, group: group))"
    }

    /// A group with a network.
    func makeGround(_ group: String = "rg") async throws {
        try await make("resourceGroups/\(group)", ["location": "westeurope"])
        try await make(
            Self.network("virtualNetworks", "net", group: group),
            [
                "location": "westeurope",
                "properties": [
                    "addressSpace": ["addressPrefixes": ["10.0.0.0/16"]],
                    "subnets": [["name": "default", "properties": ["addressPrefix": "10.0.0.0/16"]]],
                ],
            ])
    }

    /// A running machine with a disk and an interface of its own.
    /// - Parameters:
    ///   - disk: more of the disk, in the place of what is usual.
    ///   - machine: more of the machine's properties.
    func makeMachine(
        _ name: String, group: String = "rg", system: String = "Windows", zones: [String] = [],
        disk: [String: JSONValue] = [:], machine: [String: JSONValue] = [:], tags: [String: String] = [:]
    ) async throws {
        let subnet = "\(Self.root)/\(Self.network("virtualNetworks", "net", group: group))/subnets/default"
        try await make(
            Self.network("networkInterfaces", "\(name)-nic", group: group),
            [
                "location": "westeurope",
                "properties": [
                    "ipConfigurations": [["name": "one", "properties": ["subnet": ["id": .string(subnet)]]]]
                ],
            ])
        let zones = JSONValue.array(zones.map { .string($0) })
        var properties: [String: JSONValue] = [
            "creationData": ["createOption": "Empty"], "diskSizeGB": 127, "osType": .string(system),
            "hyperVGeneration": "V2",
        ]
        properties.merge(disk) { $1 }
        try await make(
            Self.compute("disks", "\(name)-os", group: group),
            [
                "location": "westeurope", "zones": zones, "sku": ["name": "Premium_LRS"],
                "properties": .object(properties),
            ])
        var settings: [String: JSONValue] = [
            "hardwareProfile": ["vmSize": "Standard_D2s_v5"],
            "storageProfile": [
                "osDisk": [
                    "createOption": "Attach", "osType": .string(system), "caching": "ReadWrite",
                    "managedDisk": ["id": .string("\(Self.root)/\(Self.compute("disks", "\(name)-os", group: group))")],
                ]
            ],
            "networkProfile": [
                "networkInterfaces": [
                    ["id": .string("\(Self.root)/\(Self.network("networkInterfaces", "\(name)-nic", group: group))")]
                ]
            ],
        ]
        settings.merge(machine) { $1 }
        try await make(
            Self.compute("virtualMachines", name, group: group),
            [
                "location": "westeurope", "zones": zones, "properties": .object(settings),
                "tags": .object(tags.mapValues { .string($0) }),
            ])
    }

    func lock(_ name: String, _ level: String, on scope: String = "") async throws {
        let answer = try await self(
            "PUT", "\(scope)\(scope.isEmpty ? "" : "/")providers/Microsoft.Authorization/locks/\(name)",
            ["properties": ["level": .string(level)]])
        try #require(answer.status == 201, "\(answer.json)")
    }
}
