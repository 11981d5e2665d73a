internal import SalvorCoordinatorCore

/// The machine itself: what it is, and whether something is being done to it.
struct MachineCheck: PreflightCheck {
    let name = "state of the machine"

    func findings(_ subject: PreflightSubject) async throws(AzureError) -> [Finding] {
        let machine = subject.machine
        var findings = kind(machine) + provisioning(machine) + power(machine)
        let group = try await subject.facts.groupState(machine.id.group)
        if group?.lowercased() == "deleting" {
            findings.append(
                forbid(
                    .conflict, "The resource group \(machine.resourceGroup) is being deleted.",
                    "Save the disk before it is gone, if that is still possible."))
        }
        return findings
    }

    private func kind(_ machine: BrokenVM) -> [Finding] {
        var findings: [Finding] = []
        if !machine.isWindows {
            findings.append(
                forbid(
                    .unsupported, "\(machine.name) runs \(machine.osDisk.osType ?? "no known system"), not Windows.",
                    "Name Windows machines alone."))
        }
        if let set = machine.scaleSet {
            findings.append(
                remark(
                    "\(machine.name) belongs to the scale set \(set.name), which may replace it while it is stopped.",
                    "Suspend its automatic repairs and its upgrades until the rescue has ended."))
        }
        if machine.osDisk.deleteOption?.lowercased() == "delete" {
            findings.append(
                remark(
                    "The OS disk of \(machine.name) is deleted together with it: the repaired disk will be so too, the "
                        + "original disk no longer."))
        }
        return findings
    }

    private func provisioning(_ machine: BrokenVM) -> [Finding] {
        switch machine.provisioningState.lowercased() {
        case "succeeded": []
        case "creating", "updating", "migrating":
            [
                forbid(
                    .conflict,
                    "Another operation on \(machine.name) is running: Azure shows it as \(machine.provisioningState).",
                    "Wait until it has ended, then repeat the command.")
            ]
        case "deleting":
            [forbid(.conflict, "\(machine.name) is being deleted.", "Name another machine.")]
        default:
            [
                remark(
                    "Azure shows \(machine.name) as \(machine.provisioningState)"
                        + (machine.view.failures.first.map { ": \($0)" } ?? ", from an earlier change") + ".")
            ]
        }
    }

    private func power(_ machine: BrokenVM) -> [Finding] {
        switch machine.view.power {
        case .starting, .stopping, .deallocating:
            [
                forbid(
                    .conflict, "\(machine.name) is \(machine.view.power.rawValue).",
                    "Wait until it has come to rest, then repeat the command.")
            ]
        case .running where machine.view.agent?.isReady == true:
            [
                remark(
                    "\(machine.name) runs, and its agent is ready: it may not be broken.",
                    "Look at its screen before it is stopped: salvor discover --screenshots FOLDER.")
            ]
        case .unknown: [remark("Azure does not say whether \(machine.name) runs.")]
        case .running, .stopped, .deallocated: []
        }
    }
}
