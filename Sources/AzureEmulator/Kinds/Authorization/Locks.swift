internal import SalvorJSON

/// Locks: see ``LockRules`` for what they forbid.
struct Locks: AuthorizationKind {
    let type = LockRules.type

    func missing(_ id: ResourceID) -> ARMError {
        ARMError(404, "LockNotFound", "The lock '\(printable(id.name))' could not be found.")
    }

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try ResourceName.check(call.id.name, of: "lockName", longest: 260, others: "_.-()", lastMayNotBe: ".")
        try checkScope(call, in: state)
        let wanted = call.body[path: "properties.level"]?.string ?? ""
        guard let level = ["CanNotDelete", "ReadOnly"].first(where: { $0.lowercased() == wanted.lowercased() }) else {
            throw ARMError(
                400, "LockLevelInvalid",
                "The specified lock level '\(printable(wanted))' is invalid. It is to be CanNotDelete or ReadOnly.")
        }
        let isNew = state[call.id] == nil
        var record = Record(id: call.id, body: ["properties": ["level": .string(level)]])
        for name in ["notes", "owners"] {
            record.body[path: "properties.\(name)"] = call.body[path: "properties.\(name)"]
        }
        state.put(record)
        return .done(isNew ? 201 : 200, record.json)
    }

    func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard state[call.id] != nil else { return .done(204, nil) }
        state.remove(call.id)
        return .done(200, nil)
    }
}
