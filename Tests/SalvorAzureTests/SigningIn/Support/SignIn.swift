import Foundation
import SalvorAzure

/// Signing in without a network: what the environment holds, what answers, and what az says.
struct SignIn {
    static let tenant = "11111111-1111-4111-8111-111111111111"
    static let client = "33333333-3333-4333-8333-333333333333"
    /// What must appear nowhere.
    static let secret = "Zq8~do-not-show-this+secret"
    static let scope = "https://management.azure.com/.default"
    static let withSecret = [
        "AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": client, "AZURE_CLIENT_SECRET": secret,
    ]

    let time = SignInTime()
    var variables: [String: String] = [:]
    var cloud = AzureEnvironment.publicCloud
    var tenant: String?
    var subscription: String?
    var managedIdentityClient: String?
    var service = SignInService.silent
    var machine = SignInService.silent
    var cli = AzureCLI { _ in .missing }

    func cache() throws -> TokenCache {
        try TokenCache(
            SignInSettings(
                cloud: cloud, variables: variables, tenant: tenant, subscription: subscription,
                managedIdentityClient: managedIdentityClient),
            transport: service, machine: machine, cli: cli, clock: time.clock)
    }

    /// Asks for one token.
    func token() async throws -> AccessToken { try await cache().token(for: Self.scope) }

    /// Why no token was given; nil where one was.
    func failure() async throws -> AzureError? {
        do {
            _ = try await token()
            return nil
        } catch let error as AzureError {
            return error
        }
    }
}

/// A folder that goes with its owner.
final class SignInFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("sign-in-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// - Returns: the file's path.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8], mode: Int = 0o600) throws -> String {
        let file = "\(path)/\(name)"
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }
}
