internal import ArgumentParser

/// Which subscription, and how to get into it.
struct AzureAccountOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The subscription's id. Default: $AZURE_SUBSCRIPTION_ID, or the only one that can be seen.",
            valueName: "id"))
    var subscription: String?

    @Option(
        name: [.customShort("g"), .long],
        help: ArgumentHelp("Where machines are looked for by their bare names.", valueName: "name"))
    var resourceGroup: String?

    @Option(help: ArgumentHelp("The tenant to sign in to. Default: $AZURE_TENANT_ID.", valueName: "id"))
    var tenant: String?

    @Option(help: ArgumentHelp("AzureCloud, AzureUSGovernment or AzureChinaCloud.", valueName: "name"))
    var cloud: String?

    @Option(
        help: ArgumentHelp(
            "Another Azure Resource Manager, such as azure-emulator's.", valueName: "https://host:port"))
    var armEndpoint: String?

    @Option(help: ArgumentHelp("Where to sign in, if not where that cloud does.", valueName: "https://host"))
    var authority: String?

    @Option(
        help: ArgumentHelp(
            "PEM file of the certificate authorities to trust instead of the system's.", valueName: "file"))
    var caFile: String?

    /// What a run remembers, to be resumed: names and places, nothing secret.
    var settings: [String: String] {
        var settings: [String: String] = [:]
        settings["subscription"] = subscription
        settings["resource-group"] = resourceGroup
        settings["tenant"] = tenant
        settings["cloud"] = cloud
        settings["arm-endpoint"] = armEndpoint
        settings["authority"] = authority
        settings["ca-file"] = caFile.map { RunContext.absolute($0) }
        return settings
    }
}

/// How a rescue on Azure is to be done.
struct AzureRescueOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Resource id of the rescue VM's subnet. Default: the subnet of the first machine.", valueName: "id"))
    var subnet: String?

    @Option(help: ArgumentHelp("Size of the rescue VM. Default: the smallest that takes the disks.", valueName: "size"))
    var size: String?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("On everything that is made, as NAME=VALUE.", valueName: "tag"))
    var tags: [String] = []

    @Flag(help: "Deallocate machines where they must be stopped, instead of powering them off.")
    var deallocate = false

    @Flag(help: "Stop machines before their disks are copied, not only before the swap.")
    var stopFirst = false

    @Flag(
        help: ArgumentHelp(
            "Read the keys of machines with Azure Disk Encryption from their key vaults.",
            discussion: "Takes the role in Coordinator/azure/unlock-role.json on each vault."))
    var unlockEncryptedVm = false

    @Option(
        help: ArgumentHelp(
            "How rescue VMs reach this computer: a name or address in a network that theirs is joined to.",
            valueName: "host"))
    var advertise: String?

    @Option(help: ArgumentHelp("With --listen: the port on which rescue VMs wait.", valueName: "port"))
    var listenPort: UInt16 = 7443

    @Option(help: ArgumentHelp("The port on which this computer waits for rescue VMs.", valueName: "port"))
    var coordinatorPort = 7443

    @Option(help: ArgumentHelp("The address on which it waits.", valueName: "address"))
    var bind = "0.0.0.0"

    @Option(
        help: ArgumentHelp(
            "The rescue image, a fixed VHD. Default: the one that `salvor image build --format vhd` made.",
            valueName: "file"))
    var rescueVhd: String?

    @Option(
        help: ArgumentHelp(
            "A marketplace image for the rescue VM, PUBLISHER:OFFER:SKU:VERSION, where custom disks are not allowed.",
            valueName: "urn"))
    var stockImage: String?

    @Option(
        help: ArgumentHelp(
            "With --stock-image: where the rescue VM fetches salvor-agent. What it gets must be this computer's own.",
            valueName: "https://…"))
    var agentUrl: String?

    func validate() throws {
        guard (1...65535).contains(coordinatorPort) else {
            throw ValidationError("--coordinator-port takes 1 to 65535.")
        }
        guard listenPort != 0 else { throw ValidationError("--listen-port takes 1 to 65535.") }
        for tag in tags where !tag.contains("=") { throw ValidationError("--tags takes NAME=VALUE, not “\(tag)”.") }
        guard (stockImage == nil) == (agentUrl == nil) else {
            throw ValidationError("--stock-image and --agent-url go together.")
        }
    }

    var settings: [String: String] {
        var settings: [String: String] = [
            "coordinator-port": String(coordinatorPort), "bind": bind, "deallocate": String(deallocate),
            "unlock-encrypted-vm": String(unlockEncryptedVm),
            "listen-port": String(listenPort),
        ]
        settings["subnet"] = subnet
        settings["size"] = size
        settings["advertise"] = advertise
        settings["rescue-vhd"] = rescueVhd.map { RunContext.absolute($0) }
        settings["stock-image"] = stockImage
        settings["agent-url"] = agentUrl
        for tag in tags {
            let parts = tag.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            settings["tag:\(parts[0])"] = String(parts[1])
        }
        return settings
    }
}
