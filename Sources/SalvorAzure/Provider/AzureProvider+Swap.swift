package import SalvorCoordinatorCore
import SalvorJSON

extension AzureProvider {
    private static let swapLimit = Duration.seconds(900)

    package func stop(_ machine: Machine) async throws(ProviderError) {
        let id = try Self.id(machine)
        try await providing { () throws(AzureError) in try await stop(id, arm.within(Self.swapLimit)) }
    }

    /// Powers a running machine off. No system is there to be shut down in order: it does not boot.
    private func stop(_ id: ResourceID, _ arm: ARMClient) async throws(AzureError) {
        let power = InstanceView(try await arm.get("\(id)/instanceView", .compute)).power
        switch (power, configuration.stopStyle) {
        case (.deallocated, _), (.stopped, .powerOff): return
        case (_, .deallocate): try await arm.post("\(id)/deallocate", .compute)
        case (_, .powerOff): try await arm.post("\(id)/powerOff", .compute, query: ["skipShutdown": "true"])
        }
        let after = InstanceView(try await arm.get("\(id)/instanceView", .compute)).power
        guard after == .stopped || after == .deallocated else {
            throw AzureError(
                .operationFailed, "\(id.name) was to be stopped and is \(after.rawValue).",
                nextStep: "Stop it in the portal, then resume the run. Its disk is as it was.")
        }
    }

    package func swap(_ machine: Machine, to copy: RepairCopy) async throws(ProviderError) -> Swap {
        let swap = Swap(machine: machine.name, original: machine.osDisk, repaired: copy.disk)
        let id = try Self.id(machine)
        let original = try Self.id(machine.osDisk)
        let repaired = try Self.id(copy.disk)
        try await providing { () throws(AzureError) in
            try await setDisk(of: id, from: original, to: repaired, arm.within(Self.swapLimit))
        }
        return swap
    }

    package func swapBack(_ swap: Swap) async throws(ProviderError) {
        let original = try Self.id(swap.original)
        let repaired = try Self.id(swap.repaired)
        let id = try await machineID(of: swap)
        let arm = arm.within(Self.swapLimit)
        try await providing { () throws(AzureError) in
            if try await OSDiskState(arm.get("\(id)", .compute), of: id).disk == original { return }
            // Before the machine is stopped for nothing.
            guard try await arm.find("\(original)", .disks) != nil else {
                throw AzureError(
                    .conflict,
                    "The original disk \(original) of \(swap.machine) is gone. The machine was left as it is.",
                    nextStep: "Restore the machine from a backup, if it is to be as it was.")
            }
            try await stop(id, arm)
            try await setDisk(of: id, from: repaired, to: original, arm)
        }
    }

    /// A swap names its machine as the run does; where it is follows from the disks.
    private func machineID(of swap: Swap) async throws(ProviderError) -> ResourceID {
        let disks = [try Self.id(swap.repaired), try Self.id(swap.original)]
        let arm = arm.within(.seconds(120))
        let owner = try await providing { () throws(AzureError) -> ResourceID? in
            for disk in disks {
                if let owner = try await arm.find("\(disk)", .disks)?["managedBy"]?.string, let id = ResourceID(owner) {
                    return id
                }
            }
            return nil
        }
        if let owner { return owner }
        return try Self.id(try await machine(named: swap.machine))
    }

    /// Gives a stopped machine another OS disk, everything else as it was, and looks whether it is so.
    private func setDisk(
        of id: ResourceID, from old: ResourceID, to new: ResourceID, _ arm: ARMClient
    ) async throws(AzureError) {
        let before = try await OSDiskState(arm.get("\(id)", .compute), of: id)
        if before.disk == new, !before.hasFailed { return }
        guard before.disk == old || before.disk == new else {
            throw AzureError(
                .conflict,
                "\(id.name) has the OS disk \(before.disk), which is neither \(old) nor \(new). It was left as it is.",
                nextStep: "Find out who changed it, then resume the run or roll it back.")
        }
        do throws(AzureError) {
            _ = try await arm.change(
                ARMCall("PATCH", "\(id)", .compute, body: before.body(with: new), ifMatch: before.etag))
        } catch {
            // What Azure refused may have been done by an earlier call whose answer was lost.
            let now = try await settled(id, arm)
            guard now.disk == new, !now.hasFailed else { throw error }
        }
        let after = try await settled(id, arm)
        guard after.disk == new else {
            throw AzureError(
                .operationFailed, "\(id.name) was to have the OS disk \(new) and has \(after.disk).",
                nextStep: "Resume the run, or roll it back.")
        }
        let changed = before.differences(from: after)
        guard changed.isEmpty else {
            throw AzureError(
                .operationFailed,
                "\(id.name) has the OS disk \(new) now, and the swap changed more than that: \(changed.joined(separator: ", ")).",
                nextStep: "Roll the run back, and report this.")
        }
    }

    /// The machine once no change of it is under way: until then it shows a disk that it may not get.
    private func settled(_ id: ResourceID, _ arm: ARMClient) async throws(AzureError) -> OSDiskState {
        while true {
            let machine = try await arm.get("\(id)", .compute)
            guard machine["properties"]?["provisioningState"]?.string?.lowercased() == "updating" else {
                return try OSDiskState(machine, of: id)
            }
            try await arm.pause(.seconds(4), before: ARMCall("GET", id.text, .compute))
        }
    }
}

/// A machine's OS disk as it stands, and what a swap must leave alone.
struct OSDiskState: Sendable {
    let disk: ResourceID
    let etag: String?
    /// Its last change came to no good end: what it shows is what it was to be, and may not be what it is.
    let hasFailed: Bool
    private let profile: JSONValue
    private let machine: JSONValue

    init(_ machine: JSONValue, of id: ResourceID) throws(AzureError) {
        let profile = machine["properties"]?["storageProfile"]?["osDisk"] ?? .null
        guard let disk = profile["managedDisk"]?["id"]?.string.flatMap({ ResourceID($0) }) else {
            throw AzureError(
                .badAnswer, "Azure does not say which OS disk \(id.name) has.",
                nextStep: "Look at the machine in the portal.")
        }
        self.disk = disk
        self.machine = machine
        self.profile = profile
        etag = machine["etag"]?.string
        hasFailed = machine["properties"]?["provisioningState"]?.string?.lowercased() == "failed"
    }

    /// The whole OS disk as it was, another disk and its name in it.
    func body(with new: ResourceID) -> JSONValue {
        var disk = members(profile)
        var managed = members(disk["managedDisk"] ?? [:])
        managed["id"] = .string(new.text)
        disk["managedDisk"] = .object(managed)
        disk["name"] = .string(new.name)
        // It follows from the disk, and may not be said again.
        disk["diskSizeGB"] = nil
        return ["properties": ["storageProfile": ["osDisk": .object(disk)]]]
    }

    /// The names of what differs beside the disk itself.
    func differences(from other: OSDiskState) -> [String] {
        let mine = settings
        let theirs = other.settings
        return Set(mine.keys).union(theirs.keys).filter { mine[$0] != theirs[$0] }.sorted()
    }

    private var settings: [String: JSONValue] {
        var settings: [String: JSONValue] = [:]
        for key in [
            "hardwareProfile", "networkProfile", "securityProfile", "osProfile", "diagnosticsProfile", "licenseType",
        ] {
            settings[key] = machine["properties"]?[key]
        }
        for key in ["zones", "plan", "tags", "identity", "location"] { settings[key] = machine[key] }
        for (key, value) in members(profile) where !["name", "managedDisk", "diskSizeGB"].contains(key) {
            settings["osDisk.\(key)"] = value
        }
        settings["dataDisks"] = machine["properties"]?["storageProfile"]?["dataDisks"]
        return settings
    }

    private func members(_ value: JSONValue) -> [String: JSONValue] {
        if case .object(let members) = value { members } else { [:] }
    }
}
