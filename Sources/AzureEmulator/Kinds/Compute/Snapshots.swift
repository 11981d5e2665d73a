package import SalvorJSON

/// Snapshots of managed disks, full or incremental.
package struct Snapshots: ResourceKind {
    package let type = "Microsoft.Compute/snapshots"

    package init() {}

    package func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try ResourceName.check(call.id.name, of: "snapshot.name", longest: 80)
        if let known = state[call.id] {
            return try DiskUpdate(settings: .snapshots, call: call, isWhole: true).begin(known, in: &state)
        }
        let location = try call.location()
        let checked = try DiskSettings.snapshots.checked(call.body)
        let properties = checked["properties"] ?? [:]
        let creation = try DiskCreation(properties, location: location, in: state)
        if case .empty = creation.source {
            throw .invalidParameter(
                "createOption", "A snapshot is made with createOption Copy, CopyStart or Upload here.")
        }
        var record = Record(id: call.id, body: checked)
        record.body[path: "location"] = .string(location)
        DiskBytes.describe(&record, creation, properties)
        let isIncremental = properties[member: "incremental"] == true
        record.body[path: "properties.incremental"] = .bool(isIncremental)
        if isIncremental {
            // All snapshots of one disk are of one family, wherever they are copied to.
            record.body[path: "properties.incrementalSnapshotFamilyId"] = creation.family ?? creation.sourceID
        }
        if case .copyStart = creation.source { record.body[path: "properties.completionPercent"] = 0 }
        try DiskSettings.complete(&record)
        record.provisioningState = "Updating"
        let input = DiskBytes.prepare(&record, creation, call)
        state.put(record)
        return .accepted(202, record.body, call.begin("create", input: input, in: &state), Disks.links)
    }

    package func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try DiskUpdate(settings: .snapshots, call: call, isWhole: false).begin(try state.require(call.id), in: &state)
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
        try DiskGrant.act(action, call, in: &state)
    }

    package func view(_ record: Record, _ call: ResourceCall, in state: EmulatorState) -> JSONValue {
        var record = DiskGrant.expire(record, call.now)
        if let running = state.running(on: record.id), running.verb == DiskBytes.hydrate {
            let whole = max(running.due.milliseconds - running.began.milliseconds, 1)
            let done = call.now.milliseconds - running.began.milliseconds
            record.body[path: "properties.completionPercent"] = .integer(min(max(done * 100 / whole, 0), 99))
        }
        return record.json
    }

    package func complete(
        _ operation: Operation, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion {
        if operation.verb == "delete" {
            state.remove(operation.target)
            return .done(nil)
        }
        guard var record = state[operation.target] else { throw .resourceNotFound(operation.target) }
        switch operation.verb {
        case "grant", "revoke": return try DiskGrant.complete(operation, on: record, context, in: &state)
        case DiskBytes.hydrate: return hydrate(operation, record, context, in: &state)
        default: break
        }
        let copiesLater = operation.verb == "create" && record.body[path: "properties.completionPercent"] != nil
        if !copiesLater, let work = try DiskBytes.work(of: operation, on: record, context) { return .work(work) }
        if operation.verb == "create" {
            record.body[path: "properties.timeCreated"] = .string(operation.due.text)
            record.body[path: "properties.uniqueId"] = .string(operation.id)
            if record.body[path: "properties.diskState"] == nil {
                record.body[path: "properties.diskState"] = "Unattached"
            }
            record.body[path: "properties.snapshotAccessState"] = copiesLater ? "Pending" : "Available"
        }
        record.provisioningState = "Succeeded"
        state.put(record)
        if copiesLater {
            _ = context.call(record.id, body: [:]).begin(DiskBytes.hydrate, input: operation.input, in: &state)
        }
        return .done(record.json)
    }

    /// The background copy of `CopyStart`: it ends with the snapshot's `completionPercent`, or with its
    /// `copyCompletionError`.
    private func hydrate(
        _ operation: Operation, _ record: Record, _ context: EffectContext, in state: inout EmulatorState
    ) -> Completion {
        // Another of the same name has come in its place.
        guard DiskContents.id(of: record) == operation.input["target"]?.string else { return .done(nil) }
        var record = record
        do throws(ARMError) {
            guard let source = operation.input["source"]?.string, state.owner(ofContent: source) != nil else {
                throw ARMError(
                    404, "CopySourceNotFound",
                    "The source snapshot was deleted while the background copy of '\(record.id.name)' was in progress.")
            }
            if let work = try DiskBytes.work(of: operation, on: record, context) { return .work(work) }
            record.body[path: "properties.completionPercent"] = 100
            record.body[path: "properties.snapshotAccessState"] = "Available"
            state.put(record)
            return .done(nil)
        } catch {
            record.body[path: "properties.copyCompletionError"] = [
                "errorCode": .string(error.code), "errorMessage": .string(error.message),
            ]
            state.put(record)
            return .failed(error)
        }
    }
}
