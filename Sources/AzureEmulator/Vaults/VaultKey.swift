internal import SalvorJSON

/// A version of a key: what it is made of, and what is done with it.
struct VaultKey {
    /// What is to be kept of a new key.
    struct New {
        let json: JSONValue

        private static let allUses: [JSONValue] = [
            "encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey",
        ]

        /// - Throws: `BadParameter` for a kind of key that there is not here.
        init(making body: JSONValue) throws(ARMError) {
            let bits = body[member: "key_size"]?.integer ?? 2048
            guard [2048, 3072, 4096].contains(bits) else {
                throw .badVaultParameter("Key size is not supported: it is to be 2048, 3072 or 4096.")
            }
            guard let key = RSAKey.generate(bits: Int(bits)) else {
                throw ARMError(500, "InternalServerError", "OpenSSL made no key of \(bits) bits.")
            }
            try self.init(key, kind: body[member: "kty"]?.string, body)
        }

        /// - Throws: `BadParameter` for numbers that are no key.
        init(importing body: JSONValue) throws(ARMError) {
            let given = body[member: "key"] ?? [:]
            func number(_ name: String) throws(ARMError) -> [UInt8] {
                guard let bytes = given[name]?.string.flatMap(Base64URL.decode), !bytes.isEmpty else {
                    throw .badVaultParameter("The key's '\(name)' is missing or not base64url.")
                }
                return bytes
            }
            let numbers = RSAKey.Numbers(
                n: try number("n"), e: try number("e"),
                secret: (
                    try number("d"), try number("p"), try number("q"), try number("dp"), try number("dq"),
                    try number("qi")
                ))
            guard let key = RSAKey(numbers) else {
                throw .badVaultParameter("The imported key's numbers do not belong together.")
            }
            guard [2048, 3072, 4096].contains(key.bits) else {
                throw .badVaultParameter("Key size is not supported: it is to be 2048, 3072 or 4096.")
            }
            try self.init(key, kind: given["kty"]?.string, given)
        }

        private init(_ key: RSAKey, kind: String?, _ body: JSONValue) throws(ARMError) {
            guard let kind, ["RSA", "RSA-HSM"].contains(kind) else {
                throw .badVaultParameter("The emulator's vaults have keys of the types RSA and RSA-HSM alone.")
            }
            var shown = key.publicJWK
            shown[path: "kty"] = .string(kind)
            json = [
                "public": shown, "pem": .string(String(decoding: key.privatePEM, as: UTF8.self)),
                "key_ops": body["key_ops"] ?? .array(Self.allUses),
            ]
        }
    }

    /// An operation with a key, as its address names it.
    enum Use: String {
        case encrypt, decrypt, wrapkey, unwrapkey, sign, verify

        /// As access policies and `key_ops` name it.
        var permission: String {
            switch self {
            case .wrapkey: "wrapKey"
            case .unwrapkey: "unwrapKey"
            default: rawValue
            }
        }
    }

    private let version: VaultItem.Version

    init(_ version: VaultItem.Version) { self.version = version }

    /// - Returns: what the operation's answer says.
    /// - Throws: `Forbidden` where the key may not be used so, `BadParameter`.
    func use(_ use: Use, _ body: JSONValue, _ address: String, _ now: EmulatorTime) throws(ARMError) -> JSONValue {
        try Self.checkUse(version, use.permission, .keys, now)
        guard version.json["key_ops"]?.array?.contains(.string(use.permission)) == true else {
            throw .vault(
                403, "Forbidden", "Operation \(use.permission) is not permitted on this key.",
                inner: "KeyOperationForbidden")
        }
        guard let key = version.json["pem"]?.string.flatMap({ RSAKey(pem: $0.utf8) }) else {
            throw ARMError(500, "InternalServerError", "The key cannot be read from the emulator's state.")
        }
        let algorithm = body[member: "alg"]?.string ?? ""
        let value = try Self.bytes(body, "value")
        let result: [UInt8]?
        switch use {
        case .sign, .verify:
            guard let algorithm = RSASignature(rawValue: algorithm) else { throw Self.unsupported(algorithm) }
            let digest = use == .sign ? value : try Self.bytes(body, "digest")
            guard digest.count == algorithm.digestBytes else {
                throw .badVaultParameter(
                    "Invalid length of 'value': \(digest.count) bytes. Required length is \(algorithm.digestBytes) bytes."
                )
            }
            if use == .verify { return ["value": .bool(algorithm.verifies(value, of: digest, with: key))] }
            result = algorithm.sign(digest: digest, with: key)
        case .encrypt, .wrapkey, .decrypt, .unwrapkey:
            guard let algorithm = RSAEncryption(rawValue: algorithm) else { throw Self.unsupported(algorithm) }
            let isForward = use == .encrypt || use == .wrapkey
            result = isForward ? algorithm.encrypt(value, with: key) : algorithm.decrypt(value, with: key)
        }
        guard let result else {
            throw .badVaultParameter("The parameter is incorrect: the key could not \(use.permission) the value.")
        }
        return ["kid": .string(address), "value": .string(Base64URL.encode(result))]
    }

    /// - Throws: `Forbidden` for a version that is disabled, or whose time is not now.
    static func checkUse(
        _ version: VaultItem.Version, _ use: String, _ collection: VaultItem.Collection, _ now: EmulatorTime
    ) throws(ARMError) {
        let kind = collection.singular
        let inner = collection == .keys ? "Key" : "Secret"
        guard version.isEnabled else {
            throw .vault(
                403, "Forbidden", "Operation \(use) is not allowed on a disabled \(kind).", inner: "\(inner)Disabled")
        }
        // What was encrypted in time can be read for ever; an expired secret too.
        guard collection == .keys, ["encrypt", "wrapKey", "sign"].contains(use) else { return }
        let seconds = now.milliseconds / 1000
        if let begins = version.begins, begins > seconds {
            throw .vault(
                403, "Forbidden", "Operation \(use) is not allowed on a \(kind) that is not yet valid.",
                inner: "\(inner)NotYetValid")
        }
        if let ends = version.ends, ends <= seconds {
            throw .vault(
                403, "Forbidden", "Operation \(use) is not allowed on an expired \(kind).", inner: "\(inner)Expired")
        }
    }

    private static func bytes(_ body: JSONValue, _ name: String) throws(ARMError) -> [UInt8] {
        guard let bytes = body[member: name]?.string.flatMap(Base64URL.decode), !bytes.isEmpty else {
            throw .badVaultParameter("The property \(name) is missing or not base64url.")
        }
        return bytes
    }

    private static func unsupported(_ algorithm: String) -> ARMError {
        .badVaultParameter("The algorithm '\(printable(algorithm))' is not supported with a key of this type.")
    }
}
