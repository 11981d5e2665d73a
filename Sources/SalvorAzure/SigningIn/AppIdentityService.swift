internal import SalvorJSON

/// What App Service, Functions and Automation give their programs: `IDENTITY_ENDPOINT`, 2019-08-01.
struct AppIdentityService: IdentityService {
    let caller: IdentityCaller
    let address: String
    /// Secret.
    let header: String

    func token(for resource: String) async throws(CredentialFailure) -> AccessToken {
        let response: HTTPResponse
        do throws(AzureError) {
            response = try await caller.ask(
                address, resource: resource, version: "2019-08-01", header: HTTPField("X-IDENTITY-HEADER", header),
                repeats: { $0 == 429 || $0 >= 500 })
        } catch {
            throw .refused(error)
        }
        if let token = caller.token(response) { return token }
        let json = try? JSONValue.parse(response.body)
        let said = Redaction.shown(
            json?["message"]?.string ?? json?["error_description"]?.string ?? "status \(response.status)",
            without: [header])
        throw .refused(
            AzureError(
                response.status == 200 ? .badAnswer : .notSignedIn, "The identity endpoint gave no token: \(said)",
                nextStep: caller.client.map { "Check that the identity \($0) is assigned to this app." }
                    ?? "Check that an identity is assigned to this app.",
                refusal: .init(status: response.status, code: nil, message: said)))
    }
}

extension AppIdentityService: CustomStringConvertible, CustomReflectable {
    var description: String { "identity endpoint \(address)" }
    var customMirror: Mirror { Mirror(self, children: ["address": address]) }
}
