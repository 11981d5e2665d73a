/// One way of signing in.
protocol Credential: Sendable {
    /// For messages: `environment (client secret)`.
    var name: String { get }

    /// - Parameter scope: the resource and `/.default`.
    func token(for scope: String) async throws(CredentialFailure) -> AccessToken
}

/// Why a way of signing in gave no token.
enum CredentialFailure: Error {
    /// It is not set up here, so that the next one is tried. What that means, as a sentence.
    case unavailable(String)
    /// It is set up, and did not work: trying others would hide that.
    case refused(AzureError)
}

enum TokenScope {
    /// What a token is for, as the older ways of asking name it: a scope without `/.default`.
    static func resource(of scope: String) -> String {
        scope.hasSuffix("/.default") ? String(scope.dropLast("/.default".count)) : scope
    }
}
