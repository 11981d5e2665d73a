import SalvorCoordinatorCore

/// Every call of a rescue that changes something. Held to what a rescue does by a test that makes both.
struct PlannedCalls: Sendable {
    /// What only the run decides, in a name.
    private static let open = "…"

    let rescue: PlannedRescue
    let machines: [BrokenVM]
    let uploads: [PlannedUpload]
    let configuration: AzureConfiguration

    var all: [PlannedChange] {
        uploads.flatMap(upload) + (rescue.stopsFirst ? machines.compactMap(stop) : []) + machines.map(copy)
            + rescue.hosts.enumerated().flatMap { start($0.element, number: $0.offset + 1) }
            + rescue.hosts.enumerated().flatMap { end($0.element, number: $0.offset + 1) }
            + machines.flatMap { rescue.command == .rescue ? bringBack($0) : [deleteCopy($0, 1...1)] }
    }

    private func upload(_ upload: PlannedUpload) -> [PlannedChange] {
        let making = upload.isBegun ? 0...1 : 1...1
        let pages = max(1, Int((upload.bytes + (4 << 20) - 1) / (4 << 20)))
        return [
            PlannedChange("PUT", upload.disk.group.text, "the group of rescue images", making),
            PlannedChange("PUT", upload.disk.text, "the rescue image, made once for each region and zone", making),
            PlannedChange("POST", "\(upload.disk)/beginGetAccess", "allow its upload"),
            PlannedChange("PUT", "page blob of \(upload.disk.name)", "its pages that are not empty", 1...pages),
            PlannedChange("POST", "\(upload.disk)/endGetAccess", "end the upload"),
        ]
    }

    /// - Returns: nil for a machine that stands still.
    private func stop(_ machine: BrokenVM) -> PlannedChange? {
        let power = machine.view.power
        let isDeallocating = configuration.stopStyle == .deallocate
        if power == .deallocated || (power == .stopped && !isDeallocating) { return nil }
        return PlannedChange(
            "POST", "\(machine.id)/\(isDeallocating ? "deallocate" : "powerOff")",
            rescue.stopsFirst ? "stop it before its disk is copied" : "stop it before the swap",
            isCertain(power) ? 1...1 : 0...1)
    }

    private func isCertain(_ power: InstanceView.Power) -> Bool {
        // One that does not boot may stop by itself, and one that is repaired in vain is not stopped.
        power == .running || power == .stopped
    }

    private func copy(_ machine: BrokenVM) -> PlannedChange {
        PlannedChange("PUT", copyID(machine), "copy the OS disk of \(machine.name)")
    }

    private func copyID(_ machine: BrokenVM) -> String {
        guard let disk = machine.osDisk.id else { return Self.open }
        // The digest at its end has the run in it.
        let name = AzureNames.copy(CopyName(run: "", machine: ""), original: disk.name).dropLast(12)
        return disk.group.appending("Microsoft.Compute/disks", "\(name)\(Self.open)").text
    }

    private func start(_ served: [Machine], number: Int) -> [PlannedChange] {
        [
            PlannedChange(
                "PUT",
                "/subscriptions/\(configuration.subscription)/providers/Microsoft.Resources/deployments/"
                    + "salvor-\(Self.open)-\(number)",
                "one deployment: the rescue group, the rescue VM for \(served.count) machine(s), and its interface"),
            attachDetach(served, number, "attach the copies", 1...served.count),
        ]
    }

    private func end(_ served: [Machine], number: Int) -> [PlannedChange] {
        var changes: [PlannedChange] = []
        // The last copy comes off with its rescue VM, unless it is done at the same moment as the one before.
        if rescue.command == .scan || served.count > 1 {
            changes.append(attachDetach(served, number, "detach the copies that are done", 1...served.count))
        }
        // Whichever of them ends last takes the group with it.
        let neighbours = rescue.hosts.filter { location(of: $0) == location(of: served) }
        if neighbours.count > 1 {
            changes.append(PlannedChange("DELETE", host(served, number).text, "the rescue VM", 0...2))
        }
        if !rescue.hosts.dropFirst(number).contains(where: { location(of: $0) == location(of: served) }) {
            changes.append(PlannedChange("DELETE", group(served).text, "the rescue group, with all that is in it"))
        }
        return changes
    }

    private func attachDetach(
        _ served: [Machine], _ number: Int, _ purpose: String, _ times: ClosedRange<Int>
    ) -> PlannedChange {
        PlannedChange("POST", "\(host(served, number))/attachDetachDataDisks", purpose, times)
    }

    private func group(_ served: [Machine]) -> ResourceID {
        .group("salvor-\(Self.open)-\(location(of: served))", subscription: configuration.subscription)
    }

    private func host(_ served: [Machine], _ number: Int) -> ResourceID {
        group(served).appending("Microsoft.Compute/virtualMachines", "salvor-rescue-\(number)")
    }

    private func location(of served: [Machine]) -> String {
        served.first.map { Placement($0.placement).location } ?? ""
    }

    /// What is done only where there is something to repair may not be done at all.
    private func bringBack(_ machine: BrokenVM) -> [PlannedChange] {
        var changes = [deleteCopy(machine, 0...1)]
        if !rescue.stopsFirst, var stop = stop(machine) {
            stop.least = 0
            changes.append(stop)
        }
        changes += [
            PlannedChange("PATCH", machine.id.text, "make the repaired copy the OS disk of \(machine.name)", 0...1),
            PlannedChange("POST", "\(machine.id)/start", "start it, and watch it boot", 0...1),
        ]
        return changes
    }

    private func deleteCopy(_ machine: BrokenVM, _ times: ClosedRange<Int>) -> PlannedChange {
        PlannedChange(
            "DELETE", copyID(machine),
            rescue.command == .scan
                ? "the copy, when it has been looked at" : "the copy, where there is nothing to repair", times)
    }
}
