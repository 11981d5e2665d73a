package import SalvorCoordinatorCore
import SalvorJSON
import Synchronization

/// Machines of Azure, by way of Azure Resource Manager.
///
/// Every operation has its own deadline. What it makes has a name derived from run and machine and tags that say whose
/// it is, so that a repeat, in another process as well, finds its own work and touches nobody else's.
package final class AzureProvider: Provider {
    package let kind = "azure"
    package let mustStopMachines = true
    package let retiringFreesCopies = true

    let arm: ARMClient
    let configuration: AzureConfiguration
    let inventory: Inventory
    let vaults: KeyVaultClient
    let preflight: Preflight
    let settings: RescueSettings
    let transport: any HTTPTransport
    let hosts = RescueHosts()
    let images = Once<ResourceID, ResourceID>()
    /// Tells the operator how far something long has come.
    let progress: @Sendable (String) -> Void

    /// - Throws: ``AzureError/Code/badSetting``.
    /// - Parameter transport: for what is not Resource Manager: page blobs and boot diagnostics.
    package init(
        arm: ARMClient, transport: any HTTPTransport, configuration: AzureConfiguration,
        progress: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(AzureError) {
        self.arm = arm
        self.transport = transport
        self.configuration = configuration
        self.progress = progress
        settings = try configuration.settings()
        vaults = KeyVaultClient(arm: arm, suffix: configuration.keyVaultSuffix)
        preflight = Preflight(arm, settings: settings, vaults: vaults)
        inventory = Inventory(arm, subscription: configuration.subscription, group: configuration.resourceGroup)
    }

    package var keySource: (any KeySource)? {
        configuration.unlocksDisks ? DiskEncryptionKeys(inventory: inventory, vaults: vaults) : nil
    }

    package func route(toCoordinatorPort port: Int) -> HostRoute {
        if let port = configuration.listenPort { return HostRoute(listeningOn: port) }
        return HostRoute(coordinator: "\(configuration.advertised ?? "127.0.0.1"):\(port)")
    }

    /// The tags of everything that a run makes.
    func tags(run: String, role: String, machine: ResourceID? = nil) -> JSONValue {
        var tags = configuration.tags
        tags[RunTag.run] = run
        tags[AzureNames.roleTag] = role
        if let machine { tags[RunTag.machine] = Self.tagged(machine) }
        return .object(tags.mapValues { .string($0) })
    }

    /// Azure's limit on a tag.
    static func tagged(_ machine: ResourceID) -> String { String(machine.text.prefix(256)) }

    /// The machine of a name that ``machine(named:)`` has given: `GROUP/NAME`.
    func machineID(named name: String) -> ResourceID? {
        let parts = name.split(separator: "/").map(String.init)
        guard parts.count == 2 else { return nil }
        return .group(parts[0], subscription: configuration.subscription).appending(Inventory.type, parts[1])
    }

    static func id(_ disk: OSDisk) throws(ProviderError) -> ResourceID {
        guard let id = ResourceID(disk.identifier) else {
            throw ProviderError(
                .invalidDefinition, "“\(disk.identifier)” is no resource id of a disk.",
                nextStep: "The run's records were changed: roll it back by hand.")
        }
        return id
    }

    static func id(_ machine: Machine) throws(ProviderError) -> ResourceID {
        guard let id = ResourceID(machine.definition) else {
            throw ProviderError(
                .invalidDefinition, "“\(machine.definition)” is no resource id of a machine.",
                nextStep: "Name the machine by its resource id.")
        }
        return id
    }
}

extension JSONValue {
    /// The run that a resource's tags name.
    var salvorRun: String? { self["tags"]?[RunTag.run]?.string }
}
