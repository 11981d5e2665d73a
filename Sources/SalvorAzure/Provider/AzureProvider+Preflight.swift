package import SalvorCoordinatorCore

extension AzureProvider {
    package func preflight(_ machine: Machine) async throws(ProviderError) -> [String] {
        []
    }
}
