internal import SalvorJSON

/// What comes of requests for machines, when their time has come.
extension VirtualMachines {
    package func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion {
        guard var record = state[operation.target] else { throw .resourceNotFound(operation.target) }
        do throws(ARMError) {
            if let work = try MachineWork.of(operation, on: record, context, in: state) { return .work(work) }
        } catch {
            takeBack(operation, record, in: &state)
            return .failed(error)
        }
        if ["create", "start", "restart", "redeploy"].contains(operation.verb) {
            record.hidden[path: "isReal"] = context.equipment.hypervisor == nil ? nil : true
        }
        switch operation.verb {
        case "delete":
            remove(record, in: &state)
            return .done(nil)
        case "create":
            record.provisioningState = "Succeeded"
            Self.setPower("running", of: &record, in: &state)
        case "update", "attachdetach":
            record.provisioningState = "Succeeded"
            // What was to be detached is only gone now.
            for id in operation.input["release"]?.array ?? [] {
                if let id = id.string { DiskOwnership.release(id, in: &state) }
            }
        case "start", "restart": Self.setPower("running", of: &record, in: &state)
        case "poweroff": Self.setPower("stopped", of: &record, in: &state)
        case "deallocate": Self.setPower("deallocated", of: &record, in: &state)
        case "runcommand": return .done(RunCommand.output(of: operation))
        default: break
        }
        state.put(record)
        return .done(output(of: operation, record, context, in: state))
    }

    /// Power has no output; what changes the machine shows it.
    private func output(
        of operation: Operation, _ record: Record, _ context: EffectContext, in state: EmulatorState
    ) -> JSONValue? {
        switch operation.verb {
        case "create", "update": view(record, context.call(record.id, body: [:]), in: state)
        case "attachdetach": StorageProfile(record.body).body
        default: nil
        }
    }

    static func setPower(_ power: String, of record: inout Record, in state: inout EmulatorState) {
        record.hidden[path: "power"] = .string(power)
        for id in StorageProfile(record.body).diskIDs {
            guard let id = ResourceID(id), let disk = state[id] else { continue }
            DiskOwnership.attach(disk, to: record.id, running: power != "deallocated", in: &state)
        }
    }

    /// Makes a machine again what it was before an operation that has failed, as far as it is.
    private func takeBack(_ operation: Operation, _ record: Record, in state: inout EmulatorState) {
        var record = record
        switch operation.verb {
        case "create":
            record.provisioningState = "Failed"
            Self.setPower("stopped", of: &record, in: &state)
        // The old one has ended before the new one could not be started.
        case "restart", "redeploy": Self.setPower("stopped", of: &record, in: &state)
        case "start", "poweroff", "deallocate":
            Self.setPower(operation.input["before"]?.string ?? "stopped", of: &record, in: &state)
        case "delete": record.provisioningState = "Failed"
        case "update", "attachdetach":
            record.provisioningState = "Failed"
            guard let profile = operation.input["storageProfile"] else { break }
            let now = StorageProfile(record.body).diskIDs.map { $0.lowercased() }
            record.body[path: "properties.storageProfile"] = profile
            let before = StorageProfile(record.body).diskIDs.map { $0.lowercased() }
            for id in now where !before.contains(id) { DiskOwnership.release(id, in: &state) }
            for id in before where !now.contains(id) { DiskOwnership.keep(id, in: &state) }
        default: break
        }
        state.put(record)
    }

    private func remove(_ record: Record, in state: inout EmulatorState) {
        let profile = StorageProfile(record.body)
        for id in profile.diskIDs { DiskOwnership.release(id, in: &state) }
        NetworkProfile.release(record, in: &state)
        for id in goingWith(record) {
            // An interface gives its addresses back, or its subnet would stay in use.
            if let interface = state[id], id.type.lowercased() == "microsoft.network/networkinterfaces" {
                NetworkInterfaces().release(interface, in: &state)
            }
            state.removeTree(id)
        }
        state.removeTree(record.id)
    }

    /// Disks and interfaces that are deleted with their machine.
    private func goingWith(_ record: Record) -> [ResourceID] {
        func isGoing(_ body: JSONValue) -> Bool { body[member: "deleteOption"]?.string?.lowercased() == "delete" }
        let profile = StorageProfile(record.body)
        let disks = ([profile.body[path: "osDisk"]].compactMap { $0 } + profile.dataDisks).filter(isGoing)
        let interfaces = (record.body[path: "properties.networkProfile.networkInterfaces"]?.array ?? []).filter {
            isGoing($0) || ($0[member: "properties"].map(isGoing) ?? false)
        }
        return (disks.compactMap { $0[path: "managedDisk.id"]?.string } + interfaces.compactMap { $0["id"]?.string })
            .compactMap(ResourceID.init)
    }
}
