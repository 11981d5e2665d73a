internal import Foundation
internal import SalvorSystem

/// An application that signs in with the key of a certificate that is registered with it.
struct ClientCertificateCredential: Credential {
    let endpoint: TokenEndpoint
    /// PEM or PKCS #12. Read each time: it may be replaced while a run goes on.
    let file: String
    /// Of the key in the file; nil for none.
    let password: String?
    /// Whether the certificate goes along, for applications that trust its name instead of its digest.
    let sendsChain: Bool

    private static let largestFile = 1 << 20

    var name: String { "environment (client certificate)" }

    func token(for scope: String) async throws(CredentialFailure) -> AccessToken {
        do throws(AzureError) {
            let key = try await key()
            let assertion = ClientAssertion(
                client: endpoint.client, audience: endpoint.address, now: endpoint.clock.seconds(),
                id: UUID().uuidString.lowercased())
            guard let text = assertion.signed(by: key, isOld: endpoint.tenant == "adfs", sendsChain: sendsChain) else {
                throw AzureError(
                    .badSetting, "The key in \(file) cannot sign.",
                    nextStep: "Use an RSA key of 2048 bits or more, which this system's policy allows.")
            }
            return try await endpoint.token(for: scope, proof: ClientAssertion.proof(text))
        } catch {
            throw .refused(error)
        }
    }

    private func key() async throws(AzureError) -> CertificateKey {
        let bytes: [UInt8]
        do {
            bytes = try await Blocking.run { [file] in
                let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
                defer { try? handle.close() }
                return Array(try handle.read(upToCount: Self.largestFile) ?? Data())
            }
        } catch {
            throw AzureError(
                .badSetting, "The certificate \(file) cannot be read.",
                nextStep: "Set AZURE_CLIENT_CERTIFICATE_PATH to a file that you can read.", cause: error)
        }
        do throws(CertificateKey.Unreadable) {
            return try CertificateKey(bytes, password: password)
        } catch {
            throw AzureError(
                .badSetting, "The certificate \(file) cannot be used: \(error.why)", nextStep: error.nextStep)
        }
    }
}

extension ClientCertificateCredential: CustomStringConvertible, CustomReflectable {
    var description: String { name }
    var customMirror: Mirror { Mirror(self, children: ["file": file]) }
}
