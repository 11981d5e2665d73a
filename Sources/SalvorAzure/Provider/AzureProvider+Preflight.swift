package import SalvorCoordinatorCore

extension AzureProvider {
    package func preflight(_ machine: Machine) async throws(ProviderError) -> [String] {
        guard configuration.image != nil else {
            throw ProviderError(
                .imageMissing, "The rescue image for Azure has not been built.",
                nextStep: "Run `salvor image build --format vhd`. Nothing was changed.")
        }
        let id = try Self.id(machine)
        let findings = try await providing { () throws(AzureError) in
            try await preflight.findings(for: try await inventory.machine(id))
        }
        for finding in findings { if let error = ProviderError(finding) { throw error } }
        return findings.map(\.text)
    }
}

extension AzureConfiguration {
    /// What preflight must know of it.
    func settings() throws(AzureError) -> RescueSettings {
        var network: ResourceID?
        if let subnet {
            guard let id = ResourceID(subnet), id.type?.lowercased() == "microsoft.network/virtualnetworks/subnets"
            else {
                throw AzureError(
                    .badSetting, "“\(subnet)” is no resource id of a subnet.",
                    nextStep: "Name /subscriptions/…/virtualNetworks/NAME/subnets/NAME with --subnet.")
            }
            network = id
        }
        return RescueSettings(
            size: size, copiesPerHost: copiesPerHost, hosts: hostCount, tags: tags, subnet: network,
            deallocates: stopStyle == .deallocate, unlocksDisks: unlocksDisks, hasOtherKeys: hasOtherKeys)
    }
}
