internal import Synchronization

/// Ways of signing in, tried in their order until one works; that one alone is used from then on.
final class CredentialChain: Credential {
    /// One that could not even be made, with the reason.
    enum Link: Sendable {
        case credential(any Credential)
        case failed(name: String, CredentialFailure)

        var name: String {
            switch self {
            case .credential(let credential): credential.name
            case .failed(let name, _): name
            }
        }
    }

    private let links: [Link]
    private let working = Mutex<(any Credential)?>(nil)

    init(_ links: [Link]) { self.links = links }

    /// That of the way that has worked.
    var name: String { working.withLock { $0?.name } ?? "signing in" }

    func token(for scope: String) async throws(CredentialFailure) -> AccessToken {
        if let credential = working.withLock({ $0 }) {
            do throws(CredentialFailure) {
                return try await credential.token(for: scope)
            } catch {
                throw Self.final(error, credential.name, tried: [])
            }
        }
        var tried: [String] = []
        for link in links {
            do throws(CredentialFailure) {
                let (credential, token) = try await Self.ask(link, scope)
                working.withLock { $0 = credential }
                return token
            } catch {
                guard case .unavailable(let why) = error else { throw Self.final(error, link.name, tried: tried) }
                tried.append("\(link.name): \(why)")
            }
        }
        throw .refused(
            AzureError(
                .notSignedIn, "No way of signing in to Azure is set up. \(Self.listed(tried))",
                nextStep: "Run az login, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET."))
    }

    private static func ask(
        _ link: Link, _ scope: String
    ) async throws(CredentialFailure) -> (any Credential, AccessToken) {
        switch link {
        case .credential(let credential): (credential, try await credential.token(for: scope))
        case .failed(_, let failure): throw failure
        }
    }

    private static func listed(_ tried: [String]) -> String {
        tried.map { $0.hasSuffix(".") ? $0 : "\($0)." }.joined(separator: " ")
    }

    private static func final(_ failure: CredentialFailure, _ name: String, tried: [String]) -> CredentialFailure {
        switch failure {
        case .refused(var error):
            if error.code != .cancelled {
                let before = tried.isEmpty ? "" : " Before that: \(listed(tried))"
                error.message = "By \(name): \(error.message)\(before)"
            }
            return .refused(error)
        case .unavailable(let why):
            return .refused(
                AzureError(
                    .notSignedIn, "Signing in by \(name) worked before, and no longer does: \(why)",
                    nextStep: "Mend that, and resume the run."))
        }
    }
}
