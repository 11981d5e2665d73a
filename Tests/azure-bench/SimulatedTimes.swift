/// How long each operation takes here, on both sides. Azure publishes no figures: what is said beside each is where it comes
/// from. The guess on which most depends, ``provisioning``, is the peer's alone, so that there are figures without it as well.
struct SimulatedTimes {
    static let all: [(operation: String, milliseconds: Int, from: String)] = [
        ("Microsoft.Compute/disks/create", 10_000, "guess: a copy is there at once and fills itself behind the scenes"),
        ("Microsoft.Compute/virtualMachines/create", 40_000, "guess: placing and starting a machine"),
        (
            "Microsoft.Compute/virtualMachines/attachdetach", 15_000,
            "guess: disks in or out of a machine that runs"
        ),
        ("Microsoft.Compute/virtualMachines/update", 30_000, "guess: a change of disks by the machine's own PUT"),
        ("Microsoft.Compute/virtualMachines/runcommand", 57_000, "recorded: azure-cli's test of run-command, 2019"),
        ("Microsoft.Compute/virtualMachines/poweroff", 15_000, "guess"),
        ("Microsoft.Compute/virtualMachines/start", 30_000, "guess"),
        ("Microsoft.Compute/virtualMachines/delete", 30_000, "guess: by force"),
        (
            "Microsoft.Resources/resourceGroups/delete", 2000,
            "guess: until what is in it begins to be deleted, its machine first"
        ),
        ("Microsoft.Network/networkInterfaces/put", 3000, "guess"),
        ("Microsoft.Network/virtualNetworks/put", 3000, "guess"),
        ("Microsoft.Network/networkSecurityGroups/put", 3000, "guess"),
    ]

    /// What a Windows of the marketplace takes to set itself up, before Azure calls it created. `az vm repair` waits for it;
    /// Salvor's rescue VM starts from a disk that is set up.
    static let provisioning = (
        operation: "Microsoft.Compute/virtualMachines/provision", milliseconds: 120_000,
        from: "guess: a Windows Server's first start"
    )

    static func options(provisioning isOn: Bool) -> [String] {
        let times = all.map { "\($0.operation)=\($0.milliseconds)" }
        let more = isOn ? ["\(provisioning.operation)=\(provisioning.milliseconds)"] : []
        return (times + more).flatMap { ["--latency-of", $0] }
    }

    static var rows: [[String]] {
        (all + [provisioning]).map {
            [String($0.operation.dropFirst("Microsoft.".count)), "\($0.milliseconds / 1000) s", $0.from]
        }
    }
}
