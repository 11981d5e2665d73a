package import SalvorJSON

/// Managed disks: empty, copied, or uploaded; owned by at most one machine; grown, and never shrunk.
package struct Disks: ResourceKind {
    package let type = "Microsoft.Compute/disks"
    static let links = Answer.Links.both(segment: "DiskOperations")

    package init() {}

    package func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try ResourceName.check(call.id.name, of: "disk.name", longest: 80)
        if let known = state[call.id] {
            return try DiskUpdate(settings: .disks, call: call, isWhole: true).begin(known, in: &state)
        }
        let location = try call.location()
        let checked = try DiskSettings.disks.checked(call.body)
        let properties = checked["properties"] ?? [:]
        let creation = try DiskCreation(properties, location: location, in: state)
        if case .copyStart = creation.source {
            throw .invalidParameter(
                "createOption", "The value 'CopyStart' of parameter createOption is for snapshots alone.")
        }
        var record = Record(id: call.id, body: checked)
        record.body[path: "location"] = .string(location)
        DiskBytes.describe(&record, creation, properties)
        try DiskSettings.complete(&record)
        record.provisioningState = "Updating"
        let input = DiskBytes.prepare(&record, creation, call)
        state.put(record)
        let operation = call.begin("create", input: input, in: &state)
        // Azure's 202 says nothing of id, name and type.
        return .accepted(202, record.body, operation, Self.links)
    }

    package func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try DiskUpdate(settings: .disks, call: call, isWhole: false).begin(try state.require(call.id), in: &state)
    }

    package func delete(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        guard let record = state[call.id] else { return .done(204, nil) }
        if let owner = record.body["managedBy"]?.string {
            throw ARMError(409, "OperationNotAllowed", "Disk \(call.id.name) is attached to VM \(owner).")
        }
        try Self.checkIdle(call.id, in: state)
        try Self.checkNoAccess(DiskGrant.expire(record, call.now))
        try DiskBytes.checkUnread(record, in: state)
        return .accepted(202, nil, call.begin("delete", in: &state), Self.links)
    }

    package func act(
        _ action: String, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> Answer? {
        try DiskGrant.act(action, call, in: &state)
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
            if record.body[path: "properties.diskState"] == nil {
                record.body[path: "properties.diskState"] = "Unattached"
            }
        }
        record.provisioningState = "Succeeded"
        state.put(record)
        return .done(record.json)
    }

    // MARK: Rules

    /// - Throws: `OperationNotAllowed` where something is being done to the disk.
    static func checkIdle(_ id: ResourceID, in state: EmulatorState) throws(ARMError) {
        guard let running = state.running(on: id, except: [DiskBytes.hydrate]) else { return }
        throw ARMError(
            409, "OperationNotAllowed",
            "Another operation ('\(running.verb)') is in progress on \(id.types.last ?? "resource") '\(id.name)'. "
                + "Retry when it has ended.")
    }

    static func checkNoAccess(_ record: Record) throws(ARMError) {
        let diskState = record.body[path: "properties.diskState"]?.string ?? ""
        guard !["ActiveSAS", "ActiveUpload"].contains(diskState) else {
            throw ARMError(
                409, "OperationNotAllowed",
                "There is an active shared access signature outstanding for disk \(record.id.name). Call EndGetAccess on "
                    + "the disk before deleting it.")
        }
    }

    static func tier(of sku: String) -> String {
        let name = sku.lowercased()
        if name.hasPrefix("premium") { return "Premium" }
        return name.hasPrefix("ultra") ? "Ultra" : "Standard"
    }
}

extension ARMError {
    /// 409 `PropertyChangeNotAllowed`.
    static func changed(_ property: String) -> ARMError {
        ARMError(
            409, "PropertyChangeNotAllowed", "Changing property '\(property)' is not allowed.", target: property)
    }
}
