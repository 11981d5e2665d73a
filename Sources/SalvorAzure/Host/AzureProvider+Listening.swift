import SalvorCoordinatorCore
import SalvorJSON

extension AzureProvider {
    /// Where the agent of a rescue VM waits, with `--listen`: the private address that Azure has given its interface.
    /// Asked of the machine, because Azure names an interface that it makes along with one as it likes.
    func listenAddress(of machine: ResourceID, _ arm: ARMClient) async throws(AzureError) -> ListenAddress? {
        guard let port = configuration.listenPort else { return nil }
        let interfaces = try await arm.get("\(machine)", .compute)["properties"]?["networkProfile"]?[
            "networkInterfaces"]
        guard let interface = interfaces?.array?.first?.id("id") else { throw Self.noAddress(of: machine) }
        let configurations = try await arm.get("\(interface)", .network)["properties"]?["ipConfigurations"]?.array ?? []
        let primary = configurations.first { $0["properties"]?["primary"]?.bool == true } ?? configurations.first
        guard let address = primary?["properties"]?["privateIPAddress"]?.string, !address.isEmpty else {
            throw Self.noAddress(of: machine)
        }
        return ListenAddress(host: address, port: port)
    }

    private static func noAddress(of machine: ResourceID) -> AzureError {
        AzureError(
            .failed, "The rescue VM \(machine.name) has no private address at which its agent could be called.",
            nextStep: "See its network interface in the portal, then resume the run.")
    }
}
