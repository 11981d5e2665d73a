internal import SalvorJSON
internal import Synchronization

/// The Instance Metadata Service of a virtual machine, 2018-02-01.
final class MetadataIdentityService: IdentityService {
    static let azure = "http://169.254.169.254"
    private static let path = "/metadata/identity/oauth2/token"
    private static let version = "2018-02-01"

    private let caller: IdentityCaller
    /// Without a slash at its end.
    private let address: String
    /// Whether it has answered, or is said to be there.
    private let isThere: Mutex<Bool>

    /// - Parameter probes: whether it may not be there at all, as on a machine outside of Azure.
    init(caller: IdentityCaller, address: String, probes: Bool) {
        self.caller = caller
        self.address = address
        isThere = Mutex(!probes)
    }

    func token(for resource: String) async throws(CredentialFailure) -> AccessToken {
        if !isThere.withLock({ $0 }) {
            try await probe()
            isThere.withLock { $0 = true }
        }
        let response: HTTPResponse
        do throws(AzureError) {
            response = try await caller.ask(
                address + Self.path, resource: resource, version: Self.version, header: HTTPField("Metadata", "true"),
                repeats: { $0 == 404 || $0 == 410 || $0 == 429 || $0 >= 500 })
        } catch {
            if error.code == .cancelled { throw .refused(error) }
            throw .unavailable("\(address) does not answer.")
        }
        if let token = caller.token(response) { return token }
        let json = try? JSONValue.parse(response.body)
        let said = Redaction.shown(
            json?["error_description"]?.string ?? json?["error"]?.string ?? "status \(response.status)", without: [])
        switch response.status {
        case 400:
            let identity = caller.client.map { "the identity \($0)" } ?? "an identity"
            throw .unavailable("this machine does not have \(identity): \(said).")
        case _ where json == nil, 403 where said.contains("unreachable"):
            // A proxy or another cloud's service.
            throw .unavailable("what answers at \(address) is not Azure's metadata service: status \(response.status).")
        default:
            throw .refused(
                AzureError(
                    response.status == 200 ? .badAnswer : .notSignedIn,
                    "The metadata service gave no token: \(said).",
                    nextStep: "Try again in some minutes, or sign in in another way.",
                    refusal: .init(status: response.status, code: json?["error"]?.string, message: said)))
        }
    }

    /// Off Azure nothing answers at that address, for minutes. Without the header Azure's service answers at once that it is
    /// missing.
    private func probe() async throws(CredentialFailure) {
        let request = HTTPRequest(
            "GET", "\(address)\(Self.path)?api-version=\(Self.version)", timeout: .seconds(1))
        do throws(AzureError) {
            _ = try await caller.transport.send(request)
        } catch {
            if error.code == .cancelled { throw .refused(error) }
            throw .unavailable("\(address) does not answer: this is no machine in Azure.")
        }
    }
}
