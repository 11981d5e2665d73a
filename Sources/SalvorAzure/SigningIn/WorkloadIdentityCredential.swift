internal import Foundation
internal import SalvorSystem

/// A token of another issuer in the place of a secret: that of a Kubernetes service account, or of a CI job.
struct WorkloadIdentityCredential: Credential {
    private static let largestToken = 64 << 10

    let endpoint: TokenEndpoint
    /// Read each time: whoever put it there renews it.
    let file: String

    var name: String { "workload identity" }

    static func make(
        _ settings: SignInSettings, transport: any HTTPTransport, clock: AzureClock
    ) throws(CredentialFailure) -> WorkloadIdentityCredential {
        guard let file = settings.variable("AZURE_FEDERATED_TOKEN_FILE") else {
            throw .unavailable("AZURE_FEDERATED_TOKEN_FILE is not set.")
        }
        guard let client = settings.variable("AZURE_CLIENT_ID"), let tenant = settings.tenantForApplications else {
            throw .unavailable("AZURE_CLIENT_ID or AZURE_TENANT_ID is not set beside AZURE_FEDERATED_TOKEN_FILE.")
        }
        do throws(AzureError) {
            return WorkloadIdentityCredential(
                endpoint: TokenEndpoint(
                    authority: try settings.authority(), tenant: tenant, client: client, transport: transport,
                    clock: clock),
                file: file)
        } catch {
            throw .refused(error)
        }
    }

    func token(for scope: String) async throws(CredentialFailure) -> AccessToken {
        do throws(AzureError) {
            return try await endpoint.token(for: scope, proof: ClientAssertion.proof(try await assertion()))
        } catch {
            throw .refused(error)
        }
    }

    private func assertion() async throws(AzureError) -> String {
        let nextStep = "Set AZURE_FEDERATED_TOKEN_FILE to the file of a token."
        let bytes: [UInt8]
        do {
            bytes = try await Blocking.run { [file] in
                let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
                defer { try? handle.close() }
                return Array(try handle.read(upToCount: Self.largestToken) ?? Data())
            }
        } catch {
            throw AzureError(
                .badSetting, "The federated token \(file) cannot be read.", nextStep: nextStep, cause: error)
        }
        let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else {
            throw AzureError(.badSetting, "The federated token \(file) is empty.", nextStep: nextStep)
        }
        return text
    }
}
