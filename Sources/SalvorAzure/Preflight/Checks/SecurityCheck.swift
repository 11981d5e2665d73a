internal import SalvorCoordinatorCore

/// Generation and security type, which the copy must share with the machine.
struct SecurityCheck: PreflightCheck {
    let name = "security type"

    func findings(_ subject: PreflightSubject) async throws(AzureError) -> [Finding] {
        let machine = subject.machine
        guard let disk = machine.disk else { return [] }
        if machine.securityType == .confidential || disk.security?.isConfidential == true {
            return [confidential(machine, disk)]
        }
        return generation(machine, disk) + trustedLaunch(machine, disk)
    }

    private func confidential(_ machine: BrokenVM, _ disk: ManagedDisk) -> Finding {
        let why =
            disk.security?.isSealed == true
            ? "its disk can be read inside of that very machine alone"
            : "Azure attaches its disk to no machine that is not confidential"
        return forbid(
            .unsupported, "\(machine.name) is a confidential machine: \(why).",
            "Restore it from a backup, or repair it from its serial console.")
    }

    private func generation(_ machine: BrokenVM, _ disk: ManagedDisk) -> [Finding] {
        if let said = disk.generation, let seen = machine.view.generation, said.lowercased() != seen.lowercased() {
            return [
                forbid(
                    .unsupported,
                    "\(machine.name) is of generation \(seen), and its OS disk says \(said): Azure would refuse the swap.",
                    "Report it to Microsoft's support; the machine is as it was.")
            ]
        }
        guard disk.generation == nil, machine.view.generation == nil else { return [] }
        return [remark("Azure does not say of which generation \(machine.name) is; it is taken for generation 1.")]
    }

    private func trustedLaunch(_ machine: BrokenVM, _ disk: ManagedDisk) -> [Finding] {
        let isTrusted = machine.securityType == .trustedLaunch
        guard isTrusted != (disk.security?.type.lowercased() == "trustedlaunch") else { return [] }
        return [
            remark(
                "\(machine.name) is of security type \(machine.securityType.rawValue), and its OS disk of "
                    + "\(disk.security?.type ?? "Standard"). The copy gets what the disk has.")
        ]
    }
}
