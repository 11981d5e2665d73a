import Foundation
import SalvorAzure
import SalvorCoordinatorCore
import SalvorDigest
import SalvorJSON
import Testing

/// Windows machines in an emulated subscription, and a provider that works on them.
struct AzureGround: Sendable {
    static let group = "web"

    let azure: RunningAzure
    let arm: ARMClient
    let configuration: AzureConfiguration
    /// A file in the shape of a fixed VHD, with holes.
    let image: String

    init(_ azure: RunningAzure, arm: ARMClient? = nil, change: (inout AzureConfiguration) -> Void = { _ in })
        async throws
    {
        self.azure = azure
        if let arm {
            self.arm = arm
        } else {
            self.arm = ARMClient(
                endpoint: azure.endpoint, transport: azure.connections,
                tokens: FixedToken(secret: try await azure.bearer()), clock: .fast())
        }
        image = "\(azure.folder)/rescue.vhd"
        try FixedVHD.write(to: image)
        var configuration = AzureConfiguration(subscription: RunningAzure.subscription)
        configuration.image = .vhd(path: image, digest: SHA256.digest(of: [1]))
        configuration.gathering = .milliseconds(20)
        configuration.uploadPatience = .seconds(5)
        configuration.bootPoll = .milliseconds(50)
        configuration.bootLimit = .seconds(20)
        change(&configuration)
        self.configuration = configuration
    }

    /// A new one each time, as a new process has.
    func provider() throws -> AzureProvider {
        try AzureProvider(arm: arm, transport: azure.connections, configuration: configuration)
    }

    static func path(_ type: String, _ name: String) -> String {
        "resourceGroups/\(group)/providers/Microsoft.\(type)/\(name)"
    }

    /// Group, network and machines `vm1`, `vm2`, …, which run.
    func makeMachines(_ count: Int = 1, change: JSONValue = [:]) async throws {
        try await azure.make("resourcegroups/\(Self.group)", ["location": "westeurope"])
        try await azure.make(
            Self.path("Network/virtualNetworks", "net"),
            [
                "location": "westeurope",
                "properties": [
                    "addressSpace": ["addressPrefixes": ["10.1.0.0/16"]],
                    "subnets": [["name": "default", "properties": ["addressPrefix": "10.1.0.0/16"]]],
                ],
            ])
        for number in 1...count { try await makeMachine("vm\(number)") }
    }

    private func makeMachine(_ name: String) async throws {
        let root = "/subscriptions/\(RunningAzure.subscription)/"
        let disk = Self.path("Compute/disks", "\(name)-os")
        try await azure.make(
            disk,
            [
                "location": "westeurope", "sku": ["name": "Premium_LRS"], "tags": ["owner": "web team"],
                "properties": [
                    "osType": "Windows", "hyperVGeneration": "V2", "diskSizeGB": 127,
                    "creationData": ["createOption": "Empty"],
                ],
            ])
        let interface = Self.path("Network/networkInterfaces", "\(name)-nic")
        try await azure.make(
            interface,
            [
                "location": "westeurope",
                "properties": [
                    "ipConfigurations": [
                        [
                            "name": "ip",
                            "properties": [
                                "subnet": [
                                    "id": .string(
                                        "\(root)\(Self.path("Network/virtualNetworks", "net"))/subnets/default")
                                ]
                            ],
                        ]
                    ]
                ],
            ])
        try await azure.make(
            Self.path("Compute/virtualMachines", name),
            [
                "location": "westeurope",
                "properties": [
                    "hardwareProfile": ["vmSize": "Standard_D2s_v5"],
                    "storageProfile": [
                        "osDisk": [
                            "createOption": "Attach", "osType": "Windows", "caching": "ReadWrite",
                            "managedDisk": ["id": .string(root + disk)],
                        ]
                    ],
                    "networkProfile": ["networkInterfaces": [["id": .string(root + interface)]]],
                    "diagnosticsProfile": ["bootDiagnostics": ["enabled": true]],
                ],
            ])
    }

    /// Has the rescue image uploaded, as an earlier run would have.
    func makeImage() async throws {
        try await provider().uploadRescueImage(to: "westeurope")
    }

    /// Deletes something beside the code under test, and waits until it is gone.
    func remove(_ path: String) async throws {
        let answer = try await azure("DELETE", path)
        try #require([200, 202, 204].contains(answer.status), "\(path): \(answer.json)")
        let deadline = ContinuousClock.now + .seconds(30)
        while try await azure("GET", path).status == 200 {
            try #require(ContinuousClock.now < deadline, "\(path) is still there")
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    func rescueGroups() async throws -> [String] {
        let groups = try await azure("GET", "resourcegroups").json["value"]?.array ?? []
        return groups.compactMap { $0["name"]?.string }.filter { $0.hasPrefix("salvor-2") }
    }

    /// The machine's OS disk as Azure has it now.
    func osDisk(of name: String) async throws -> String? {
        try await azure("GET", Self.path("Compute/virtualMachines", name)).json["properties"]?["storageProfile"]?[
            "osDisk"]?["managedDisk"]?["id"]?.string
    }

    func power(of name: String) async throws -> String? {
        try await azure("GET", "\(Self.path("Compute/virtualMachines", name))/instanceView").json["statuses"]?.array?
            .compactMap { $0["code"]?.string }.last { $0.hasPrefix("PowerState") }
    }
}

/// The smallest thing that Azure takes for a fixed VHD.
enum FixedVHD {
    static let content = 20 << 20

    static func write(to path: String) throws {
        let file = FileManager.default.createFile(atPath: path, contents: nil)
        try #require(file)
        let handle = try #require(FileHandle(forWritingAtPath: path))
        defer { try? handle.close() }
        try handle.truncate(atOffset: UInt64(content))
        try handle.seek(toOffset: 0)
        try handle.write(contentsOf: Data(repeating: 0x11, count: 4096))
        try handle.seek(toOffset: UInt64(9 << 20))
        try handle.write(contentsOf: Data(repeating: 0x22, count: 3 << 20))
        try handle.seek(toOffset: UInt64(content))
        try handle.write(contentsOf: Data(footer))
    }

    private static var footer: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { bytes[offset + index] = byte }
        }
        func put(_ value: UInt64, _ count: Int, at offset: Int) {
            for index in 0..<count {
                bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - index)))
            }
        }
        put("conectix", at: 0)
        put(2, 4, at: 8)
        put(0x10000, 4, at: 12)
        put(.max, 8, at: 16)
        put("slvr", at: 28)
        put(0x10000, 4, at: 32)
        put("Wi2k", at: 36)
        put(UInt64(content), 8, at: 40)
        put(UInt64(content), 8, at: 48)
        put(602 << 16 | 4 << 8 | 17, 4, at: 56)
        put(2, 4, at: 60)
        for index in 68..<84 { bytes[index] = UInt8(index) }
        let sum = bytes.reduce(UInt32(0)) { $0 &+ UInt32($1) }
        put(UInt64(~sum), 4, at: 64)
        return bytes
    }
}
