package import SalvorJSON

/// Virtual machines: their disks and their power.
package struct VirtualMachines: ResourceKind {
    package let type = "Microsoft.Compute/virtualMachines"
    private static let update = Answer.Links.asyncOperation(segment: "operations")
    private static let action = Answer.Links.both(segment: "operations")

    package init() {}

    // MARK: Requests

    package func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try ResourceName.check(call.id.name, of: "vmName", longest: 64, others: "-_.", lastMayNotBe: ".-")
        if let known = state[call.id] { return try change(known, to: call.body, call, in: &state) }
        let location = try call.location()
        var record = Record(id: call.id, body: call.body)
        record.body[path: "location"] = .string(location)
        try checkShape(of: record, in: state)
        try prepareNewDisks(&record, call, in: &state)
        let profile = StorageProfile(record.body)
        for id in profile.diskIDs {
            DiskOwnership.attach(
                try DiskOwnership.claim(id, for: call.id, in: state), to: call.id, running: true, in: &state)
        }
        record.body[path: "properties.vmId"] = .string(call.makeID())
        record.body[path: "properties.timeCreated"] = .string(call.now.text)
        record.body[path: "properties.osProfile.adminPassword"] = nil
        record.provisioningState = "Creating"
        record.hidden[path: "power"] = "starting"
        for id in interfaceIDs(record.body) { try Self.own(id, by: call.id, in: &state) }
        state.put(record)
        return .accepted(201, record.json, call.begin("create", in: &state), Self.update)
    }

    package func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        let known = try state.require(call.id)
        return try change(known, to: known.body.merged(with: call.body), call, in: &state)
    }

    package func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard var record = state[call.id] else { return .done(204, nil) }
        try Disks.checkIdle(call.id, in: state)
        record.provisioningState = "Deleting"
        state.put(record)
        return .accepted(202, nil, call.begin("delete", in: &state), Self.action)
    }

    package func act(
        _ action: String, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> Answer? {
        let record = try state.require(call.id)
        switch action.lowercased() {
        case "start", "poweroff", "deallocate", "restart":
            try Disks.checkIdle(call.id, in: state)
            let power = record.hidden["power"]?.string ?? ""
            if action.lowercased() == "restart", power != "running" {
                throw ARMError(
                    409, "OperationNotAllowed", "The VM '\(call.id.name)' is not running and cannot be restarted.")
            }
            return .accepted(202, nil, call.begin(action.lowercased(), in: &state), Self.action)
        case "attachdetachdatadisks":
            return try attachDetach(record, call, in: &state)
        case "retrievebootdiagnosticsdata":
            return .done(200, ["serialConsoleLogBlobUri": .null, "consoleScreenshotBlobUri": .null])
        default: return nil
        }
    }

    package func read(
        _ child: String, _ record: Record, _ call: ResourceCall, in state: EmulatorState
    ) throws(ARMError) -> JSONValue? {
        child.lowercased() == "instanceview" ? instanceView(record, call.now) : nil
    }

    package func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue {
        var json = record.json
        if call.query["$expand"]?.lowercased() == "instanceview" {
            json[path: "properties.instanceView"] = instanceView(record, call.now)
        }
        return json
    }

    // MARK: Effects

    package func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion {
        guard var record = state[operation.target] else { throw .resourceNotFound(operation.target) }
        switch operation.verb {
        case "delete":
            remove(record, in: &state)
            return .done(nil)
        case "create":
            record.provisioningState = "Succeeded"
            setPower("running", of: &record, in: &state)
        case "update":
            record.provisioningState = "Succeeded"
            // What was to be detached is only gone now.
            for id in operation.input["release"]?.array ?? [] {
                if let id = id.string { DiskOwnership.release(id, in: &state) }
            }
            let isRunning = record.hidden["power"]?.string != "deallocated"
            for id in StorageProfile(record.body).diskIDs {
                if let id = ResourceID(id), let disk = state[id] {
                    DiskOwnership.attach(disk, to: record.id, running: isRunning, in: &state)
                }
            }
        case "start", "restart": setPower("running", of: &record, in: &state)
        case "poweroff": setPower("stopped", of: &record, in: &state)
        case "deallocate": setPower("deallocated", of: &record, in: &state)
        default: break
        }
        state.put(record)
        // Power has no output; what changes the machine shows it.
        return .done(["create", "update"].contains(operation.verb) ? record.json : nil)
    }

    private func setPower(_ power: String, of record: inout Record, in state: inout EmulatorState) {
        record.hidden[path: "power"] = .string(power)
        for id in StorageProfile(record.body).diskIDs {
            guard let id = ResourceID(id), var disk = state[id] else { continue }
            disk.body[path: "properties.diskState"] = power == "deallocated" ? "Reserved" : "Attached"
            state.put(disk)
        }
    }

    private func remove(_ record: Record, in state: inout EmulatorState) {
        let profile = StorageProfile(record.body)
        for id in profile.diskIDs { DiskOwnership.release(id, in: &state) }
        let goingWith =
            ([profile.body[path: "osDisk"]].compactMap { $0 } + profile.dataDisks).filter {
                $0[member: "deleteOption"]?.string?.lowercased() == "delete"
            }.compactMap { $0[path: "managedDisk.id"]?.string }
        for id in goingWith { if let id = ResourceID(id) { state.remove(id) } }
        for id in interfaceIDs(record.body) {
            guard let id = ResourceID(id), var interface = state[id] else { continue }
            interface.body[path: "properties.virtualMachine"] = nil
            state.put(interface)
        }
        state.remove(record.id)
    }

    // MARK: Changes

    /// A change of the machine: of its disks, its size, its tags.
    private func change(
        _ known: Record, to wanted: JSONValue, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> Answer {
        try Disks.checkIdle(call.id, in: state)
        let before = StorageProfile(known.body)
        var record = known
        record.body = known.body.merged(with: wanted)
        if let disks = wanted[path: "properties.storageProfile.dataDisks"] {
            record.body[path: "properties.storageProfile.dataDisks"] = .array(
                (disks.array ?? []).filter { $0[member: "toBeDetached"]?.bool != true })
        }
        try checkShape(of: record, in: state)
        if let option = StorageProfile(wanted).createOption, let was = before.createOption,
            option.lowercased() != was.lowercased()
        {
            throw .changed("osDisk.createOption")
        }
        try prepareNewDisks(&record, call, in: &state)
        let after = StorageProfile(record.body)
        if let old = before.osDiskID, let new = after.osDiskID, old.lowercased() != new.lowercased() {
            try checkSwap(known, from: old, to: new, in: state)
        }
        for id in after.diskIDs { _ = try DiskOwnership.claim(id, for: call.id, in: state) }
        let kept = Set(after.diskIDs.map { $0.lowercased() })
        let released = before.diskIDs.filter { !kept.contains($0.lowercased()) }
        for id in after.diskIDs {
            let disk = try DiskOwnership.claim(id, for: call.id, in: state)
            DiskOwnership.attach(
                disk, to: call.id, running: known.hidden["power"]?.string != "deallocated", in: &state)
        }
        record.provisioningState = "Updating"
        state.put(record)
        let operation = call.begin("update", input: ["release": .array(released.map { .string($0) })], in: &state)
        return .accepted(200, record.json, operation, Self.update)
    }

    /// The OS disk's swap: the new disk must be of the same system and generation.
    private func checkSwap(
        _ machine: Record, from old: String, to new: String, in state: EmulatorState
    ) throws(ARMError) {
        guard let old = ResourceID(old).flatMap({ state[$0] }), let newID = ResourceID(new) else { return }
        guard let disk = state[newID] else {
            throw ARMError(404, "NotFound", "Disk \(newID.name) is not found.", target: new)
        }
        guard machine.hidden["power"]?.string != "running" else {
            throw ARMError(
                409, "OperationNotAllowed",
                "OS disk swap is not allowed while the VM '\(machine.id.name)' is running. Stop or deallocate it first."
            )
        }
        for name in ["osType", "hyperVGeneration"] {
            let was = old.body[path: "properties.\(name)"]?.string
            guard was == nil || disk.body[path: "properties.\(name)"]?.string == was else {
                throw ARMError(
                    409, "PropertyChangeNotAllowed",
                    "Changing property 'osDisk.\(name)' is not allowed: the disk '\(disk.id.name)' does not have the \(name) "
                        + "'\(was ?? "")' of the disk that it would replace.", target: "osDisk.\(name)")
            }
        }
    }

    private func attachDetach(
        _ known: Record, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> Answer {
        let detached = Set(
            (call.body[member: "dataDisksToDetach"]?.array ?? []).compactMap {
                $0[member: "diskId"]?.string?.lowercased()
            })
        var disks = StorageProfile(known.body).dataDisks
        let present = Set(disks.compactMap { $0[path: "managedDisk.id"]?.string?.lowercased() })
        guard detached.isSubset(of: present) else {
            throw .invalidParameter("dataDisksToDetach", "A disk that is to be detached is not attached.")
        }
        disks.removeAll { detached.contains($0[path: "managedDisk.id"]?.string?.lowercased() ?? "") }
        for wanted in call.body[member: "dataDisksToAttach"]?.array ?? [] {
            guard let id = wanted[member: "diskId"]?.string else {
                throw .requiredParameter("dataDisksToAttach.diskId")
            }
            let used = Set(disks.compactMap { $0[member: "lun"]?.integer })
            let lun = wanted[member: "lun"]?.integer ?? (0...63).first { !used.contains($0) } ?? 64
            var disk: JSONValue = [
                "lun": .integer(lun), "createOption": "Attach", "managedDisk": ["id": .string(id)],
                "name": .string(ResourceID(id)?.name ?? ""),
            ]
            disk[path: "caching"] = wanted[member: "caching"] ?? "None"
            disks.append(disk)
        }
        let change: JSONValue = ["properties": ["storageProfile": ["dataDisks": .array(disks)]]]
        let answer = try self.change(known, to: known.body.merged(with: change), call, in: &state)
        guard case .accepted(_, _, let operation, _) = answer else { return answer }
        return .accepted(202, StorageProfile(state[call.id]?.body ?? [:]).body, operation, Self.action)
    }

    // MARK: The parts

    private func checkShape(of record: Record, in state: EmulatorState) throws(ARMError) {
        guard let size = record.body[path: "properties.hardwareProfile.vmSize"]?.string else {
            throw .requiredParameter("hardwareProfile.vmSize")
        }
        try StorageProfile(record.body).check(for: try VMSize.named(size))
        let interfaces = interfaceIDs(record.body)
        guard !interfaces.isEmpty else { throw .requiredParameter("networkProfile") }
        for text in interfaces {
            guard let id = ResourceID(text), let interface = state[id] else {
                throw ARMError(
                    400, "InvalidResourceReference",
                    "Resource \(printable(text)) referenced by resource \(record.id) was not found. Please make sure that the "
                        + "referenced resource exists, and that both resources are in the same region.")
            }
            if let owner = interface.body[path: "properties.virtualMachine.id"]?.string,
                owner.lowercased() != record.id.key
            {
                throw ARMError(
                    400, "NicInUse",
                    "Network Interface \(id) is used by existing resource \(owner).")
            }
        }
    }

    /// Disks that the machine's own request makes: from an image, or empty.
    private func prepareNewDisks(
        _ record: inout Record, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) {
        var profile = StorageProfile(record.body).body
        if profile[path: "osDisk.managedDisk.id"]?.string == nil {
            guard let reference = profile[member: "imageReference"] else {
                throw .requiredParameter("storageProfile.osDisk.managedDisk.id")
            }
            let windows = reference[member: "publisher"]?.string?.lowercased().contains("windows") == true
            let name = profile[path: "osDisk.name"]?.string ?? "\(record.id.name)_OsDisk_1_\(call.makeID())"
            let system = profile[path: "osDisk.osType"]?.string ?? (windows ? "Windows" : "Linux")
            let disk = try makeDisk(
                name, sizeGB: profile[path: "osDisk.diskSizeGB"]?.integer ?? (windows ? 127 : 30),
                ["creationData": ["createOption": "FromImage"], "osType": .string(system), "hyperVGeneration": "V2"],
                sku: profile[path: "osDisk.managedDisk.storageAccountType"]?.string, record, call, in: &state)
            profile[path: "osDisk.name"] = .string(name)
            profile[path: "osDisk.osType"] = .string(system)
            profile[path: "osDisk.managedDisk.id"] = .string(disk.description)
        }
        var disks: [JSONValue] = []
        for var disk in profile[path: "dataDisks"]?.array ?? [] {
            if disk[path: "managedDisk.id"]?.string == nil {
                let lun = disk[member: "lun"]?.integer ?? 0
                let name = disk[member: "name"]?.string ?? "\(record.id.name)_disk\(lun + 2)_\(call.makeID())"
                let made = try makeDisk(
                    name, sizeGB: disk[member: "diskSizeGB"]?.integer ?? 32,
                    ["creationData": ["createOption": "Empty"]],
                    sku: disk[path: "managedDisk.storageAccountType"]?.string, record, call, in: &state)
                disk[path: "name"] = .string(name)
                disk[path: "managedDisk.id"] = .string(made.description)
            }
            StorageProfile.describe(&disk, in: state)
            disks.append(disk)
        }
        if var osDisk = profile[path: "osDisk"] {
            StorageProfile.describe(&osDisk, in: state)
            profile[path: "osDisk"] = osDisk
        }
        if !disks.isEmpty { profile[path: "dataDisks"] = .array(disks) }
        record.body[path: "properties.storageProfile"] = profile
    }

    private func makeDisk(
        _ name: String, sizeGB: Int64, _ properties: JSONValue, sku: String?, _ machine: Record, _ call: ResourceCall,
        in state: inout EmulatorState
    ) throws(ARMError) -> ResourceID {
        let id = ResourceID(
            subscription: machine.id.subscription, resourceGroup: machine.id.resourceGroup,
            namespace: "Microsoft.Compute", types: ["disks"], names: [name])
        guard state[id] == nil else {
            throw ARMError(
                409, "ConflictingUserInput",
                "Disk \(name) already exists in resource group \(machine.id.resourceGroup ?? ""). Only CreateOption.Attach is "
                    + "supported.")
        }
        var disk = Record(id: id, body: ["properties": properties])
        disk.body[path: "location"] = machine.body["location"]
        disk.body[path: "sku"] = [
            "name": .string(sku ?? "Premium_LRS"), "tier": .string(Disks.tier(of: sku ?? "Premium_LRS")),
        ]
        disk.body[path: "properties.diskSizeGB"] = .integer(sizeGB)
        disk.body[path: "properties.diskSizeBytes"] = .integer(sizeGB << 30)
        disk.body[path: "properties.timeCreated"] = .string(call.now.text)
        disk.body[path: "properties.uniqueId"] = .string(call.makeID())
        disk.body[path: "properties.diskState"] = "Unattached"
        disk.provisioningState = "Succeeded"
        state.put(disk)
        return id
    }

    private func interfaceIDs(_ body: JSONValue) -> [String] {
        (body[path: "properties.networkProfile.networkInterfaces"]?.array ?? []).compactMap { $0[member: "id"]?.string }
    }

    private static func own(_ text: String, by machine: ResourceID, in state: inout EmulatorState) throws(ARMError) {
        guard let id = ResourceID(text), var interface = state[id] else { return }
        interface.body[path: "properties.virtualMachine"] = ["id": .string(machine.description)]
        state.put(interface)
    }

    private func instanceView(_ record: Record, _ now: EmulatorTime) -> JSONValue {
        let power = record.hidden["power"]?.string ?? "unknown"
        let provisioning = record.provisioningState
        func status(_ code: String, _ text: String) -> JSONValue {
            ["code": .string(code), "level": "Info", "displayStatus": .string(text), "time": .string(now.text)]
        }
        var view: JSONValue = [
            "statuses": [
                status("ProvisioningState/\(provisioning.lowercased())", "Provisioning \(provisioning.lowercased())"),
                status("PowerState/\(power)", "VM \(power)"),
            ],
            "disks": .array(
                StorageProfile(record.body).diskIDs.compactMap { ResourceID($0)?.name }.map {
                    [
                        "name": .string($0),
                        "statuses": [status("ProvisioningState/succeeded", "Provisioning succeeded")],
                    ]
                }),
        ]
        if power == "running" {
            view[path: "vmAgent"] = [
                "vmAgentVersion": "2.7.41491.1172",
                "statuses": [status("ProvisioningState/succeeded", "Ready")],
            ]
        }
        return view
    }
}
