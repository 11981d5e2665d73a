internal import SalvorJSON

/// Identities that are resources of their own, and are given to machines.
struct UserAssignedIdentities: ResourceKind {
    let type = "Microsoft.ManagedIdentity/userAssignedIdentities"

    func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try ResourceName.check(call.id.name, of: "resourceName", longest: 128, others: "-_", lastMayNotBe: "")
        let location = try call.location()
        let isNew = state[call.id] == nil
        var record =
            state[call.id]
            ?? Record(
                id: call.id,
                body: [
                    "location": .string(location),
                    "properties": [
                        "tenantId": .string(call.surroundings.tenant), "principalId": .string(call.makeID()),
                        "clientId": .string(call.makeID()),
                    ],
                ])
        record.body[path: "tags"] = call.body[member: "tags"] ?? [:]
        state.put(record)
        return .done(isNew ? 201 : 200, record.json)
    }

    func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        var record = try state.require(call.id)
        if let tags = call.body[member: "tags"] { record.body[path: "tags"] = tags }
        state.put(record)
        return .done(200, record.json)
    }

    func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard state[call.id] != nil else { return .done(204, nil) }
        state.remove(call.id)
        return .done(200, nil)
    }

    func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion { .done(nil) }
}
