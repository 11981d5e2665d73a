internal import SalvorCoordinatorCore

/// Copies that an earlier run has left, or that another run works on at this moment.
struct LeftoverCheck: PreflightCheck {
    let name = "copies of other runs"

    func findings(_ subject: PreflightSubject) async throws(AzureError) -> [Finding] {
        let machine = subject.machine
        let disks = try await subject.facts.disks(in: machine.id.group)
        return disks.compactMap { disk -> Finding? in
            // What the machine runs with was repaired before, and is its own now.
            guard let tag = disk.tags[RunTag.machine], ResourceID(tag) == machine.id, disk.id != machine.osDisk.id
            else { return nil }
            let run = disk.tags[RunTag.run] ?? "an unknown run"
            if let owner = disk.owner {
                return forbid(
                    .conflict,
                    "The run \(run) works on \(machine.name): its copy \(disk.name) is attached to \(owner.name).",
                    "Wait for that run, or end it: salvor resume \(run), or salvor rollback \(run).")
            }
            return remark(
                "The run \(run) has left the copy \(disk.name) of the OS disk of \(machine.name).",
                "Finish that run with salvor resume \(run), or undo it with salvor rollback \(run).")
        }
    }
}
