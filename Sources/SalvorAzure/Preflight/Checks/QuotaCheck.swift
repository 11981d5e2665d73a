internal import SalvorCoordinatorCore

/// Whether the subscription may have the rescue VMs' cores.
struct QuotaCheck: PreflightCheck {
    let name = "quotas"

    func findings(_ subject: PreflightSubject) async throws(AzureError) -> [Finding] {
        let machine = subject.machine
        let wanted = subject.settings.effectiveSize.lowercased()
        async let sizes = Result.of { () throws(AzureError) in
            try await subject.facts.sizes(in: machine.location, subscription: machine.subscription)
        }
        async let usages = Result.of { () throws(AzureError) in
            try await subject.facts.usages(in: machine.location, subscription: machine.subscription)
        }
        let (offers, used) = (try await sizes.get(), try await usages.get())
        // SizeCheck says it where there is no such size.
        guard let size = offers.first(where: { $0.name.lowercased() == wanted }) else { return [] }
        let hosts = subject.settings.hosts
        let needs = [("cores", size.cores * hosts), (size.family, size.cores * hosts), ("virtualMachines", hosts)]
        return needs.compactMap { name, needed in
            guard let usage = used.first(where: { $0.name.lowercased() == name.lowercased() }),
                usage.left < Int64(needed)
            else { return nil }
            let title = usage.title
            return forbid(
                .noSpace,
                "The quota “\(title)” in \(machine.location) has \(max(0, usage.left)) of \(usage.limit) left, and "
                    + "\(hosts == 1 ? "the rescue VM needs" : "\(hosts) rescue VMs need") \(needed).",
                "Ask for more quota, name a smaller size or one of another family with --size, or rescue fewer machines at "
                    + "once.")
        }
    }
}
