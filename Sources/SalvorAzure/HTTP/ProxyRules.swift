/// Which addresses are reached through a proxy: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case,
/// as curl and Python's requests read them.
package struct ProxyRules: Sendable {
    /// For https: addresses, which is all that is called with a secret.
    package let proxy: String?
    /// Names, each with all below it; `*` for all.
    private let exceptions: [String]

    package init(_ variables: [String: String]) {
        func value(_ name: String) -> String? {
            [name.lowercased(), name].compactMap { variables[$0] }.first { !$0.isEmpty }
        }
        proxy = value("HTTPS_PROXY") ?? value("ALL_PROXY")
        exceptions = (value("NO_PROXY") ?? "").split(separator: ",").map { item in
            var name = item.filter { !$0.isWhitespace }.lowercased()
            while name.hasPrefix(".") || name.hasPrefix("*.") { name.removeFirst(name.hasPrefix("*.") ? 2 : 1) }
            return name
        }.filter { !$0.isEmpty }
    }

    /// - Parameter url: with its scheme.
    package func needsProxy(_ url: String) -> Bool {
        guard proxy != nil, let scheme = url.firstRange(of: "://") else { return false }
        let authority = url[scheme.upperBound...].prefix { !"/?#".contains($0) }
        let host = Self.host(authority).lowercased()
        // No proxy reaches this machine for us.
        if host == "localhost" || host.hasPrefix("127.") || host == "[::1]" { return false }
        return !exceptions.contains {
            $0 == "*" || host == $0 || host.hasSuffix(".\($0)") || "\(authority)".lowercased() == $0
        }
    }

    private static func host(_ authority: Substring) -> String {
        if authority.hasPrefix("[") { return String(authority.prefix { $0 != "]" }) + "]" }
        return String(authority.prefix { $0 != ":" })
    }
}

/// Sends each request the way that the rules say.
package struct RoutedTransport: HTTPTransport {
    private let rules: ProxyRules
    private let direct: HTTPConnections
    private let proxied: HTTPConnections?

    /// - Throws: ``AzureError/Code/badSetting``.
    package init(_ rules: ProxyRules, authorityFile: String?) throws(AzureError) {
        self.rules = rules
        direct = try HTTPConnections(.init(authorityFile: authorityFile))
        proxied =
            if let proxy = rules.proxy { try HTTPConnections(.init(authorityFile: authorityFile, proxy: proxy)) } else {
                nil
            }
    }

    package func send(_ request: HTTPRequest) async throws(AzureError) -> HTTPResponse {
        if let proxied, rules.needsProxy(request.url) { return try await proxied.send(request) }
        return try await direct.send(request)
    }

    /// For the machine's own services.
    package var withoutProxy: any HTTPTransport { direct }

    package func close() async {
        await direct.close()
        await proxied?.close()
    }
}
