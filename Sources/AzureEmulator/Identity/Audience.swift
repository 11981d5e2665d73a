/// What a token is for. A token for one service is refused by the others.
enum Audience: Sendable {
    case resourceManager
    case vault
    case graph
    case storage

    /// What Azure's own Resource Manager says that it takes.
    static let ofResourceManager = ["https://management.core.windows.net/", "https://management.azure.com/"]
    static let ofVaults = "https://vault.azure.net"

    /// - Parameter resource: as a client names it: of Azure, or of this emulator, whatever its port.
    /// - Returns: nil for a resource that there is not.
    init?(_ resource: String) {
        guard let (host, path) = Self.parts(resource) else { return nil }
        switch (host, path) {
        case ("localhost", ""), ("127.0.0.1", ""), ("[::1]", ""), ("management.azure.com", ""),
            ("management.core.windows.net", ""):
            self = .resourceManager
        case ("localhost", "/graph"), ("127.0.0.1", "/graph"), ("[::1]", "/graph"), ("graph.microsoft.com", ""):
            self = .graph
        case ("vault.azure.net", ""), ("vault.localhost", ""): self = .vault
        case ("storage.azure.com", ""): self = .storage
        default:
            guard path.isEmpty, host.hasSuffix(".storage.localhost") else { return nil }
            self = .storage
        }
    }

    /// In lower case, without port and last slashes.
    private static func parts(_ resource: String) -> (host: String, path: String)? {
        let scheme = "https://"
        var text = resource.lowercased()
        guard text.hasPrefix(scheme) else { return nil }
        text.removeFirst(scheme.count)
        while text.hasSuffix("/") { text.removeLast() }
        let authority = text.prefix { $0 != "/" }
        var host = authority
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard authority[authority.index(after: colon)...].allSatisfy(\.isNumber) else { return nil }
            host = authority[..<colon]
        }
        return (String(host), String(text.dropFirst(authority.count)))
    }
}
