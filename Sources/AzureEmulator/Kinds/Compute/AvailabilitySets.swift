internal import SalvorJSON

/// Availability sets: what machines are spread over.
struct AvailabilitySets: ResourceKind {
    let type = "Microsoft.Compute/availabilitySets"

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try ResourceName.check(call.id.name, of: "availabilitySetName", longest: 80, lastMayNotBe: ".-")
        let location = try call.location()
        return try write(call.body.merged(with: ["location": .string(location)]), call, in: &state)
    }

    func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try write(try state.require(call.id).body.merged(with: call.body), call, in: &state)
    }

    private func write(
        _ body: JSONValue, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> Answer {
        let known = state[call.id]
        var record = known ?? Record(id: call.id, body: [:])
        record.body = body
        for name in ["id", "name", "type"] { record.body[path: name] = nil }
        if record.body[path: "sku.name"] == nil { record.body[path: "sku.name"] = "Classic" }
        for (name, standard, most) in [("platformUpdateDomainCount", 5, 20), ("platformFaultDomainCount", 3, 3)]
            as [(String, Int64, Int64)]
        {
            let count = record.body[path: "properties.\(name)"]?.integer ?? standard
            guard (1...most).contains(count) else {
                throw .invalidParameter(
                    name, "The value \(count) of parameter '\(name)' is out of range: 1 to \(most).")
            }
            record.body[path: "properties.\(name)"] = .integer(count)
            if let known, known.body[path: "properties.\(name)"]?.integer != count { throw .changed(name) }
        }
        record.body[path: "properties.virtualMachines"] = nil
        state.put(record)
        return .done(200, view(record, call, in: state))
    }

    func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard let record = state[call.id] else { return .done(204, nil) }
        guard let machine = machines(in: record, state).first else {
            state.remove(call.id)
            return .done(200, nil)
        }
        throw ARMError(
            409, "OperationNotAllowed",
            "Availability Set '\(call.id.name)' cannot be deleted. Before deleting an Availability Set please ensure that it does "
                + "not contain any VM: it contains '\(machine.id)'.")
    }

    func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion { .done(nil) }

    func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue {
        var json = record.json
        json[path: "properties.virtualMachines"] = .array(
            machines(in: record, state).map { ["id": .string($0.id.description)] })
        return json
    }

    func read(
        _ child: String, _ record: Record, _ call: ResourceCall, in state: EmulatorState
    ) throws(ARMError) -> JSONValue? {
        child.lowercased() == "vmsizes" ? ["value": .array(VMSize.all.map(\.json))] : nil
    }

    private func machines(in record: Record, _ state: EmulatorState) -> [Record] {
        state.list("Microsoft.Compute/virtualMachines", in: ResourceID(subscription: record.id.subscription)).filter {
            $0.body[path: "properties.availabilitySet.id"]?.string?.lowercased() == record.id.key
        }
    }
}
