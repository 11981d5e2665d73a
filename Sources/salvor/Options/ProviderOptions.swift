internal import ArgumentParser
internal import SalvorCoordinatorCore

/// Where the machines live.
enum ProviderKind: String, ExpressibleByArgument, CaseIterable {
    case local
    case azure
}

/// How a rescue on this computer is to be done.
struct LocalRescueOptions: ParsableArguments {
    static let memorySetting = "rescue-memory"

    @Option(
        help: ArgumentHelp(
            "Memory of a rescue VM. A quarter of it holds what is copied from disks, and as much what is written: a large "
                + "registry hive, or many logs, need more than the default of 512.", valueName: "MiB"))
    var rescueMemory: Int?

    func validate() throws {
        guard let rescueMemory else { return }
        guard (256...65_536).contains(rescueMemory) else {
            throw ValidationError("--rescue-memory takes 256 to 65536 MiB.")
        }
    }

    var settings: [String: String] { rescueMemory.map { [Self.memorySetting: String($0)] } ?? [:] }
}

/// Which machines a run is about: a folder of definitions, or a subscription.
struct ProviderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "local: QEMU on this computer. azure: an Azure subscription. Default: azure where a resource group or a "
                + "subscription is named, local otherwise."))
    var provider: ProviderKind?

    @Flag(
        help: ArgumentHelp(
            "Rescue VMs wait, and this computer dials them: for one that they cannot dial, behind NAT for instance.",
            discussion: "On Azure at their private addresses, which this computer must reach."))
    var listen = false

    @OptionGroup(title: "Local machines") var inventory: InventoryOptions
    @OptionGroup(title: "Local rescue") var local: LocalRescueOptions
    @OptionGroup(title: "Azure account") var account: AzureAccountOptions
    @OptionGroup(title: "Azure rescue") var rescue: AzureRescueOptions

    var kind: ProviderKind {
        provider ?? (account.resourceGroup != nil || account.subscription != nil ? .azure : .local)
    }

    /// The name under which a run remembers ``listen``.
    static let listenSetting = "listen"

    func validate() throws {
        guard !listen || rescue.advertise == nil else {
            throw ValidationError("--listen and --advertise exclude each other: this computer dials, or is dialled.")
        }
    }

    /// A rescue VM that cannot call would be waited for, and paid for, in vain.
    func requireWayBack() throws {
        guard kind == .azure, !listen, rescue.advertise == nil else { return }
        throw CommandFailure(
            .invalidInput, "Rescue VMs on Azure call this computer, and it was not said how they reach it.",
            nextStep:
                "Name it with --advertise, as it is called in their network; or, where they cannot reach it and it "
                + "reaches their private addresses, say --listen. Nothing was changed.")
    }

    /// Puts into a run's configuration what a resume needs to find the same provider again.
    func configure(_ configuration: inout RunConfiguration) {
        switch kind {
        case .local:
            configuration.inventory = RunContext.absolute(inventory.inventory)
            configuration.settings = local.settings
        case .azure:
            configuration.settings = account.settings.merging(rescue.settings) { $1 }
            configuration.stopsFirst = rescue.stopFirst
            // One call attaches them all, and Azure works on many machines at once.
            configuration.hostCapacity = 32
            configuration.concurrentCopies = 32
            configuration.concurrentBoots = 32
        }
        if listen { configuration.settings[Self.listenSetting] = "true" }
    }
}
