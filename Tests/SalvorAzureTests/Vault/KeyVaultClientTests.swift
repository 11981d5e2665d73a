import AzureEmulator
import Foundation
import SalvorJSON
import SalvorSystem
import Testing

@testable import SalvorAzure

/// Keys of Azure Disk Encryption, out of the emulator's key vaults.
@Suite struct KeyVaultClientTests {
    private static func run(
        guest: (secrets: [JSONValue], keys: [JSONValue]) = (["get"], ["unwrapKey"]), isWrapped: Bool = false,
        file: [UInt8] = RunningAzure.startupKeyFile,
        _ body: @escaping @Sendable (RunningAzure, KeyVaultClient, GuestEncryption.Key) async throws -> Void
    ) async throws {
        try await RunningAzure.run {
            RunningAzure.addGuest(&$0, role: "Reader")
            $0.applications[0].objectID = RunningAzure.makerObject
        } _: { azure in
            try await azure.make("resourcegroups/web", ["location": "westeurope"])
            let vault = try await azure.makeVault(guest: guest)
            let settings = try await azure.keepKey(file, in: vault, isWrapped: isWrapped)
            let arm = ARMClient(
                endpoint: azure.endpoint, transport: azure.connections,
                tokens: EmulatorTokens(azure: azure, client: RunningAzure.guest), clock: .fast())
            let key = try #require(GuestEncryption(disk: settings)?.keys.first)
            try await body(azure, KeyVaultClient(arm: arm, suffix: "vault.localhost"), key)
        }
    }

    private static func refusal(
        _ vaults: KeyVaultClient, _ key: GuestEncryption.Key
    ) async throws -> AzureError {
        let error = await #expect(throws: AzureError.self) { try await vaults.startupKey(key) }
        return try #require(error)
    }

    @Test("A secret holds the file in base64, or wrapped by a key that stays in its vault", arguments: [false, true])
    func keys(isWrapped: Bool) async throws {
        try await Self.run(isWrapped: isWrapped) { _, vaults, key in
            let file = try await vaults.startupKey(key)
            #expect(file.withBytes { Array($0) } == RunningAzure.startupKeyFile)
            #expect((key.wrappingKeyURL != nil) == isWrapped)
        }
    }

    @Test("A text in base64 that was wrapped, instead of the file, is one too")
    func wrappedText() async throws {
        // As a key of 2048 bits can wrap: 214 bytes.
        let text = Array(Data(RunningAzure.startupKeyFile).base64EncodedString().utf8)
        try await Self.run(isWrapped: true, file: text) { _, vaults, key in
            let read = try await vaults.startupKey(key)
            #expect(read.withBytes { Array($0) } == RunningAzure.startupKeyFile)
        }
    }

    @Test("What is no startup key is refused without a word of it", arguments: ["secret words", "c2VjcmV0IHdvcmRz"])
    func notAKey(value: String) async throws {
        try await Self.run { azure, vaults, key in
            let address = key.secretURL.split(separator: "/").dropLast().joined(separator: "/")
            _ = try await azure.vault(
                "PUT", address.replacing("https:/", with: "https://"), ["value": .string(value)])
            var newest = key
            newest.secretURL = address.replacing("https:/", with: "https://")
            let error = try await Self.refusal(vaults, newest)
            #expect(error.code == .badAnswer)
            #expect(error.message.contains("no .BEK file"))
            #expect(!error.message.contains(value) && !"\(error)".contains("secret words"))
        }
    }

    @Test("Who may not read the secret, or use the key, is told which role gives it", arguments: [true, false])
    func forbidden(isSecret: Bool) async throws {
        try await Self.run(guest: isSecret ? ([], ["all"]) : (["all"], []), isWrapped: true) { _, vaults, key in
            let error = try await Self.refusal(vaults, key)
            #expect(error.code == .forbidden)
            #expect(error.message.contains(isSecret ? "The secret" : "The key"))
            #expect(error.nextStep.contains("unlock-role.json"))
        }
    }

    @Test("In a vault that goes by roles the one in Coordinator/azure is what it takes, and enough")
    func unlockRole() async throws {
        try await Self.run(isWrapped: true) { azure, vaults, key in
            let vault = try #require(key.vault)
            let changed = try await azure("PATCH", "\(vault)", ["properties": ["enableRbacAuthorization": true]])
            try #require(changed.status < 300, "\(changed.json)")
            #expect(try await Self.refusal(vaults, key).code == .forbidden)
            try await azure.assignUnlockActions(on: "\(vault)")
            let file = try await vaults.startupKey(key)
            #expect(file.withBytes { Array($0) } == RunningAzure.startupKeyFile)
        }
    }

    @Test("A secret that is disabled, or gone, is said with how it comes back")
    func disabledAndGone() async throws {
        try await Self.run { azure, vaults, key in
            let secret = try await azure.vault("GET", key.secretURL)
            _ = try await azure.vault("PATCH", key.secretURL, ["attributes": ["enabled": false]])
            let disabled = try await Self.refusal(vaults, key)
            #expect(disabled.nextStep.contains("Enable the secret"), "\(disabled)")
            #expect(!"\(disabled)".contains(secret["value"]?.string ?? "-"))
            let name = key.secretURL.split(separator: "/").dropLast().joined(separator: "/")
            _ = try await azure.vault("DELETE", name.replacing("https:/", with: "https://"))
            let gone = try await Self.refusal(vaults, key)
            #expect(gone.code == .notFound)
            #expect(gone.nextStep.contains("recover"))
        }
    }

    @Test(
        "No token goes to what is no vault of this cloud",
        arguments: [
            "https://evil.example/secrets/s/1", "http://safe.vault.localhost/secrets/s/1",
            "https://safe.vault.localhost.evil.example/secrets/s/1", "https://a.b.vault.localhost/secrets/s/1",
            "https://vault.localhost/secrets/s/1", "https://safe.vault.localhost@evil.example/secrets/s/1",
            "https:///secrets/s/1", "",
        ])
    func foreignAddresses(address: String) async throws {
        try await RunningAzure.run { azure in
            let counting = CountingTransport(azure.connections)
            let arm = ARMClient(
                endpoint: azure.endpoint, transport: counting, tokens: EmulatorTokens(azure: azure), clock: .fast())
            let vaults = KeyVaultClient(arm: arm, suffix: "vault.localhost")
            let settings: JSONValue = ["encryptionSettings": [["diskEncryptionKey": ["secretUrl": .string(address)]]]]
            let key = try #require(GuestEncryption(disk: settings)?.keys.first)
            let error = try await Self.refusal(vaults, key)
            #expect(error.code == .badSetting)
            #expect(error.nextStep.contains("No token was sent"))
            #expect(counting.calls == [])
        }
    }
}
