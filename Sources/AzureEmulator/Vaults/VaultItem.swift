internal import SalvorJSON

/// A secret or a key with all its versions, the newest last. All of it is in the record's hidden notes.
struct VaultItem {
    /// `secrets` or `keys`.
    enum Collection: String {
        case secrets
        case keys

        var singular: String { self == .secrets ? "secret" : "key" }
        /// What an address of one is called in what is shown.
        var idName: String { self == .secrets ? "id" : "kid" }
    }

    struct Version {
        var json: JSONValue

        var name: String { json["version"]?.string ?? "" }
        var isEnabled: Bool { json[path: "attributes.enabled"]?.bool ?? true }
        var begins: Int64? { json[path: "attributes.nbf"]?.integer }
        var ends: Int64? { json[path: "attributes.exp"]?.integer }
    }

    private(set) var record: Record
    let collection: Collection

    static func id(_ vault: ResourceID, _ collection: Collection, _ name: String) -> ResourceID {
        vault.child(collection.rawValue, name)
    }

    init(_ record: Record, _ collection: Collection) {
        self.record = record
        self.collection = collection
    }

    /// - Throws: `BadParameter` for a name that Key Vault forbids.
    init(new name: String, _ collection: Collection, of vault: ResourceID) throws(ARMError) {
        let bytes = Array(name.utf8)
        guard (1...127).contains(bytes.count), bytes.allSatisfy({ $0.isLetterOrDigit || $0 == UInt8(ascii: "-") })
        else { throw .badVaultParameter("The request URI contains an invalid name: \(printable(name))") }
        record = Record(id: Self.id(vault, collection, name), body: [:], hidden: ["versions": []])
        self.collection = collection
    }

    var name: String { record.id.name }

    private(set) var versions: [Version] {
        get { (record.hidden["versions"]?.array ?? []).map(Version.init) }
        set { record.hidden[path: "versions"] = .array(newValue.map(\.json)) }
    }

    var isDeleted: Bool { record.hidden["deleted"] != nil }

    /// - Parameter name: empty for the newest.
    func version(_ name: String) throws(ARMError) -> Version {
        let found = name.isEmpty ? versions.last : versions.first { $0.name == name.lowercased() }
        guard let found, !isDeleted else { throw Self.missing(collection, self.name, name) }
        return found
    }

    static func missing(_ collection: Collection, _ name: String, _ version: String = "") -> ARMError {
        let kind = collection == .secrets ? "Secret" : "Key"
        let item = version.isEmpty ? name : "\(name)/\(version)"
        return .vault(
            404, "\(kind)NotFound",
            "A \(kind.lowercased()) with (name/id) \(printable(item)) was not found in this key vault. If you recently deleted "
                + "this \(kind.lowercased()) you may be able to recover it using the correct recovery command. For help "
                + "resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182")
    }

    // MARK: Changes

    /// - Parameter version: with what is the version's own: a value, or a key.
    mutating func add(_ version: JSONValue, _ given: JSONValue, named name: String, at now: EmulatorTime) {
        var version = version
        let seconds = JSONValue.integer(now.milliseconds / 1000)
        version[path: "version"] = .string(name)
        version[path: "attributes"] = ["enabled": true, "created": seconds, "updated": seconds]
        Self.take(given, into: &version)
        versions += [Version(json: version)]
    }

    mutating func update(_ name: String, _ given: JSONValue, at now: EmulatorTime) throws(ARMError) -> Version {
        let wanted = try version(name).name
        var changed = versions
        guard let index = changed.firstIndex(where: { $0.name == wanted }) else {
            throw Self.missing(collection, self.name, name)
        }
        Self.take(given, into: &changed[index].json)
        changed[index].json[path: "attributes.updated"] = .integer(now.milliseconds / 1000)
        versions = changed
        return changed[index]
    }

    private static func take(_ given: JSONValue, into version: inout JSONValue) {
        for name in ["enabled", "nbf", "exp"] {
            if let value = given[member: "attributes"]?[member: name] { version[path: "attributes.\(name)"] = value }
        }
        for name in ["tags", "contentType", "key_ops"] {
            if let value = given[member: name], value != .null { version[path: name] = value }
        }
    }

    mutating func delete(at now: EmulatorTime, days: Int64) {
        record.hidden[path: "deleted"] = [
            "deletedDate": .integer(now.milliseconds / 1000),
            "scheduledPurgeDate": .integer(now.milliseconds / 1000 + days * 86_400),
        ]
    }

    mutating func recover() { record.hidden[path: "deleted"] = nil }

    // MARK: What is shown

    /// - Parameters:
    ///   - base: the vault's address, with a slash at the end.
    ///   - isListed: without the version's name and what is in it.
    func json(_ version: Version, _ base: String, days: Int64, isListed: Bool = false, isWhole: Bool = true)
        -> JSONValue
    {
        let address = "\(base)\(collection.rawValue)/\(name)\(isListed ? "" : "/\(version.name)")"
        var json: JSONValue = ["attributes": version.json["attributes"] ?? [:], "tags": version.json["tags"] ?? [:]]
        json[path: "attributes.recoveryLevel"] = "Recoverable+Purgeable"
        json[path: "attributes.recoverableDays"] = .integer(days)
        switch collection {
        case .secrets:
            json[path: "id"] = .string(address)
            json[path: "contentType"] = version.json["contentType"]
            if isWhole { json[path: "value"] = version.json["value"] }
        case .keys where isWhole:
            var key = version.json["public"] ?? [:]
            key[path: "kid"] = .string(address)
            key[path: "key_ops"] = version.json["key_ops"]
            json[path: "key"] = key
        case .keys: json[path: "kid"] = .string(address)
        }
        if let deleted = record.hidden["deleted"] {
            json[path: "recoveryId"] = .string("\(base)deleted\(collection.rawValue)/\(name)")
            json[path: "deletedDate"] = deleted["deletedDate"]
            json[path: "scheduledPurgeDate"] = deleted["scheduledPurgeDate"]
        }
        return json
    }
}
