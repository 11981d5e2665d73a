package import SalvorCoordinatorCore

extension AzureProvider {
    package func machines() async throws(ProviderError) -> [Machine] {
        try await providing { () throws(AzureError) in
            try await inventory.machines().filter(\.isWindows).map(\.machine)
        }
    }

    package func machine(named name: String) async throws(ProviderError) -> Machine {
        try await providing { () throws(AzureError) in try await inventory.machine(named: name).machine }
    }
}

extension BrokenVM {
    /// As the workflow knows it. Its name has its group: names alone are not unique in a subscription.
    var machine: Machine {
        var details = ["size": size, "location": location, "generation": generation, "security": securityType.rawValue]
        details["zone"] = zones.first
        return Machine(
            name: "\(resourceGroup)/\(name)", definition: id.text,
            osDisk: OSDisk(
                identifier: osDisk.id?.text ?? "", format: "managed",
                sizeBytes: disk.flatMap { UInt64(exactly: $0.sizeBytes) }),
            details: details, placement: Placement(location: location, zone: zones.first).text,
            computerName: computerName)
    }
}
