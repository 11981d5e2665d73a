import Foundation
import SalvorCoordinatorCore
import SalvorSystem
import Testing

/// Files of keys: what is read, for whom, and what is said of one with a mistake, which is never a key.
@Suite struct KeyFileTests {
    private static let guid = "1a2b3c4d-0000-4000-8000-00000000abcd"
    private static let digits = "123456-234567-345678-456789-567890-678901-789012-890123"

    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    }

    private func write(_ text: String, _ name: String = "keys.csv", mode: Int = 0o600) throws -> String {
        let path = "\(folder.path)/\(name)"
        try #require(
            FileManager.default.createFile(
                atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode]))
        return path
    }

    /// What the file has for a machine with one protector, as text.
    private func keys(
        _ path: String, machine: String = "web-01", protector: String = guid
    ) async throws -> [(kind: VolumeKey.Kind, secret: [UInt8])] {
        let machine = Machine(
            name: machine, definition: "-", osDisk: OSDisk(identifier: "-", format: "raw"))
        let volume = KeyRequest.Volume(
            number: 3, partitionGUID: "", volumeGUID: "",
            protectors: [.init(guid: protector, kind: .recoveryPassword)])
        return try await KeyFile(path: path).keys(for: KeyRequest(machine: machine, volumes: [volume])).map {
            ($0.kind, $0.secret.withBytes { Array($0) })
        }
    }

    @Test(arguments: [
        ("keys.csv", "protector,recovery_key\n{\(guid.uppercased())},\(digits)\n"),
        ("keys.csv", "recovery_key,machine\r\n\"\(digits)\",web-01\r\n"),
        ("keys.yaml", "- protector: \(guid)\n  recovery_key: \(digits)\n"),
        ("keys.yml", "- {machine: WEB-01, recovery_key: \"\(digits)\"}\n"),
    ])
    func `a recovery key is found by its protector or its machine`(name: String, text: String) async throws {
        let found = try await keys(write(text, name))
        #expect(found.map(\.kind) == [.recoveryPassword])
        #expect(found.first?.secret == Array(Self.digits.utf8))
    }

    @Test func `the key for a protector comes before one for the machine, and others' keys not at all`() async throws {
        let path = try write(
            "machine,protector,recovery_key,password\nweb-02,,,theirs\nweb-01,,,\"with, comma and \"\"quotes\"\"\"\n"
                + ",\(Self.guid),\(Self.digits),\n")
        let found = try await keys(path)
        #expect(found.map(\.kind) == [.recoveryPassword, .password])
        #expect(found.last?.secret == Array("with, comma and \"quotes\"".utf8))
        #expect(try await keys(path, machine: "db", protector: "00000000-0000-4000-8000-000000000000").isEmpty)
    }

    @Test func `a startup key comes as base64, or as a file beside the key file`() async throws {
        let bek = Data((0..<156).map { UInt8($0) })
        let beside = "\(folder.path)/web-01.BEK"
        try #require(
            FileManager.default.createFile(atPath: beside, contents: bek, attributes: [.posixPermissions: 0o600]))
        let path = try write(
            "machine,startup_key,startup_key_file\nweb-01,\(bek.base64EncodedString()),\nweb-01,,web-01.BEK\n")
        let found = try await keys(path)
        #expect(found.map(\.kind) == [.startupKey, .startupKey])
        #expect(found.map(\.secret) == [Array(bek), Array(bek)])
    }

    @Test(arguments: [
        ("keys.csv", "machine,password\nweb-01,one,secret-word\n", ":2 has 3 fields instead of 2"),
        ("keys.csv", "machine,pasword\nweb-01,secret-word\n", "did you mean “password”"),
        ("keys.csv", "secret-word,secret-word\n", "does not name the columns"),
        ("keys.csv", "machine,password\n,secret-word\n", ":2 names neither"),
        ("keys.csv", "protector,password\nno-guid,secret-word\n", ":2 has a protector that is no GUID"),
        ("keys.csv", "machine,password,recovery_key\nweb-01,secret-word,secret-word\n", ":2 has 2 keys"),
        ("keys.csv", "machine,password\nweb-01,\n", ":2 has 0 keys"),
        ("keys.csv", "machine,startup_key\nweb-01,secret-word!\n", ":2 has a startup_key that is not base64"),
        ("keys.csv", "machine,startup_key_file\nweb-01,none.BEK\n", "none.BEK cannot be opened"),
        ("keys.yaml", "- machine: web-01\n  pasword: secret-word\n", ":2 is not as it must be"),
        ("keys.yaml", "machine: secret-word\n", ":1 is not as it must be"),
        ("keys.yaml", "- machine: [secret-word\n", "is not as it must be"),
    ])
    func `a mistake is told with its line and without a key`(name: String, text: String, words: String) async throws {
        let path = try write(text, name)
        let error = await #expect(throws: CoordinatorError.self) { try await self.keys(path) }
        #expect(error?.code == .invalidKeys)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        #expect(!"\(String(describing: error))".contains("secret-word"))
        #expect(error.map { ExitCode($0) } == .invalidInput)
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o644])
    func `a file that others can read is refused`(mode: Int) async throws {
        let path = try write("machine,password\nweb-01,secret-word\n", mode: mode)
        let error = await #expect(throws: CoordinatorError.self) { try await self.keys(path) }
        #expect(error?.nextStep.contains("chmod 600") == true)
    }

    @Test func `a file that is not there, or no file, is said`() async throws {
        for path in ["\(folder.path)/none.csv", folder.path] {
            let error = await #expect(throws: CoordinatorError.self) { try await self.keys(path) }
            #expect(error?.code == .invalidKeys)
        }
    }
}
