/// A bearer token. What prints it prints only when it ends.
package struct AccessToken: Sendable {
    package let secret: String
    /// Seconds since 1970.
    package let expires: Int64
    /// From then on a new one should be fetched; nil for five minutes before the end.
    package let refresh: Int64?

    package init(secret: String, expires: Int64, refresh: Int64? = nil) {
        self.secret = secret
        self.expires = expires
        self.refresh = refresh
    }
}

extension AccessToken: CustomStringConvertible, CustomReflectable {
    package var description: String { "token until \(expires)" }
    package var customMirror: Mirror { Mirror(self, children: ["expires": expires]) }
}

/// Where tokens come from.
package protocol TokenSource: Sendable {
    /// - Parameter scope: `https://management.azure.com/.default` and the like: the resource and `/.default`.
    /// - Throws: ``AzureError/Code/notSignedIn`` with what was tried and what each said.
    func token(for scope: String) async throws(AzureError) -> AccessToken

    /// A token was refused: the next one must be another.
    func forget(_ token: AccessToken) async
}
