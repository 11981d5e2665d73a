/// One of Azure's clouds, or something that speaks like one: where Resource Manager is, where one signs in to it, and what
/// tokens are for.
package struct AzureEnvironment: Hashable, Sendable {
    package var name: String
    /// `https://management.azure.com`, without a slash at its end.
    package var resourceManager: String
    /// Where one signs in: `https://login.microsoftonline.com`, without a slash at its end.
    package var authority: String
    /// What a token for Resource Manager is asked for.
    package var scope: String
    /// What vaults' names end with: `vault.azure.net`.
    package var keyVaultSuffix: String

    package init(name: String, resourceManager: String, authority: String, scope: String, keyVaultSuffix: String) {
        self.name = name
        self.resourceManager = resourceManager
        self.authority = authority
        self.scope = scope
        self.keyVaultSuffix = keyVaultSuffix
    }

    package static let publicCloud = AzureEnvironment(
        name: "AzureCloud", resourceManager: "https://management.azure.com",
        authority: "https://login.microsoftonline.com", scope: "https://management.azure.com/.default",
        keyVaultSuffix: "vault.azure.net")
    package static let usGovernment = AzureEnvironment(
        name: "AzureUSGovernment", resourceManager: "https://management.usgovcloudapi.net",
        authority: "https://login.microsoftonline.us", scope: "https://management.usgovcloudapi.net/.default",
        keyVaultSuffix: "vault.usgovcloudapi.net")
    package static let china = AzureEnvironment(
        name: "AzureChinaCloud", resourceManager: "https://management.chinacloudapi.cn",
        authority: "https://login.chinacloudapi.cn", scope: "https://management.chinacloudapi.cn/.default",
        keyVaultSuffix: "vault.azure.cn")

    package static let known = [publicCloud, usGovernment, china]

    /// What a token for secrets and keys of vaults is asked for.
    package var keyVaultScope: String { "https://\(keyVaultSuffix)/.default" }

    /// - Parameter name: as `az cloud list` has it, in any spelling of its case.
    package static func named(_ name: String) throws(AzureError) -> AzureEnvironment {
        guard let found = known.first(where: { $0.name.lowercased() == name.lowercased() }) else {
            throw AzureError(
                .badSetting, "There is no cloud '\(name)'.",
                nextStep: "Use one of \(known.map(\.name).joined(separator: ", ")), or name its ARM endpoint.")
        }
        return found
    }

    /// The same, with another place to sign in.
    /// - Parameter text: `https://login.example`, or a host alone, as azure-identity takes `AZURE_AUTHORITY_HOST`.
    package func signingIn(at text: String) throws(AzureError) -> AzureEnvironment {
        var environment = self
        environment.authority = try Self.address(text, of: "authority")
        return environment
    }

    /// An address of ours, without a slash at its end. Secrets go there: HTTPS alone.
    static func address(_ text: String, of what: String) throws(AzureError) -> String {
        let given = text.filter { !$0.isWhitespace }
        var address = given.contains("://") ? given : "https://\(given)"
        let least = "https://".count
        while address.hasSuffix("/"), address.count > least { address.removeLast() }
        let host = address.dropFirst(least)
        guard address.lowercased().hasPrefix("https://"), !host.isEmpty, !host.contains(where: { "?#@".contains($0) })
        else {
            // What was set may hold a password: it is not quoted.
            throw AzureError(
                .badSetting, "The \(what) that is set is no HTTPS address.", nextStep: "Set it to https://HOST.")
        }
        return address
    }
}
