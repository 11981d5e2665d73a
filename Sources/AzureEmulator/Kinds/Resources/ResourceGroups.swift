internal import SalvorJSON

/// Resource groups: what other resources lie in. Deleting one deletes all of it, and takes its time.
package struct ResourceGroups: ResourceKind {
    package let type = "Microsoft.Resources/resourceGroups"

    package init() {}

    package func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try ResourceName.check(
            call.id.name, of: "resourceGroupName", longest: 90, others: "_.-()", lastMayNotBe: ".")
        let location = try call.location()
        if let known = state[call.id] {
            try Self.checkNotDeleting(known)
            guard known.body["location"]?.string == location else {
                throw ARMError(
                    409, "InvalidResourceGroupLocation",
                    "Invalid resource group location '\(location)'. The Resource group already exists in location "
                        + "'\(known.body["location"]?.string ?? "")'.")
            }
        }
        var record = state[call.id] ?? Record(id: call.id, body: [:])
        let isNew = state[call.id] == nil
        record.body[path: "location"] = .string(location)
        record.body[path: "tags"] = call.body[member: "tags"]
        record.provisioningState = "Succeeded"
        state.put(record)
        return .done(isNew ? 201 : 200, record.json)
    }

    package func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        var record = try state.require(call.id)
        try Self.checkNotDeleting(record)
        if let tags = call.body[member: "tags"] { record.body[path: "tags"] = tags }
        state.put(record)
        return .done(200, record.json)
    }

    package func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard var record = state[call.id] else { throw .groupNotFound(call.id.name) }
        if let running = state.running(on: call.id), running.verb == "delete" {
            return .accepted(202, nil, running, .location)
        }
        record.provisioningState = "Deleting"
        state.put(record)
        return .accepted(202, nil, call.begin("delete", in: &state), .location)
    }

    package func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion {
        var deletion = GroupDeletion(try state.require(operation.target), operation, context)
        return deletion.take(in: &state)
    }

    /// - Throws: `ResourceGroupBeingDeleted`.
    static func checkNotDeleting(_ group: Record) throws(ARMError) {
        guard group.provisioningState != "Deleting" else { throw beingDeleted(group.id) }
    }

    static func beingDeleted(_ group: ResourceID) -> ARMError {
        ARMError(
            409, "ResourceGroupBeingDeleted",
            "The resource group '\(group.name)' is in deprovisioning state and cannot perform this operation.")
    }
}
