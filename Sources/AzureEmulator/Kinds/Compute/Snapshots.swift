package import SalvorJSON

/// Snapshots of managed disks, full or incremental.
package struct Snapshots: ResourceKind {
    package let type = "Microsoft.Compute/snapshots"

    package init() {}

    package func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try ResourceName.check(call.id.name, of: "snapshot.name", longest: 80)
        let location = try call.location()
        let properties = call.body[member: "properties"] ?? [:]
        guard state[call.id] == nil else { throw .changed("snapshot") }
        let creation = try DiskCreation(properties, location: location, in: state)
        guard case .copy = creation.source else {
            throw .invalidParameter("createOption", "A snapshot is made with createOption Copy here.")
        }
        var record = Record(id: call.id, body: call.body)
        record.body[path: "location"] = .string(location)
        if record.body[member: "sku"] == nil {
            record.body[path: "sku"] = ["name": "Standard_LRS", "tier": "Standard"]
        }
        record.body[path: "properties"] = creation.inherited.merged(with: properties)
        record.body[path: "properties.diskSizeGB"] = .integer(creation.sizeGB)
        record.body[path: "properties.incremental"] = properties[member: "incremental"] ?? false
        record.provisioningState = "Updating"
        let input = DiskBytes.prepare(&record, creation, call)
        state.put(record)
        return .accepted(202, record.body, call.begin("create", input: input, in: &state), Disks.links)
    }

    package func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        var record = try state.require(call.id)
        try Disks.checkIdle(call.id, in: state)
        if let tags = call.body[member: "tags"] { record.body[path: "tags"] = tags }
        record.provisioningState = "Updating"
        state.put(record)
        return .accepted(202, record.body, call.begin("update", in: &state), Disks.links)
    }

    package func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard let record = state[call.id] else { return .done(204, nil) }
        try Disks.checkIdle(call.id, in: state)
        try Disks.checkNoAccess(DiskGrant.expire(record, call.now))
        try DiskBytes.checkUnread(record, in: state)
        return .accepted(202, nil, call.begin("delete", in: &state), Disks.links)
    }

    package func act(
        _ action: String, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> Answer? {
        switch action.lowercased() {
        case "begingetaccess": try DiskGrant.begin(call, in: &state)
        case "endgetaccess": try DiskGrant.end(call, in: &state)
        default: nil
        }
    }

    package func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue {
        DiskGrant.expire(record, call.now).json
    }

    package func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion {
        if operation.verb == "delete" {
            state.remove(operation.target)
            return .done(nil)
        }
        guard var record = state[operation.target] else { throw .resourceNotFound(operation.target) }
        if ["grant", "revoke"].contains(operation.verb) {
            return try DiskGrant.complete(operation, on: record, context, in: &state)
        }
        if let work = try DiskBytes.work(of: operation, on: record, context) { return .work(work) }
        if operation.verb == "create" {
            record.body[path: "properties.timeCreated"] = .string(operation.due.text)
            record.body[path: "properties.uniqueId"] = .string(operation.id)
            record.body[path: "properties.diskState"] = "Unattached"
            let size = record.body[path: "properties.diskSizeGB"]?.integer ?? 0
            record.body[path: "properties.diskSizeBytes"] = .integer(size << 30)
        }
        record.provisioningState = "Succeeded"
        state.put(record)
        return .done(record.json)
    }
}
