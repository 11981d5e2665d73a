package import SalvorCoordinatorCore
import SystemPackage

extension LocalProvider {
    /// Without a time: emulated and accelerated machines differ by far.
    package func plan(for rescue: PlannedRescue) async throws(ProviderError) -> ProviderPlan {
        var changes: [PlannedChange] = []
        for (index, machines) in rescue.hosts.enumerated() {
            let host = "the rescue VM rescue-\(index + 1)"
            changes += try machines.map { (machine) throws(ProviderError) in
                PlannedChange("create", try copyFile(of: machine), "the repair copy of \(machine.name)")
            }
            changes.append(PlannedChange("start", host, "to work on the copies"))
            changes += machines.map { PlannedChange("attach", host, "the copy of \($0.name), and detach it again") }
            changes.append(PlannedChange("end", host, "once nothing is attached to it"))
        }
        for machine in rescue.machines {
            let copy = try copyFile(of: machine)
            if rescue.command == .scan {
                changes.append(PlannedChange("delete", copy, "\(machine.name) was looked at"))
                continue
            }
            changes += [
                PlannedChange("delete", copy, "where there is nothing to repair on \(machine.name)", 0...1),
                PlannedChange("write", machine.definition, "make the repaired copy the OS disk", 0...1),
                PlannedChange("start", machine.name, "watch it boot, and power it off again", 0...1),
            ]
        }
        return ProviderPlan(changes: changes)
    }

    private func copyFile(of machine: Machine) throws(ProviderError) -> String {
        let original = try Self.disk(machine.osDisk).path
        return original.removingLastComponent().appending("\(original.stem ?? "disk").salvor-…").string
    }
}
