internal import SalvorJSON

extension AzureEnvironment {
    /// Asks a Resource Manager what belongs to it, as `az cloud register` does; asks nothing where it is one of the known.
    /// - Parameter endpoint: `https://management.example`, in any spelling.
    package static func at(_ endpoint: String, transport: any HTTPTransport) async throws(AzureError)
        -> AzureEnvironment
    {
        let endpoint = try address(endpoint, of: "ARM endpoint")
        if let known = known.first(where: { $0.resourceManager == endpoint.lowercased() }) { return known }
        let response = try await transport.send(
            HTTPRequest(
                "GET", "\(endpoint)/metadata/endpoints?api-version=2022-09-01",
                headers: [HTTPField("Accept", "application/json")], timeout: .seconds(30)))
        guard response.status == 200, let answer = try? JSONValue.parse(response.body),
            // Older versions answer with a list of clouds, of which one is this.
            let cloud = answer.array.map({ Self.cloud(in: $0, at: endpoint) }) ?? answer
        else { throw unlike(endpoint, "status \(response.status)") }
        let signingIn = cloud["authentication"]
        guard let login = signingIn?["loginEndpoint"]?.string, let vaults = cloud["suffixes"]?["keyVaultDns"]?.string
        else { throw unlike(endpoint, "no loginEndpoint or no keyVaultDns") }
        let audiences = (signingIn?["audiences"]?.array ?? []).compactMap { $0.string.map(Self.withoutSlash) }
        return AzureEnvironment(
            name: cloud["name"]?.string ?? endpoint, resourceManager: endpoint,
            authority: try address(login, of: "authority"),
            scope: "\(audiences.contains(endpoint) ? endpoint : audiences.first ?? endpoint)/.default",
            keyVaultSuffix: vaults.first == "." ? String(vaults.dropFirst()) : vaults)
    }

    private static func cloud(in clouds: [JSONValue], at endpoint: String) -> JSONValue? {
        clouds.first { $0["resourceManager"]?.string.map(withoutSlash) == endpoint }
    }

    private static func withoutSlash(_ text: String) -> String {
        var text = text
        while text.hasSuffix("/") { text.removeLast() }
        return text
    }

    private static func unlike(_ endpoint: String, _ why: String) -> AzureError {
        AzureError(
            .badAnswer, "\(endpoint) does not describe a cloud at /metadata/endpoints: \(why).",
            nextStep: "Check the ARM endpoint that is set.")
    }
}
