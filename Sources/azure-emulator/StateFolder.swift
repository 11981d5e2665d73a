import AzureEmulator
import Foundation
import SalvorJSON
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

    /// What an application signs in with.
    /// - Parameter application: nil for the emulator's first one.
    func secret(of application: String? = nil) throws -> String {
        try text(Self.secretName(application))
    }

    static func secretName(_ application: String?) -> String {
        application.map { "client-secret-\($0)" } ?? "client-secret"
    }

    func tokenKey() throws -> [UInt8] { try kept("token-key") { Array(Self.random(32)) } }

    /// What access tokens are signed with.
    func signingKey() throws -> RSAKey { try key("signing-key.pem") }

    /// The header that the App Service form of a managed identity asks for.
    func identityHeader() throws -> String { try text("identity-header") }

    /// A key and its certificate, to sign in with in the place of the secret.
    func clientCertificate() throws -> ClientCertificate {
        let pem = try kept("client-certificate.pem") {
            let now = Int64(Date().timeIntervalSince1970)
            let made = try ClientCertificate.make(
                commonName: "azure-emulator application", key: Self.newKey(), notBefore: now - 3600,
                notAfter: now + 10 * 365 * 86_400)
            guard let made else { throw CocoaError(.featureUnsupported) }
            return made
        }
        guard let certificate = ClientCertificate(pem: pem) else { throw unreadable("client-certificate.pem") }
        return certificate
    }

    /// An issuer that the application trusts, and a token of it in the file `federated-token`.
    func federation() throws -> EmulatorConfiguration.FederatedCredential {
        let issuer = "https://issuer.localhost/"
        let subject = "system:serviceaccount:default:salvor"
        let key = try key("federated-issuer.pem")
        _ = try kept("federated-token") {
            let now = Int64(Date().timeIntervalSince1970)
            let token = key.token([
                "iss": .string(issuer), "sub": .string(subject),
                "aud": [.string(EmulatorConfiguration.FederatedCredential.standardAudience)],
                "iat": .integer(now), "nbf": .integer(now - 3600), "exp": .integer(now + 10 * 365 * 86_400),
                "jti": .string(UUID().uuidString.lowercased()),
            ])
            guard let token else { throw CocoaError(.featureUnsupported) }
            return Array(token.utf8)
        }
        return .init(issuer: issuer, subject: subject, keys: [(name: key.thumbprint, key: key)])
    }

    func identity() throws -> LocalIdentity {
        let pem = try kept("server.pem") {
            let made = try ServerCertificate(
                hosts: ["localhost", "*.localhost", "*.vault.localhost", "*.storage.localhost"],
                addresses: [[127, 0, 0, 1], Array(repeating: 0, count: 15) + [1]],
                validFor: .seconds(365 * 86_400))
            try Data(try made.authorityPEM()).write(
                to: folder.appendingPathComponent("authority.pem"), options: .atomic)
            return try made.privatePEM()
        }
        return try LocalIdentity(pem: pem)
    }

    private func text(_ name: String) throws -> String {
        String(decoding: try kept(name) { Array(Self.random(24).base64EncodedString().utf8) }, as: UTF8.self)
    }

    private func key(_ name: String) throws -> RSAKey {
        guard let key = RSAKey(pem: try kept(name, or: { try Self.newKey().privatePEM })), key.isPrivate else {
            throw unreadable(name)
        }
        return key
    }

    private static func newKey() throws -> RSAKey {
        guard let key = RSAKey.generate(bits: 2048) else { throw CocoaError(.featureUnsupported) }
        return key
    }

    private func unreadable(_ name: String) -> CocoaError {
        CocoaError(.fileReadCorruptFile, userInfo: [NSFilePathErrorKey: path(name)])
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
