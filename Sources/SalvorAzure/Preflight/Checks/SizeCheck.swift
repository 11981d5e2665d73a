internal import SalvorCoordinatorCore

/// Whether the rescue VM's size is to be had there, and takes the copies.
struct SizeCheck: PreflightCheck {
    let name = "sizes"

    func findings(_ subject: PreflightSubject) async throws(AzureError) -> [Finding] {
        let machine = subject.machine
        let wanted = subject.settings.effectiveSize
        let sizes = try await subject.facts.sizes(in: machine.location, subscription: machine.subscription)
        guard let size = sizes.first(where: { $0.name.lowercased() == wanted.lowercased() }) else {
            return [
                forbid(
                    .unsupported, "There is no size \(wanted) in \(machine.location).",
                    "Name another with --size\(alternative(subject, sizes)).")
            ]
        }
        return restrictions(of: size, subject, sizes) + fitness(of: size, subject)
    }

    private func restrictions(
        of size: SizeOffer, _ subject: PreflightSubject, _ sizes: [SizeOffer]
    ) -> [Finding] {
        let machine = subject.machine
        guard let restriction = size.restrictions.first(where: { Self.holds($0, for: machine) }) else { return [] }
        let place =
            restriction.type.lowercased() == "zone"
            ? "zone \(machine.zones.joined(separator: ", ")) of \(machine.location)" : machine.location
        return [
            forbid(
                .unsupported, "This subscription cannot have the size \(size.name) in \(place): \(restriction.reason).",
                "Name another with --size\(alternative(subject, sizes)).")
        ]
    }

    private static func holds(_ restriction: SizeOffer.Restriction, for machine: BrokenVM) -> Bool {
        restriction.type.lowercased() != "zone" || machine.zones.contains { restriction.zones.contains($0) }
    }

    private func fitness(of size: SizeOffer, _ subject: PreflightSubject) -> [Finding] {
        let machine = subject.machine
        let copies = subject.settings.copiesPerHost
        var findings: [Finding] = []
        if size.maxDataDisks < copies {
            findings.append(
                forbid(
                    .unsupported,
                    "The size \(size.name) takes \(size.maxDataDisks) data disks, and a rescue VM is to get \(copies) copies.",
                    "Name \(RescueSize.smallest(for: copies).name) with --size, or fewer copies for each rescue VM."))
        }
        if machine.disk?.sku.lowercased().hasPrefix("premium") == true, !size.hasPremiumDisks {
            findings.append(
                forbid(
                    .unsupported,
                    "The OS disk of \(machine.name) is \(machine.disk?.sku ?? ""), and the size \(size.name) takes no Premium "
                        + "disks.", "Name a size with Premium storage with --size: those with an s in their name."))
        }
        // As the rescue VM's disk is made.
        if !size.boots("V2") {
            findings.append(
                forbid(
                    .unsupported, "The size \(size.name) boots no machines of generation 2.",
                    "Name another with --size."))
        }
        if !size.isX64 {
            findings.append(
                forbid(
                    .unsupported, "The size \(size.name) is not x64, and the rescue image is.",
                    "Name another with --size."))
        }
        if !machine.zones.isEmpty, !size.zones.isEmpty, !machine.zones.contains(where: size.zones.contains) {
            findings.append(
                forbid(
                    .unsupported,
                    "The size \(size.name) is in the zones \(size.zones.joined(separator: ", ")) of \(machine.location), and "
                        + "\(machine.name) in \(machine.zones.joined(separator: ", ")).", "Name another with --size."))
        }
        return findings
    }

    /// Of Salvor's own sizes, one that is to be had.
    private func alternative(_ subject: PreflightSubject, _ sizes: [SizeOffer]) -> String {
        let found = RescueSize.all.first { candidate in
            guard candidate.maxDataDisks >= subject.settings.copiesPerHost,
                let offer = sizes.first(where: { $0.name.lowercased() == candidate.name.lowercased() })
            else { return false }
            return !offer.restrictions.contains { Self.holds($0, for: subject.machine) }
        }
        return found.map { ": \($0.name) is to be had" } ?? ""
    }
}
