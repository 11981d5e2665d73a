#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif
internal import Foundation
internal import SalvorAudit
internal import SalvorSystem

/// Keys in a file: CSV (RFC 4180) with a first record of names, or, where it is called .yaml or .yml, a list of mappings
/// with the same names as keys.
///
/// | name | what |
/// |---|---|
/// | `protector` | GUID of the key protector, with or without braces |
/// | `machine` | name of the machine; one of the two is needed |
/// | `recovery_key` | 48 digits |
/// | `password` | |
/// | `startup_key` | base64 of a .BEK file |
/// | `startup_key_file` | path of a .BEK file, from the key file's folder; each record has one key |
package struct KeyFile: KeySource {
    package let name: String
    private let records: [Record]

    struct Record: Sendable {
        var protector: String?
        var machine: String?
        var kind: VolumeKey.Kind
        var secret: SecretBytes
    }

    /// Reads the file, whole, into locked memory.
    /// - Throws: where it can be read by others than its owner, or has a mistake; nothing of a key is in the message.
    package init(path: String) throws(CoordinatorError) {
        name = "the file \(path)"
        let text = try Self.secret(path, limit: 16 << 20)
        let isYAML = path.hasSuffix(".yaml") || path.hasSuffix(".yml")
        let table = isYAML ? try Self.yaml(text, path) : try Self.csv(text, path)
        let folder = (path as NSString).deletingLastPathComponent
        var records: [Record] = []
        for row in table { records.append(try Self.record(row, folder: folder, path: path)) }
        self.records = records
    }

    package func keys(for request: KeyRequest) async throws(CoordinatorError) -> [VolumeKey] {
        let guids = Set(request.protectors.map(\.guid))
        let exact = records.filter { $0.protector.map(guids.contains) ?? false }
        let named = records.filter {
            $0.protector == nil && $0.machine?.lowercased() == request.machine.name.lowercased()
        }
        return (exact + named).prefix(32).map { VolumeKey($0.kind, protector: $0.protector, secret: $0.secret) }
    }

    // MARK: Reading

    static let names = ["machine", "protector", "recovery_key", "password", "startup_key", "startup_key_file"]

    /// One record: its line, and its values by name.
    struct Row {
        var line: Int
        var values: [String: SecretBytes]

        func text(_ name: String) -> String? {
            values[name].flatMap { secret in
                secret.count == 0 ? nil : secret.withBytes { String(decoding: $0, as: UTF8.self) }
            }
        }
    }

    private static func record(_ row: Row, folder: String, path: String) throws(CoordinatorError) -> Record {
        let given = names.dropFirst(2).filter { (row.values[$0]?.count ?? 0) > 0 }
        guard given.count == 1, let name = given.first, let value = row.values[name] else {
            throw mistake(path, row.line, "has \(given.count) keys; each record has exactly one")
        }
        let protector = row.text("protector").map { $0.lowercased().filter { $0 != "{" && $0 != "}" } }
        if let protector, UUID(uuidString: protector) == nil {
            throw mistake(path, row.line, "has a protector that is no GUID")
        }
        let machine = row.text("machine")
        guard protector != nil || machine != nil else {
            throw mistake(path, row.line, "names neither a protector nor a machine")
        }
        let kind: VolumeKey.Kind
        var secret = value
        switch name {
        case "recovery_key": kind = .recoveryPassword
        case "password": kind = .password
        case "startup_key":
            kind = .startupKey
            guard let file = value.withBytes({ Data(base64Encoded: Data($0), options: .ignoreUnknownCharacters) })
            else { throw mistake(path, row.line, "has a startup_key that is not base64") }
            secret = SecretBytes(file)
        default:
            kind = .startupKey
            let file = row.text(name) ?? ""
            secret = try Self.secret(file.hasPrefix("/") || folder.isEmpty ? file : "\(folder)/\(file)", limit: 4096)
        }
        return Record(protector: protector, machine: machine, kind: kind, secret: secret)
    }

    static func mistake(_ path: String, _ line: Int, _ what: String) -> CoordinatorError {
        CoordinatorError(
            .invalidKeys, "\(path):\(line) \(what).", nextStep: "Correct the key file; README.md says what it holds.")
    }

    /// - Throws: where others than the owner can read it.
    private static func secret(_ path: String, limit: Int) throws(CoordinatorError) -> SecretBytes {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unusable(path, "cannot be opened: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw unusable(path, "is not a file")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw CoordinatorError(
                .invalidKeys, "\(path) holds keys and can be read by others than its owner.",
                nextStep: "chmod 600 \(path), and think about who may have read it.")
        }
        let size = Int(status.st_size)
        guard size <= limit else { throw unusable(path, "is larger than \(limit) bytes") }
        return try SecretBytes(count: size) { (bytes) throws(CoordinatorError) in
            var filled = 0
            while filled < size {
                let count = read(descriptor, bytes.baseAddress?.advanced(by: filled), size - filled)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw unusable(path, "cannot be read to its end") }
                filled += count
            }
        }
    }

    private static func unusable(_ path: String, _ why: String) -> CoordinatorError {
        CoordinatorError(.invalidKeys, "\(path) \(why).", nextStep: "Name a key file that can be read.")
    }
}
