internal import SalvorCoordinatorCore

/// The disk that would be copied and swapped out.
struct OSDiskCheck: PreflightCheck {
    let name = "OS disk"

    func findings(_ subject: PreflightSubject) async throws(AzureError) -> [Finding] {
        let machine = subject.machine
        if machine.osDisk.isEphemeral {
            return [
                forbid(
                    .unsupported,
                    "The OS disk of \(machine.name) is ephemeral: it lives on its host, and nothing can copy it.",
                    "Reimage the machine: that is what ephemeral disks are for.")
            ]
        }
        if let blob = machine.osDisk.blob {
            return [
                forbid(
                    .unsupported, "The OS disk of \(machine.name) is not a managed disk but the blob \(blob).",
                    "Convert the machine to managed disks (az vm convert), then rescue it.")
            ]
        }
        guard let disk = machine.disk else {
            let id = machine.osDisk.id?.text ?? "which Azure does not name"
            return [
                forbid(
                    .diskMissing, "The OS disk of \(machine.name), \(id), is not there, or may not be read.",
                    "Have the role in Coordinator/azure/role.json assigned for the disk's resource group as well.")
            ]
        }
        return owner(disk, of: machine) + state(disk)
    }

    private func owner(_ disk: ManagedDisk, of machine: BrokenVM) -> [Finding] {
        if let owner = disk.owner, owner != machine.id {
            return [
                forbid(
                    .diskInUse, "The OS disk \(disk.name) belongs to \(owner), and not to \(machine.name).",
                    "Find out which of them is to have it.")
            ]
        }
        let others = disk.owners.filter { $0 != machine.id }
        if !others.isEmpty {
            return [
                forbid(
                    .diskInUse,
                    "The OS disk \(disk.name) is shared, and used by \(others.map(\.name).joined(separator: ", ")) too.",
                    "Detach it there, then repeat the command.")
            ]
        }
        guard disk.maxShares > 1 else { return [] }
        return [
            remark("The OS disk \(disk.name) may be shared by \(disk.maxShares) machines; its copy may not be shared.")
        ]
    }

    private func state(_ disk: ManagedDisk) -> [Finding] {
        var findings: [Finding] = []
        switch disk.state.lowercased() {
        case "attached", "reserved", "unattached": break
        case let state where state.hasPrefix("activesas"):
            findings.append(
                forbid(
                    .diskInUse, "Somebody has access to the bytes of the OS disk \(disk.name) by an address (SAS).",
                    "End it with az disk revoke-access, then repeat the command."))
        case "frozen":
            findings.append(
                forbid(
                    .conflict, "The machine of the OS disk \(disk.name) is hibernated.",
                    "Start it, or deallocate it without hibernation: what it hibernated with belongs to the disk as it is."
                ))
        default:
            findings.append(
                forbid(
                    .conflict, "The OS disk \(disk.name) is \(disk.state).",
                    "Wait until it is Attached or Reserved, then repeat the command."))
        }
        if ["updating", "creating", "deleting"].contains(disk.provisioningState.lowercased()) {
            findings.append(
                forbid(
                    .conflict, "The OS disk \(disk.name) is being changed: \(disk.provisioningState).",
                    "Wait until that has ended, then repeat the command."))
        }
        if let percent = disk.completionPercent, percent < 100 {
            findings.append(
                remark("The OS disk \(disk.name) is itself a copy that is still being filled: \(Int(percent)) %."))
        }
        if disk.hasSetPerformance {
            findings.append(remark("Copies of \(disk.sku) disks are usable only when all their bytes are there."))
        }
        return findings
    }
}
