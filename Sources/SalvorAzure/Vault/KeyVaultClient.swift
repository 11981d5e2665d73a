internal import FoundationEssentials
internal import SalvorAudit
import SalvorJSON
import SalvorSystem

/// Reads what Azure Disk Encryption keeps in key vaults, through Key Vault's REST API: the startup key (.BEK) of a volume
/// as a secret, in base64, or wrapped by a key (KEK) of a vault that does not leave it.
///
/// A secret passes through the HTTP library's memory, which nobody can wipe; here it is in locked memory from then on.
struct KeyVaultClient: Sendable {
    /// Of the cloud's Resource Manager; calls to vaults take its transport, sign-in, clock and deadline.
    let arm: ARMClient
    /// What vaults' names end with in this cloud.
    let suffix: String

    private static let limit = Duration.seconds(120)
    /// What ADE wraps with where the secret does not say otherwise.
    private static let usualAlgorithm = "RSA-OAEP"
    private static let algorithms = ["RSA-OAEP", "RSA-OAEP-256", "RSA1_5"]
    /// ADE writes it on secrets that it wraps.
    private static let algorithmTag = "DiskEncryptionKeyEncryptionAlgorithm"

    /// What the .BEK file of a volume holds.
    /// - Throws: where the secret or the key that wraps it cannot be had, with what to do about it.
    func startupKey(_ key: GuestEncryption.Key) async throws(AzureError) -> SecretBytes {
        let answer = try await answer(ARMCall("GET", key.secretURL, .keyVault), in: key.vault, reading: "secret")
        guard let text = answer["value"]?.string else {
            throw unusable(key.secretURL, "it has no value")
        }
        let file: SecretBytes?
        if let wrapping = key.wrappingKeyURL {
            let said = answer["tags"]?[Self.algorithmTag]?.string ?? Self.usualAlgorithm
            file = try await unwrap(
                text, by: wrapping, in: key.wrappingVault ?? key.vault,
                Self.algorithms.first { $0 == said } ?? Self.usualAlgorithm)
        } else {
            file = StartupKeyFile.read(base64: Array(text.utf8))
        }
        guard let file else { throw unusable(key.secretURL, "its value is no .BEK file") }
        return file
    }

    private func unwrap(
        _ wrapped: String, by key: String, in vault: ResourceID?, _ algorithm: String
    ) async throws(AzureError) -> SecretBytes? {
        let body: JSONValue = ["alg": .string(algorithm), "value": .string(Self.urlSafe(wrapped))]
        let call = ARMCall("POST", "\(key)/unwrapkey", .keyVault, body: body, changes: false)
        let answer = try await answer(call, in: vault, reading: "key")
        return answer["value"]?.string.flatMap { StartupKeyFile.read(base64: Array($0.utf8)) }
    }

    /// Key Vault's own alphabet (RFC 4648, section 5), without padding.
    private static func urlSafe(_ text: String) -> String {
        String(
            text.compactMap { character -> Character? in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character.isWhitespace ? nil : character
                }
            })
    }

    private func answer(
        _ call: ARMCall, in vault: ResourceID?, reading what: String
    ) async throws(AzureError) -> JSONValue {
        let origin = try await origin(of: call.path, in: vault)
        let client = ARMClient(
            endpoint: origin, scope: "https://\(suffix)/.default", transport: arm.transport, tokens: arm.tokens,
            clock: arm.clock
        ).within(Self.limit)
        do throws(AzureError) {
            return try await client.answer(call).object()
        } catch {
            throw explained(error, at: call.path, what)
        }
    }

    /// A token that opens vaults goes to a vault alone: to one of this cloud by its name, or to where Resource Manager says
    /// that the vault is which the disk names.
    private func origin(of address: String, in vault: ResourceID?) async throws(AzureError) -> String {
        let scheme = "https://"
        let rest = address.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }.lowercased()
        let refusal = AzureError(
            .badSetting,
            "The disk names \(printable(address.prefix(200))) as the place of its key, which is no key vault.",
            nextStep: "Look at the disk's encryption settings. No token was sent there.")
        guard address.lowercased().hasPrefix(scheme), !authority.isEmpty, !authority.contains("@") else {
            throw refusal
        }
        let name = authority.hasSuffix(":443") ? String(authority.dropLast(4)) : authority
        if name.hasSuffix(".\(suffix)"), !name.dropLast(suffix.count + 1).contains(".") { return scheme + authority }
        guard let vault, vault.type?.lowercased() == "microsoft.keyvault/vaults",
            let home = try await arm.find("\(vault)", .keyVaults)?["properties"]?["vaultUri"]?.string?.lowercased(),
            home == "\(scheme)\(authority)/" || home == scheme + authority
        else { throw refusal }
        return scheme + authority
    }

    /// What a refusal of Key Vault means for whoever runs Salvor.
    private func explained(_ error: AzureError, at address: String, _ what: String) -> AzureError {
        var error = error
        error.message = "The \(what) \(printable(address)) could not be used: \(error.message)"
        let said = (error.refusal?.message ?? "").lowercased()
        switch error.code {
        case .forbidden where said.contains("client address"):
            error.nextStep =
                "Its vault's firewall does not let this computer in: allow its address, or run Salvor where the vault can "
                + "be reached."
        case .forbidden where said.contains("disabled"):
            error.nextStep = "Enable the \(what) in its vault."
        case .forbidden:
            error.nextStep =
                "Have the role in Coordinator/azure/unlock-role.json assigned on its vault, or, where the vault has access "
                + "policies, get for secrets and unwrapKey for keys."
        case .notFound:
            error.nextStep =
                "It may have been deleted, and can be recovered for some time: az keyvault \(what) recover. Otherwise give a "
                + "recovery key with --keys."
        case .unreachable:
            error.nextStep =
                "The vault may be deleted (az keyvault list-deleted), or be reached by a private address alone."
        default: break
        }
        return error
    }

    private func unusable(_ address: String, _ why: String) -> AzureError {
        AzureError(
            .badAnswer, "The secret \(printable(address)) does not hold the key of a volume: \(why).",
            nextStep: "Look at the disk's encryption settings, or give a recovery key with --keys.")
    }
}

/// What a .BEK file holds: Microsoft's FVE metadata of one entry, as the libbde project describes it.
enum StartupKeyFile {
    /// - Parameter base64: in either alphabet, padded or not. What is in it may be base64 once more: so it is where the
    ///   text, and not the file, was wrapped.
    /// - Returns: nil for anything else.
    static func read(base64 text: [UInt8]) -> SecretBytes? {
        guard let once = decode(text) else { return nil }
        if isOne(once) { return once }
        let inner = once.withBytes { Array($0) }
        guard let twice = decode(inner), isOne(twice) else { return nil }
        return twice
    }

    private static func isOne(_ file: SecretBytes) -> Bool {
        file.withBytes { bytes in
            guard bytes.count >= 48 else { return false }
            let size = bytes.loadUnaligned(as: UInt32.self).littleEndian
            let version = bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self).littleEndian
            return version == 1 && (48...bytes.count).contains(Int(size))
        }
    }

    private static func decode(_ text: [UInt8]) -> SecretBytes? {
        var value: UInt32 = 0
        var bits = 0
        var count = 0
        var isSound = true
        let room = SecretBytes(count: text.count) { (bytes) in
            for character in text where isSound {
                let digit: UInt8
                switch character {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = character - UInt8(ascii: "A")
                case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = character - UInt8(ascii: "a") + 26
                case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0") + 52
                case UInt8(ascii: "+"), UInt8(ascii: "-"): digit = 62
                case UInt8(ascii: "/"), UInt8(ascii: "_"): digit = 63
                case UInt8(ascii: "="), 0x09, 0x0A, 0x0D, 0x20: continue
                default:
                    isSound = false
                    continue
                }
                value = value << 6 | UInt32(digit)
                bits += 6
                guard bits >= 8 else { continue }
                bits -= 8
                bytes[count] = UInt8(truncatingIfNeeded: value >> UInt32(bits))
                count += 1
            }
        }
        guard isSound, count > 0 else { return nil }
        return room.withBytes { SecretBytes($0.prefix(count)) }
    }
}
