import AzureEmulator
import Foundation
import Logging
import SalvorDigest
import SalvorJSON
import SalvorSystem
import SystemPackage
import Testing

/// An emulated Azure without a network of its own, whose machines are started in earnest.
struct EmulatedAzure: Sendable {
    private static let subscription = "22222222-2222-4222-8222-222222222222"
    private static let client = "33333333-3333-4333-8333-333333333333"
    private static let tenant = "11111111-1111-4111-8111-111111111111"
    private static let group = "/subscriptions/\(subscription)/resourceGroups/rescue"
    private static let compute = "\(group)/providers/Microsoft.Compute"
    private static let network = "\(group)/providers/Microsoft.Network"

    let hypervisor: QEMUHypervisor
    private let emulator: Emulator
    private let token: String

    /// Runs `body` beside an emulator that looks after its machines meanwhile.
    /// - Parameter ports: of 127.0.0.1, which the machines reach at ``QEMUHypervisor/hostAddress``.
    static func with(
        in folder: FilePath, ports: [Int], _ body: @Sendable (EmulatedAzure) async throws -> Void
    ) async throws {
        let contents = try DiskContents(folder: folder.appending("disks").string)
        let hypervisor = QEMUHypervisor(
            .init(folder: folder.appending("machines"), contents: contents, reachablePorts: ports))
        let emulator = try Emulator(
            EmulatorConfiguration(
                tenant: tenant, subscriptions: [.init(id: subscription, name: "Test")],
                applications: [.init(id: client, secretSHA256: SHA256.digest(of: Array("a secret".utf8)))]),
            equipment: Equipment(contents: contents, hypervisor: hypervisor), file: try StateFile(path: nil),
            tokenKey: Array(repeating: 7, count: 32), clock: WorldClock(), makeID: { UUID().uuidString.lowercased() })
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let attending = Task { [quiet] in await emulator.attendMachines(logger: quiet) }
        let keeping = Task { await emulator.keepTime() }
        defer {
            attending.cancel()
            keeping.cancel()
        }
        let form =
            "grant_type=client_credentials&client_id=\(client)&client_secret=a+secret&scope=https://localhost/.default"
        let answer = await emulator.answer(
            EmulatorRequest("POST", "/\(tenant)/oauth2/v2.0/token", body: Array(form.utf8)))
        let token = try #require(try JSONValue.parse(answer.body)["access_token"]?.string)
        try await body(EmulatedAzure(hypervisor: hypervisor, emulator: emulator, token: token))
    }

    /// A group with a network and an interface.
    func makeGround() async throws {
        try await make(Self.group, ["location": "westeurope"])
        try await make(
            "\(Self.network)/virtualNetworks/net",
            [
                "location": "westeurope",
                "properties": [
                    "addressSpace": ["addressPrefixes": ["10.0.0.0/16"]],
                    "subnets": [["name": "default", "properties": ["addressPrefix": "10.0.0.0/24"]]],
                ],
            ])
        let subnet = "\(Self.network)/virtualNetworks/net/subnets/default"
        try await make(
            "\(Self.network)/networkInterfaces/nic",
            [
                "location": "westeurope",
                "properties": [
                    "ipConfigurations": [["name": "one", "properties": ["subnet": ["id": .string(subnet)]]]]
                ],
            ])
    }

    /// Makes a disk of a VHD, in the way of an upload: what is not zero, 4 MiB at a time.
    func upload(_ vhd: FilePath, as name: String, generation: String) async throws {
        let bytes = Array(try Data(contentsOf: URL(filePath: vhd.string)))
        let disk = "\(Self.compute)/disks/\(name)"
        try await make(
            disk,
            [
                "location": "westeurope",
                "properties": [
                    "creationData": ["createOption": "Upload", "uploadSizeBytes": .integer(Int64(bytes.count))],
                    "osType": "Linux", "hyperVGeneration": .string(generation),
                ],
            ])
        let granted = try await act("\(disk)/beginGetAccess", ["access": "Write", "durationInSeconds": 600])
        let address = try #require(granted[path: "properties.output.accessSAS"]?.string, "\(granted)")
        let blob = try #require(URLComponents(string: address))
        var query: [String: String] = ["comp": "page"]
        for item in blob.queryItems ?? [] { query[item.name.lowercased()] = item.value }
        for start in stride(from: 0, to: bytes.count, by: 4 << 20) {
            let part = bytes[start..<min(start + 4 << 20, bytes.count)]
            guard part.contains(where: { $0 != 0 }) else { continue }
            let answer = await emulator.answer(
                EmulatorRequest(
                    "PUT", blob.path, query: query,
                    headers: [
                        "x-ms-version": "2023-11-03", "x-ms-page-write": "update",
                        "x-ms-range": "bytes=\(part.startIndex)-\(part.endIndex - 1)",
                    ], body: Array(part)))
            try #require(answer.status == 201, "\(String(decoding: answer.body, as: UTF8.self))")
        }
        _ = try await act("\(disk)/endGetAccess", [:])
    }

    func makeDisk(_ name: String) async throws {
        try await make(
            "\(Self.compute)/disks/\(name)",
            [
                "location": "westeurope",
                "properties": ["creationData": ["createOption": "Empty"], "diskSizeGB": 1],
            ])
    }

    /// A machine of a disk that is there, which runs when this returns.
    /// - Returns: what the hypervisor knows it by.
    func start(_ name: String, from disk: String, userData: String, dataDisks: [Int: String]) async throws -> String {
        let machine = "\(Self.compute)/virtualMachines/\(name)"
        func reference(_ name: String) -> JSONValue { ["id": .string("\(Self.compute)/disks/\(name)")] }
        let data = dataDisks.sorted { $0.key < $1.key }.map { lun, name -> JSONValue in
            ["lun": .integer(Int64(lun)), "createOption": "Attach", "managedDisk": reference(name)]
        }
        try await make(
            machine,
            [
                "location": "westeurope",
                "properties": [
                    "userData": .string(userData), "hardwareProfile": ["vmSize": "Standard_D2s_v5"],
                    "storageProfile": [
                        "osDisk": ["createOption": "Attach", "osType": "Linux", "managedDisk": reference(disk)],
                        "dataDisks": .array(data),
                    ],
                    "networkProfile": [
                        "networkInterfaces": [["id": .string("\(Self.network)/networkInterfaces/nic")]]
                    ],
                ],
            ])
        return try #require(try await ask("GET", machine).json[path: "properties.vmId"]?.string)
    }

    // MARK: Requests

    private func make(_ path: String, _ body: JSONValue) async throws {
        let (answer, json) = try await ask("PUT", path, body)
        try #require((200...202).contains(answer.status), "\(path): \(json)")
        _ = try await outcome(of: answer)
    }

    /// - Returns: the operation's status document.
    private func act(_ path: String, _ body: JSONValue) async throws -> JSONValue {
        let (answer, json) = try await ask("POST", path, body)
        try #require(answer.status == 202, "\(path): \(json)")
        return try await outcome(of: answer)
    }

    private func outcome(of answer: EmulatorResponse) async throws -> JSONValue {
        guard let link = answer[header: "Azure-AsyncOperation"], let place = URLComponents(string: link) else {
            return .null
        }
        var query: [String: String] = [:]
        for item in place.queryItems ?? [] { query[item.name.lowercased()] = item.value }
        while true {
            let document = try await ask("GET", place.path, query: query).json
            switch document["status"]?.string {
            case "Succeeded": return document
            case "Failed", "Canceled", nil:
                Issue.record("\(document)")
                throw CancellationError()
            default: try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    private func ask(
        _ method: String, _ path: String, _ body: JSONValue? = nil, query: [String: String] = [:]
    ) async throws -> (answer: EmulatorResponse, json: JSONValue) {
        let answer = await emulator.answer(
            EmulatorRequest(
                method, path, query: ["api-version": "2024-11-01"].merging(query) { $1 },
                headers: ["authorization": "Bearer \(token)"], body: body.map { Array($0.text.utf8) } ?? []))
        return (answer, answer.body.isEmpty ? .null : try JSONValue.parse(answer.body))
    }
}
