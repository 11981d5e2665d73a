import FoundationEssentials
package import SalvorCoordinatorCore
package import SalvorDigest
import SalvorJSON

extension AzureProvider {
    private static let hostLimit = Duration.seconds(1200)
    /// A few calls; a throttled subscription has them wait for some minutes.
    private static let retireLimit = Duration.seconds(600)

    package func createHost(_ specification: HostSpecification) async throws(ProviderError) -> RescueHost {
        let arm = arm.within(Self.hostLimit)
        return try await providing { () throws(AzureError) in
            let plan = try await plan(specification, arm)
            hosts.joined(specification.name, plan.group)
            // One that is there was made by this run: its name says so, and it is kept.
            if let found = try await arm.find("\(plan.machine)", .compute),
                found["properties"]?["provisioningState"]?.string?.lowercased() == "succeeded"
            {
                return try await host(plan, arm)
            }
            _ = try await arm.put(
                "/subscriptions/\(configuration.subscription)/providers/Microsoft.Resources/deployments/"
                    + AzureNames.deployment(specification.name),
                .resources, plan.deployment(secret: try secret(specification)))
            return try await host(plan, arm)
        }
    }

    private func host(_ plan: HostTemplate, _ arm: ARMClient) async throws(AzureError) -> RescueHost {
        var details = ["size": plan.size, "location": plan.location, "subnet": plan.subnet.text]
        details["zone"] = plan.zone
        return RescueHost(
            name: plan.name, identifier: plan.machine.text, imageDigest: configuration.image?.digest, details: details,
            listenAddress: try await listenAddress(of: plan.machine, arm))
    }

    /// What the rescue VM is told, base64.
    private func secret(_ specification: HostSpecification) throws(AzureError) -> String {
        guard case .stock(_, let url, let digest, let unit)? = configuration.image else {
            return Data(specification.bootstrap).base64EncodedString()
        }
        return try CloudInit(agentURL: url, agentSHA256: digest, unit: unit, bootstrap: specification.bootstrap)
            .customData()
    }

    private func plan(_ specification: HostSpecification, _ arm: ARMClient) async throws(AzureError) -> HostTemplate {
        guard let first = specification.machines.first, let id = ResourceID(first.definition) else {
            throw AzureError(.failed, "A rescue VM for no machine was asked for.", nextStep: "Report this.")
        }
        let place = Placement(first.placement)
        async let machine = Result.of { [inventory] () throws(AzureError) in try await inventory.machine(id) }
        let source: HostTemplate.Source
        if case .stock(let image, _, _, _)? = configuration.image {
            source = .stock(image)
        } else {
            source = .disk(try await rescueImage(for: place, arm))
        }
        var subnet = settings.subnet
        if subnet == nil { subnet = try await inventory.subnet(of: try await machine.get()) }
        guard let subnet else {
            throw AzureError(
                .badSetting, "\(id.name) has no network interface, so that it is not known where a rescue VM can be.",
                nextStep: "Name a subnet with --subnet.")
        }
        return HostTemplate(
            name: specification.name, machineName: machineName(specification.name), location: place.location,
            zone: place.zone,
            group: rescueGroup(run: specification.name.run, location: place.location), source: source, subnet: subnet,
            size: configuration.size ?? RescueSize.smallest(for: specification.machines.count).name,
            tags: hostTags(specification.name))
    }

    private func machineName(_ name: HostName) -> String { configuration.rescueVMName ?? AzureNames.host(name) }

    private func hostTags(_ name: HostName) -> JSONValue {
        guard case .object(var tags) = tags(run: name.run, role: "rescue-host") else { return [:] }
        tags[AzureNames.hostTag] = .string("\(name.number)")
        return .object(tags)
    }

    private func rescueGroup(run: String, location: String) -> ResourceID {
        .group(AzureNames.rescueGroup(run: run, location: location), subscription: configuration.subscription)
    }

    package func attach(_ copy: RepairCopy, to host: RescueHost) async throws(ProviderError) -> DiskAddress {
        let disk = try Self.id(copy.disk)
        let shelf = try shelf(of: host)
        return try await providing { () throws(AzureError) in
            .lun(UInt32(clamping: try await shelf.attach(disk)))
        }
    }

    package func detach(_ copy: RepairCopy, from host: RescueHost) async throws(ProviderError) {
        let disk = try Self.id(copy.disk)
        let shelf = try shelf(of: host)
        let arm = arm.within(.seconds(900))
        try await providing { () throws(AzureError) in
            guard let machine = ResourceID(host.identifier) else { return }
            // A rescue VM that is going lets go of its disks by itself, also where Azure does not show yet that it goes.
            // One that was told and has not let go yet gets time.
            var turnsToWait = hosts.isLeaving(host.name, machine.group) ? Self.turnsForLeaver : 0
            while let owner = try await arm.find("\(disk)", .disks)?["managedBy"]?.string, ResourceID(owner) == machine
            {
                let state = try await arm.find("\(machine)", .compute)?["properties"]?["provisioningState"]?.string
                if let state, state.lowercased() != "deleting", turnsToWait == 0 {
                    try await shelf.detach(disk)
                    turnsToWait = 1
                } else {
                    try await arm.pause(.seconds(4), before: ARMCall("GET", disk.text, .disks))
                    turnsToWait = max(0, turnsToWait - 1)
                }
            }
        }
    }

    /// Three minutes, in pauses of four seconds.
    private static let turnsForLeaver = 45

    private func shelf(of host: RescueHost) throws(ProviderError) -> DiskShelf {
        guard let id = ResourceID(host.identifier) else {
            throw ProviderError(
                .failed, "“\(host.identifier)” is no resource id of a rescue VM.", nextStep: "Resume the run.")
        }
        return hosts.shelf(of: id) { DiskShelf(of: id, arm: arm, gathering: configuration.gathering) }
    }

    package func retireHost(named name: HostName) async throws(ProviderError) {
        let arm = arm.within(Self.retireLimit)
        try await providing { () throws(AzureError) in _ = try await beginDeleting(name, arm) }
    }

    package func deleteHost(named name: HostName) async throws(ProviderError) {
        let arm = arm.within(.seconds(1800))
        try await providing { () throws(AzureError) in
            for deletion in try await beginDeleting(name, arm) {
                switch deletion {
                case .begun(let operation): _ = try await arm.finish(operation)
                case .going(let group): try await arm.waitUntilGone("\(group)", .resources)
                }
            }
        }
    }

    /// Begins to delete what was made for a host: its machine, or the whole group where it is the last one in it.
    private func beginDeleting(_ name: HostName, _ arm: ARMClient) async throws(AzureError) -> [Deletion] {
        var deletions: [Deletion] = []
        for group in try await rescueGroups(ofRun: name.run, arm) {
            guard let id = group["id"]?.string.flatMap({ ResourceID($0) }) else { continue }
            let machine = id.appending("Microsoft.Compute/virtualMachines", machineName(name))
            if group["properties"]?["provisioningState"]?.string?.lowercased() == "deleting" {
                deletions.append(.going(id))
                continue
            }
            // One that is going counts no more, as Azure shows it or as we know before it does: hosts that end together
            // would each leave the group to the other.
            let leavers = hosts.left(name, id)
            let machines = try await arm.list("\(id)/providers/Microsoft.Compute/virtualMachines", .compute)
            let going = Set((leavers ?? []).map { id.appending("Microsoft.Compute/virtualMachines", machineName($0)) })
            let others = machines.contains { other in
                guard other["properties"]?["provisioningState"]?.string?.lowercased() != "deleting" else {
                    return false
                }
                return other["id"]?.string.flatMap { ResourceID($0) }.map { !going.contains($0) } ?? true
            }
            if leavers != nil, !others {
                deletions.append(
                    .begun(
                        try await arm.begin(
                            ARMCall(
                                "DELETE", id.text, .resources,
                                query: ["forceDeletionTypes": "Microsoft.Compute/virtualMachines"]))))
            } else {
                deletions.append(try await beginDeleting(machine, in: id, arm))
            }
        }
        return deletions
    }

    private func beginDeleting(
        _ machine: ResourceID, in group: ResourceID, _ arm: ARMClient
    ) async throws(AzureError) -> Deletion {
        do throws(AzureError) {
            return .begun(
                try await arm.begin(
                    ARMCall("DELETE", machine.text, .compute, query: ["forceDeletion": "true"])))
        } catch {
            // Another host that left at the same time has taken the group with it.
            guard error.refusal?.code == "ResourceGroupBeingDeleted" else { throw error }
            return .going(group)
        }
    }

    private enum Deletion {
        case begun(ARMOperation)
        /// A group whose deletion was begun before.
        case going(ResourceID)
    }

    /// Those that this run made. A group is deleted with all that is in it, so that a tag alone is not enough: anybody
    /// can put one on a group of theirs.
    private func rescueGroups(ofRun run: String, _ arm: ARMClient) async throws(AzureError) -> [JSONValue] {
        let beginning = AzureNames.rescueGroup(run: run, location: "").lowercased()
        return try await arm.list(
            "/subscriptions/\(configuration.subscription)/resourcegroups", .resources,
            query: ["$filter": "tagName eq '\(RunTag.run)' and tagValue eq '\(run)'"]
        ).filter { $0["name"]?.string?.lowercased().hasPrefix(beginning) == true }
    }

    package func resources(ofRun run: String) async throws(ProviderError) -> [ProviderResource] {
        let arm = arm.within(.seconds(300))
        return try await providing { () throws(AzureError) in
            var found: [ProviderResource] = []
            for resource in try await resources(ofRun: run, arm) {
                guard let id = resource["id"]?.string else { continue }
                let isCopy = resource["tags"]?[AzureNames.roleTag]?.string == "repair-copy"
                found.append(ProviderResource(kind: isCopy ? .repairCopy : .rescueHost, identifier: id))
            }
            for group in try await rescueGroups(ofRun: run, arm) {
                if let id = group["id"]?.string { found.append(ProviderResource(kind: .rescueHost, identifier: id)) }
            }
            return found
        }
    }
}

/// Region and zone, as ``Machine/placement`` has them: `westeurope`, `westeurope/2`.
struct Placement: Hashable, Sendable {
    var location: String
    var zone: String?

    init(location: String, zone: String?) {
        self.location = location
        self.zone = zone
    }

    init(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1)
        location = parts.first.map(String.init) ?? ""
        zone = parts.count > 1 ? String(parts[1]) : nil
    }

    var text: String { zone.map { "\(location)/\($0)" } ?? location }
}

extension AzureConfiguration.RescueImage {
    package var digest: Digest {
        switch self {
        case .vhd(_, let digest): digest
        case .stock(_, _, let agentSHA256, _): agentSHA256
        }
    }
}
