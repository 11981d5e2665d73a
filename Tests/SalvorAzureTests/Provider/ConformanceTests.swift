import Foundation
import ProviderConformance
import SalvorAzure
import SalvorCoordinatorCore
import SalvorJSON
import Testing

@Suite struct ConformanceTests {
    @Test("It keeps every promise of a provider", arguments: Conformance.checks)
    func promise(check: Conformance.Check) async throws {
        try await RunningAzure.run(contents: true) { azure in
            let ground = try await AzureGround(azure)
            try await ground.makeMachines(2)
            try await ground.makeImage()
            try await Conformance(AzureConformanceGround(ground: ground)).holds(check)
        }
    }
}

private struct AzureConformanceGround: ConformanceGround {
    let ground: AzureGround
    let machines = ["web/vm1", "web/vm2"]
    let rescueGuestsLetGo = true
    var consoleLog: String { "\(ground.azure.folder)/console/log" }

    func provider() async throws -> any Provider { try ground.provider() }

    private func name(_ machine: String) -> String { String(machine.split(separator: "/")[1]) }

    /// The disk's record: a write to it would be a grant or an owner.
    func original(of machine: String) async throws -> String {
        let json = try await ground.azure("GET", AzureGround.path("Compute/disks", "\(name(machine))-os")).json
        let kept = ["uniqueId", "timeCreated", "diskSizeBytes", "creationData", "hyperVGeneration", "osType"]
        let facts = kept.map { json["properties"]?[$0] } + [json["tags"], json["sku"]]
        return facts.map { $0?.text ?? "-" }.joined(separator: " ")
    }

    func disk(of machine: String) async throws -> String { try await ground.osDisk(of: name(machine)) ?? "" }

    func giveStrangersDisk(to machine: String) async throws {
        let disk = AzureGround.path("Compute/disks", "strangers")
        try await ground.azure.make(
            disk,
            [
                "location": "westeurope", "sku": ["name": "Premium_LRS"],
                "properties": [
                    "osType": "Windows", "hyperVGeneration": "V2", "diskSizeGB": 127,
                    "creationData": ["createOption": "Empty"],
                ],
            ])
        let machine = AzureGround.path("Compute/virtualMachines", name(machine))
        let id = "/subscriptions/\(RunningAzure.subscription)/\(disk)"
        let change: JSONValue = [
            "properties": [
                "storageProfile": ["osDisk": ["managedDisk": ["id": .string(id)], "name": "strangers"]]
            ]
        ]
        let answer = try await ground.azure("PATCH", machine, change)
        try #require(answer.status == 200, "\(answer.json)")
        while try await ground.azure("GET", machine).json["properties"]?["provisioningState"] != "Succeeded" {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Resources and groups of the subscription, without the records of deployments.
    func everything() async throws -> Set<String> {
        let resources = try await ground.azure("GET", "resources").json["value"]?.array ?? []
        let groups = try await ground.azure("GET", "resourcegroups").json["value"]?.array ?? []
        return Set((resources + groups).compactMap { $0["id"]?.string?.lowercased() })
    }
}
