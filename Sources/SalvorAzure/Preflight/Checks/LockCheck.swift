internal import SalvorCoordinatorCore

/// Locks, and which step each would stop.
struct LockCheck: PreflightCheck {
    let name = "locks"

    func findings(_ subject: PreflightSubject) async throws(AzureError) -> [Finding] {
        let machine = subject.machine
        let locks = try await subject.facts.locks(subscription: machine.subscription)
        let subnet = locks.isEmpty ? nil : try await subject.facts.subnet(for: subject)
        return locks.compactMap { lock in
            if lock.isReadOnly, lock.holds(on: machine.id) { return readOnly(lock, machine) }
            let disk = machine.osDisk.id
            if let disk, lock.scope == disk, lock.isReadOnly {
                return remark(
                    "The lock “\(lock.name)” makes the OS disk \(disk.name) read-only: Azure may refuse to copy it or to swap "
                        + "it out, and salvor cleanup --originals cannot delete it.",
                    "Have it removed for the time of the rescue.")
            }
            guard !lock.isReadOnly else { return network(lock, subnet) }
            return lock.scope == .subscription(machine.subscription)
                ? subscription(lock) : keeps(lock, machine)
        }
    }

    private func readOnly(_ lock: ManagementLock, _ machine: BrokenVM) -> Finding {
        forbid(
            .conflict,
            "The lock “\(lock.name)” on \(shown(lock.scope)) is ReadOnly: \(machine.name) could not be stopped, given another "
                + "disk, or started.",
            "Have it removed for the time of the rescue: az lock delete --ids …/locks/\(lock.name).")
    }

    /// CanNotDelete on a subscription keeps rescue VMs alive, and their copies attached.
    private func subscription(_ lock: ManagementLock) -> Finding {
        forbid(
            .conflict,
            "The lock “\(lock.name)” on the whole subscription is CanNotDelete: the rescue VM could not be deleted, and would "
                + "stay and cost.",
            "Have it removed for the time of the rescue: az lock delete --ids …/locks/\(lock.name).")
    }

    /// CanNotDelete where the machine, its disk or its copy are.
    private func keeps(_ lock: ManagementLock, _ machine: BrokenVM) -> Finding? {
        if lock.scope == machine.id.group {
            return remark(
                "The lock “\(lock.name)” on \(shown(lock.scope)) is CanNotDelete: a copy that turns out not to be needed would "
                    + "stay, and salvor cleanup --originals cannot delete the original disk.",
                "Have it removed for the time of the rescue, or delete what is left afterwards.")
        }
        if let disk = machine.osDisk.id, lock.scope == disk || lock.scope == disk.group {
            return remark(
                "The lock “\(lock.name)” on \(shown(lock.scope)) is CanNotDelete: salvor cleanup --originals cannot delete "
                    + "the original disk.")
        }
        return nil
    }

    /// A read-only lock on the network that the rescue VM joins.
    private func network(_ lock: ManagementLock, _ subnet: ResourceID?) -> Finding? {
        guard let subnet, lock.holds(on: subnet) else { return nil }
        return remark(
            "The lock “\(lock.name)” on \(shown(lock.scope)) is ReadOnly: Azure may refuse to let the rescue VM join the "
                + "subnet \(subnet.name).",
            "Have it removed for the time of the rescue, or name another subnet with --subnet.")
    }

    private func shown(_ scope: ResourceID) -> String {
        if scope == .subscription(scope.subscription) { return "the subscription" }
        return scope == scope.group ? "the group \(scope.name)" : scope.name
    }
}
