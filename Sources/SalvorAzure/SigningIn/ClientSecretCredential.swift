/// An application that signs in with a secret.
struct ClientSecretCredential: Credential {
    let endpoint: TokenEndpoint
    let secret: String

    var name: String { "environment (client secret)" }

    func token(for scope: String) async throws(CredentialFailure) -> AccessToken {
        do throws(AzureError) {
            return try await endpoint.token(for: scope, proof: [("client_secret", secret)])
        } catch {
            throw .refused(error)
        }
    }
}

extension ClientSecretCredential: CustomStringConvertible, CustomReflectable {
    var description: String { name }
    var customMirror: Mirror { Mirror(self, children: []) }
}
