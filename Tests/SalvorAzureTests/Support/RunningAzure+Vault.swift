import Foundation
import SalvorAzure
import SalvorJSON
import Testing

@testable import AzureEmulator

extension RunningAzure {
    static let makerObject = "88888888-8888-4888-8888-888888888888"

    /// What the volume of a machine is locked with: a .BEK file, as far as whoever does not open one can see.
    static let startupKeyFile: [UInt8] = {
        var bytes = [UInt8](repeating: 0, count: 124)
        (bytes[0], bytes[4], bytes[8]) = (124, 1, 48)
        for index in 48..<124 { bytes[index] = UInt8(index) ^ 0x5A }
        return bytes
    }()

    /// A vault whose secrets and keys are the maker's, and the guest's as far as `guest` says.
    /// - Returns: its resource id, and its address without a slash at its end.
    func makeVault(
        _ name: String = "safe", group: String = "web", guest: (secrets: [JSONValue], keys: [JSONValue]) = ([], [])
    ) async throws -> (id: String, address: String) {
        func policy(_ object: String, _ secrets: [JSONValue], _ keys: [JSONValue]) -> JSONValue {
            [
                "tenantId": .string(Self.tenant), "objectId": .string(object),
                "permissions": ["secrets": .array(secrets), "keys": .array(keys)],
            ]
        }
        let path = "resourceGroups/\(group)/providers/Microsoft.KeyVault/vaults/\(name)"
        try await make(
            path,
            [
                "location": "westeurope",
                "properties": [
                    "tenantId": .string(Self.tenant), "sku": ["family": "A", "name": "standard"],
                    "enabledForDiskEncryption": true,
                    "accessPolicies": [
                        policy(Self.makerObject, ["all"], ["all"]), policy(Self.guestObject, guest.secrets, guest.keys),
                    ],
                ],
            ])
        let address = try await self("GET", path).json["properties"]?["vaultUri"]?.string
        return ("\(Self.root)/\(path)", String(try #require(address).dropLast()))
    }

    /// Asks a vault something, as the maker.
    func vault(_ method: String, _ address: String, _ body: JSONValue? = nil) async throws -> JSONValue {
        let token = try await bearer(for: "https://vault.azure.net")
        let response = try await connections.send(
            HTTPRequest(
                method, "\(address)?api-version=7.4",
                headers: [
                    HTTPField("Authorization", "Bearer \(token)"), HTTPField("Content-Type", "application/json"),
                ],
                body: body.map(\.utf8) ?? []))
        let json = try JSONValue.parse(response.body)
        try #require(response.status == 200, "\(method) \(address): \(json)")
        return json
    }

    /// Puts a startup key into a vault, as Azure Disk Encryption does.
    /// - Returns: what the disk's settings say of it.
    func keepKey(_ file: [UInt8], in vault: (id: String, address: String), isWrapped: Bool) async throws -> JSONValue {
        let source: JSONValue = ["id": .string(vault.id)]
        var value = Data(file).base64EncodedString()
        var tags: JSONValue = ["DiskEncryptionKeyFileName": "KEY.BEK"]
        var wrapping: JSONValue?
        if isWrapped {
            let key = try await self.vault(
                "POST", "\(vault.address)/keys/kek/create", ["kty": "RSA", "key_size": 2048])
            let url = try #require(key["key"]?["kid"]?.string)
            let wrapped = try await self.vault(
                "POST", "\(url)/wrapkey", ["alg": "RSA-OAEP", "value": .string(Base64URL.encode(file))])
            value = try #require(wrapped["value"]?.string)
            tags = [
                "DiskEncryptionKeyFileName": "KEY.BEK", "DiskEncryptionKeyEncryptionAlgorithm": "RSA-OAEP",
                "DiskEncryptionKeyEncryptionKeyURL": .string(url),
            ]
            wrapping = ["keyUrl": .string(url), "sourceVault": source]
        }
        let secret = try await self.vault(
            "PUT", "\(vault.address)/secrets/bek",
            ["value": .string(value), "contentType": "Wrapped BEK", "tags": tags])
        var setting: [String: JSONValue] = [
            "diskEncryptionKey": ["secretUrl": secret["id"] ?? .null, "sourceVault": source]
        ]
        setting["keyEncryptionKey"] = wrapping
        return ["enabled": true, "encryptionSettingsVersion": "1.1", "encryptionSettings": [.object(setting)]]
    }
}

/// Signs in to the emulator for whatever a token is asked for.
struct EmulatorTokens: TokenSource {
    let azure: RunningAzure
    var client = RunningAzure.client

    func token(for scope: String) async throws(AzureError) -> AccessToken {
        let form =
            "grant_type=client_credentials&client_id=\(client)&client_secret=\(RunningAzure.secret)&scope=\(scope)"
        let response = try await azure.connections.send(
            HTTPRequest(
                "POST", "\(azure.endpoint)/\(RunningAzure.tenant)/oauth2/v2.0/token",
                headers: [HTTPField("Content-Type", "application/x-www-form-urlencoded")], body: Array(form.utf8)))
        guard let secret = (try? JSONValue.parse(response.body))?["access_token"]?.string else {
            throw AzureError(.notSignedIn, "the emulator gave no token", nextStep: "-")
        }
        return AccessToken(secret: secret, expires: .max)
    }

    func forget(_ token: AccessToken) async {}
}
