import Foundation
import SalvorTransport

/// The emulator's folder: its state, its secrets, its certificate. All of it is made at the first start and used again at
/// the next.
struct StateFolder: Sendable {
    private let folder: URL

    init(_ path: String) throws {
        folder = URL(fileURLWithPath: path, isDirectory: true)
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// What the emulator's one application signs in with.
    func secret() throws -> String {
        let bytes = try kept("client-secret") { Array(Self.random(24).base64EncodedString().utf8) }
        return String(decoding: bytes, as: UTF8.self)
    }

    func tokenKey() throws -> [UInt8] { try kept("token-key") { Array(Self.random(32)) } }

    func identity() throws -> LocalIdentity {
        let pem = try kept("server.pem") {
            let made = try ServerCertificate(
                hosts: ["localhost", "*.localhost"],
                addresses: [[127, 0, 0, 1], Array(repeating: 0, count: 15) + [1]],
                validFor: .seconds(365 * 86_400))
            try Data(try made.authorityPEM()).write(
                to: folder.appendingPathComponent("authority.pem"), options: .atomic)
            return try made.privatePEM()
        }
        return try LocalIdentity(pem: pem)
    }

    private func kept(_ name: String, or make: () throws -> [UInt8]) throws -> [UInt8] {
        let file = folder.appendingPathComponent(name)
        if let data = try? Data(contentsOf: file) { return Array(data) }
        let bytes = try make()
        let partial = file.appendingPathExtension("new")
        try? FileManager.default.removeItem(at: partial)
        guard
            FileManager.default.createFile(
                atPath: partial.path, contents: Data(bytes), attributes: [.posixPermissions: 0o600])
        else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: partial.path]) }
        try FileManager.default.moveItem(at: partial, to: file)
        return bytes
    }

    private static func random(_ count: Int) -> Data {
        var generator = SystemRandomNumberGenerator()
        return Data((0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }
}
