import AzureEmulator
import Foundation
import SalvorAzure
import SalvorCoordinatorCore
import SalvorJSON
import Testing

/// Machines with Azure Disk Encryption, rescued against the emulator with an agent that is played.
@Suite struct EncryptedRescueTests {
    private static func run(
        isWrapped: Bool = true, change: @escaping @Sendable (inout AzureConfiguration) -> Void,
        _ body: @escaping @Sendable (RunningAzure, AzureGround, AzureBench) async throws -> Void
    ) async throws {
        try await RunningAzure.run(contents: true) {
            RunningAzure.addGuest(&$0, role: nil)
            $0.applications[0].objectID = RunningAzure.makerObject
        } _: { azure in
            let maker = try await AzureGround(azure)
            try await maker.makeMachines()
            try await maker.makeImage()
            let vault = try await azure.makeVault(guest: (["get"], ["unwrapKey"]))
            let settings = try await azure.keepKey(RunningAzure.startupKeyFile, in: vault, isWrapped: isWrapped)
            let disk = try await azure(
                "PATCH", AzureGround.path("Compute/disks", "vm1-os"),
                ["properties": ["encryptionSettingsCollection": settings]])
            try #require(disk.status < 300, "\(disk.json)")
            try await azure.assignRescueRole()
            try await azure.assignUnlockActions(on: vault.id)
            let arm = ARMClient(
                endpoint: azure.endpoint, transport: azure.connections,
                tokens: EmulatorTokens(azure: azure, client: RunningAzure.guest), clock: .fast())
            let ground = try await AzureGround(azure, arm: arm) {
                $0.keyVaultSuffix = "vault.localhost"
                change(&$0)
            }
            var bench = try AzureBench(ground)
            bench.switchboard = PlayedSwitchboard(opensWith: RunningAzure.startupKeyFile)
            try await body(azure, ground, bench)
        }
    }

    @Test(
        "With the two roles alone a machine is unlocked from its vault, and keeps its encryption settings",
        arguments: [false, true])
    func unlocked(isWrapped: Bool) async throws {
        try await Self.run(isWrapped: isWrapped, change: { $0.unlocksDisks = true }) { azure, ground, bench in
            let before = try await azure("GET", AzureGround.path("Compute/disks", "vm1-os")).json
            let result = try await bench.rescue(["web/vm1"])
            #expect(result.machines.map(\.outcome?.kind) == [.repaired], "\(bench.messages(result))")
            let id = try #require(try await ground.osDisk(of: "vm1"))
            #expect(id.contains("-salvor-"))
            let after = try await azure("GET", id).json
            #expect(
                after["properties"]?["encryptionSettingsCollection"]
                    == before["properties"]?["encryptionSettingsCollection"])
            #expect(try await bench.changingCalls().count <= 7)
            #expect(bench.switchboard.lock?.isClosed == true, "the agent was not told to forget the key")
            try Self.checkSecrecy(bench, isWrapped: isWrapped)
        }
    }

    @Test("Without a word on where its key comes from it is refused before anything is changed")
    func refused() async throws {
        try await Self.run(change: { _ in }) { _, ground, bench in
            let result = try await bench.rescue(["web/vm1"])
            let outcome = try #require(result.machines.first?.outcome)
            #expect(outcome.kind == .failed && outcome.failedStep == .preflight)
            #expect(outcome.nextStep.contains("--unlock-encrypted-vm") && outcome.nextStep.contains("key vault safe"))
            #expect(try await bench.changingCalls() == [])
        }
    }

    @Test("A key that cannot be read is found before anything is changed")
    func unreadable() async throws {
        try await Self.run(change: { $0.unlocksDisks = true }) { azure, _, bench in
            let disk = try await azure("GET", AzureGround.path("Compute/disks", "vm1-os")).json
            let settings = disk["properties"]?["encryptionSettingsCollection"]?["encryptionSettings"]?.array?.first
            let secret = try #require(settings?["diskEncryptionKey"]?["secretUrl"]?.string)
            _ = try await azure.vault("PATCH", secret, ["attributes": ["enabled": false]])
            let result = try await bench.rescue(["web/vm1"])
            let outcome = try #require(result.machines.first?.outcome)
            #expect(outcome.failedStep == .preflight && outcome.message.contains(secret), "\(outcome)")
            #expect(outcome.nextStep.contains("Enable the secret"))
            #expect(try await bench.changingCalls() == [])
        }
    }

    @Test("The older encryption, whose settings the machine holds, is refused with the reason")
    func olderWay() async throws {
        try await Self.run(change: { $0.unlocksDisks = true }) { azure, _, bench in
            let machine = AzureGround.path("Compute/virtualMachines", "vm1")
            let changed = try await azure(
                "PATCH", machine,
                [
                    "properties": [
                        "storageProfile": [
                            "osDisk": [
                                "encryptionSettings": [
                                    "enabled": true,
                                    "diskEncryptionKey": [
                                        "secretUrl": "https://safe.vault.localhost/secrets/s/1",
                                        "sourceVault": ["id": "/subscriptions/s"],
                                    ],
                                ]
                            ]
                        ]
                    ]
                ])
            try #require(changed.status < 300, "\(changed.json)")
            let result = try await bench.rescue(["web/vm1"])
            let outcome = try #require(result.machines.first?.outcome)
            #expect(outcome.failedStep == .preflight && outcome.message.contains("the older way"), "\(outcome)")
            #expect(try await bench.changingCalls() == [])
        }
    }

    /// Journal, audit log and quarantine: nothing that the run left holds the key, in any of its forms.
    private static func checkSecrecy(_ bench: AzureBench, isWrapped: Bool) throws {
        let key = RunningAzure.startupKeyFile
        let forms = [
            Array(key.suffix(40)), Array(Data(key).base64EncodedString().dropLast(4).utf8),
            Array(key.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined().suffix(80).utf8),
        ]
        let folder = URL(fileURLWithPath: bench.state.path)
        var looked = 0
        for case let file as URL in FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)! {
            guard let content = try? Data(contentsOf: file) else { continue }
            looked += 1
            for form in forms { #expect(content.firstRange(of: form) == nil, "\(file.path)") }
        }
        #expect(looked > 3)
    }
}
