internal import SalvorJSON

/// `GET /metadata/endpoints`: how a client learns where a cloud signs in and what it is called (2022-09-01).
struct CloudMetadata: Endpoint {
    let tenant: String

    func answer(
        _ request: EmulatorRequest, _ segments: [String], _ now: EmulatorTime, _ emulator: Emulator
    ) async throws(ARMError) -> EmulatorResponse? {
        guard segments.map({ $0.lowercased() }) == ["metadata", "endpoints"] else { return nil }
        return EmulatorResponse(200, json: document(request.base))
    }

    private func document(_ base: String) -> JSONValue {
        [
            "name": "SalvorEmulator", "portal": .string(base), "resourceManager": .string("\(base)/"),
            "authentication": [
                "loginEndpoint": .string("\(base)/"), "audiences": [.string("\(base)/"), .string(base)],
                "tenant": .string(tenant), "identityProvider": "AAD",
            ],
            "graphAudience": .string("\(base)/graph"), "graph": .string("\(base)/graph"),
            "microsoftGraphResourceId": .string("\(base)/graph"), "gallery": .string("\(base)/gallery"),
            "batch": .string("\(base)/batch"), "media": .string("\(base)/media"),
            "vmImageAliasDoc": .string("\(base)/metadata/aliases.json"), "sqlManagement": .string("\(base)/sql"),
            "activeDirectoryDataLake": .string("\(base)/datalake"),
            "suffixes": [
                "keyVaultDns": "vault.localhost", "storage": "storage.localhost", "acrLoginServer": "acr.localhost",
                "sqlServerHostname": "database.localhost", "azureDataLakeStoreFileSystem": "store.localhost",
                "azureDataLakeAnalyticsCatalogAndJob": "analytics.localhost",
            ],
        ]
    }
}
