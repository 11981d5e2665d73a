internal import SalvorJSON

/// Changes of a machine that there is: of its disks, its size, its tags.
extension VirtualMachines {
    /// - Parameter wanted: members that are to be different; those that are missing stay.
    func change(
        _ known: Record, to wanted: JSONValue, _ call: ResourceCall, verb: String = "update",
        in state: inout EmulatorState
    ) throws(ARMError) -> Answer {
        try Disks.checkIdle(call.id, in: state)
        let wanted = try InlineInterfaces.withoutKnown(wanted, of: known)
        try checkFixed(known, wanted)
        let before = StorageProfile(known.body)
        var record = known
        record.body = known.body.merged(with: changeable(wanted))
        // A new OS disk is named by its id; the old one's name stays behind in what clients send back.
        if let disks = wanted[path: "properties.storageProfile.dataDisks"] {
            record.body[path: "properties.storageProfile.dataDisks"] = .array(
                (disks.array ?? []).filter { $0[member: "toBeDetached"]?.bool != true })
        }
        try check(record, in: state)
        if VMSize.of(record)?.name != VMSize.of(known)?.name { try checkCapacity(for: record, call, in: state) }
        try MachineSecrets.hide(&record)
        try NewDisks(call).prepare(&record, in: &state)
        let after = StorageProfile(record.body)
        if let old = before.osDiskID, let new = after.osDiskID, old.lowercased() != new.lowercased() {
            try OSDiskSwap(machine: known, old: old, new: new).check(in: state)
        }
        MachineIdentity.fill(&record, call)
        let kept = Set(after.diskIDs.map { $0.lowercased() })
        let released = before.diskIDs.filter { !kept.contains($0.lowercased()) }
        for id in after.diskIDs {
            let disk = try DiskOwnership.claim(id, for: record, call.now, in: state)
            DiskOwnership.attach(
                disk, to: call.id, running: known.hidden["power"]?.string != "deallocated", in: &state)
        }
        for id in released { DiskOwnership.beginRelease(id, in: &state) }
        NetworkProfile.release(known, in: &state)
        NetworkProfile.take(record, in: &state)
        record.provisioningState = "Updating"
        state.put(record)
        var input: JSONValue = ["release": .array(released.map { .string($0) })]
        // What is gone back to where a real machine does not take the change.
        if before.body != after.body { input[path: "storageProfile"] = before.body }
        let operation = call.begin(verb, input: input, in: &state)
        return .accepted(200, view(record, call, in: state), operation, Self.update)
    }

    func attachDetach(
        _ known: Record, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> Answer {
        var disks = StorageProfile(known.body).dataDisks
        for wanted in call.body[member: "dataDisksToDetach"]?.array ?? [] {
            guard let id = wanted[member: "diskId"]?.string else {
                throw .requiredParameter("dataDisksToDetach.diskId")
            }
            guard let index = disks.firstIndex(where: { Self.diskID($0) == id.lowercased() }) else {
                throw .invalidParameter(
                    "dataDisksToDetach.diskId", "Disk '\(printable(id))' is not attached to VM '\(call.id.name)'.")
            }
            disks.remove(at: index)
        }
        for wanted in call.body[member: "dataDisksToAttach"]?.array ?? [] {
            guard let id = wanted[member: "diskId"]?.string else {
                throw .requiredParameter("dataDisksToAttach.diskId")
            }
            if let present = disks.first(where: { Self.diskID($0) == id.lowercased() }) {
                guard wanted[member: "lun"]?.integer ?? present["lun"]?.integer == present["lun"]?.integer else {
                    throw .changed("dataDisk.lun")
                }
                continue
            }
            let used = Set(disks.compactMap { $0[member: "lun"]?.integer })
            let lun = wanted[member: "lun"]?.integer ?? (0...63).first { !used.contains($0) } ?? 64
            var disk: JSONValue = [
                "lun": .integer(lun), "createOption": "Attach", "managedDisk": ["id": .string(id)],
                "name": .string(ResourceID(id)?.name ?? ""),
            ]
            disk[path: "caching"] = wanted[member: "caching"] ?? "None"
            disk[path: "deleteOption"] = wanted[member: "deleteOption"]
            disks.append(disk)
        }
        let change: JSONValue = ["properties": ["storageProfile": ["dataDisks": .array(disks)]]]
        let answer = try self.change(known, to: change, call, verb: "attachdetach", in: &state)
        guard case .accepted(_, _, let operation, _) = answer else { return answer }
        return .accepted(202, StorageProfile(state[call.id]?.body ?? [:]).body, operation, Self.action)
    }

    private static func diskID(_ disk: JSONValue) -> String { disk[path: "managedDisk.id"]?.string?.lowercased() ?? "" }

    // MARK: What cannot be changed

    /// - Throws: `PropertyChangeNotAllowed` for what a machine keeps as long as it lives.
    private func checkFixed(_ known: Record, _ wanted: JSONValue) throws(ARMError) {
        let fixed = [
            "location", "properties.storageProfile.osDisk.createOption", "properties.storageProfile.osDisk.osType",
            "properties.osProfile.computerName", "properties.osProfile.adminUsername",
            "properties.availabilitySet.id", "properties.securityProfile.securityType",
        ]
        for path in fixed {
            guard let asked = Self.member(wanted, path)?.string else { continue }
            let name = path.split(separator: ".").suffix(2).joined(separator: ".")
            let was = Self.member(known.body, path)?.string ?? ""
            guard Self.same(asked, was, path) else { throw .changed(name) }
        }
        if let zones = wanted[member: "zones"]?.array, zones != known.body["zones"]?.array ?? [] {
            throw .changed("zones")
        }
    }

    private static func same(_ one: String, _ other: String, _ path: String) -> Bool {
        func plain(_ text: String) -> String {
            path == "location" ? text.lowercased().filter { $0 != " " } : text.lowercased()
        }
        return plain(one) == plain(other)
    }

    private static func member(_ json: JSONValue, _ path: String) -> JSONValue? {
        path.split(separator: ".").reduce(Optional(json)) { value, name in value?[member: String(name)] }
    }

    /// What a client may say, without what Azure alone decides and clients send back as they got it.
    private func changeable(_ wanted: JSONValue) -> JSONValue {
        var wanted = wanted
        for name in ["id", "name", "type", "etag", "location", "resources"] { wanted[path: name] = nil }
        for name in ["provisioningState", "vmId", "timeCreated", "instanceView"] {
            if wanted["properties"]?[name] != nil { wanted[path: "properties.\(name)"] = nil }
        }
        if wanted[path: "identity.principalId"] != nil { wanted[path: "identity.principalId"] = nil }
        if wanted[path: "identity.tenantId"] != nil { wanted[path: "identity.tenantId"] = nil }
        return wanted
    }
}
