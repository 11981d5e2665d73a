internal import SalvorJSON

/// Extensions of machines: kept and shown. What they would install is not.
struct VMExtensions: ResourceKind {
    let type = "Microsoft.Compute/virtualMachines/extensions"

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard let parent = call.id.parent else { throw .resourceNotFound(call.id) }
        let machine = try state.require(parent)
        let known = state[call.id]
        try Disks.checkIdle(call.id, in: state)
        guard machine.hidden["power"]?.string == "running" else {
            throw ARMError(
                409, "OperationNotAllowed",
                "Cannot modify extensions in the VM when the VM is not running.")
        }
        var record = Record(id: call.id, body: known.map { $0.body.merged(with: call.body) } ?? call.body)
        for name in ["publisher", "type", "typeHandlerVersion"]
        where record.body[path: "properties.\(name)"]?.string == nil {
            throw .requiredParameter("extension.\(name)")
        }
        if record.body[path: "location"] == nil { record.body[path: "location"] = machine.body["location"] }
        // Azure never shows them again.
        if record.body["properties"]?["protectedSettings"] != nil {
            record.body[path: "properties.protectedSettings"] = nil
        }
        record.provisioningState = known == nil ? "Creating" : "Updating"
        state.put(record)
        return .accepted(
            known == nil ? 201 : 200, record.json, call.begin("put", in: &state), VirtualMachines.update)
    }

    func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        _ = try state.require(call.id)
        return try put(call, in: &state)
    }

    func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard state[call.id] != nil else { return .done(204, nil) }
        try Disks.checkIdle(call.id, in: state)
        return .accepted(202, nil, call.begin("delete", in: &state), VirtualMachines.action)
    }

    func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion {
        if operation.verb == "delete" {
            state.remove(operation.target)
            return .done(nil)
        }
        var record = try state.require(operation.target)
        record.provisioningState = "Succeeded"
        state.put(record)
        return .done(record.json)
    }
}
