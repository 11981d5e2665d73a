package import SalvorJSON

/// Managed disks: empty, copied, or uploaded; owned by at most one machine; grown, and never shrunk.
package struct Disks: ResourceKind {
    package let type = "Microsoft.Compute/disks"
    static let links = Answer.Links.both(segment: "DiskOperations")

    package init() {}

    package func put(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try ResourceName.check(call.id.name, of: "disk.name", longest: 80)
        if let known = state[call.id] { return try update(known, with: call.body, call, in: &state) }
        let location = try call.location()
        let properties = call.body[member: "properties"] ?? [:]
        let creation = try DiskCreation(properties, location: location, in: state)

        var record = Record(id: call.id, body: call.body)
        record.body[path: "location"] = .string(location)
        if record.body[member: "sku"] == nil { record.body[path: "sku"] = ["name": "Standard_LRS"] }
        record.body[path: "sku.tier"] = .string(Self.tier(of: record.body[path: "sku.name"]?.string ?? ""))
        record.body[path: "properties"] = creation.inherited.merged(with: properties)
        record.body[path: "properties.diskSizeGB"] = .integer(creation.sizeGB)
        if case .upload = creation.source {
            record.body[path: "properties.diskState"] = "ReadyToUpload"
        }
        record.provisioningState = "Updating"
        let input = DiskBytes.prepare(&record, creation, call)
        state.put(record)
        let operation = call.begin("create", input: input, in: &state)
        // Azure's 202 says nothing of id, name and type.
        return .accepted(202, record.body, operation, Self.links)
    }

    package func patch(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try update(try state.require(call.id), with: call.body, call, in: &state)
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
            let isUpload =
                record.body[path: "properties.creationData.createOption"]?.string?.lowercased().hasPrefix("upload")
                == true
            record.body[path: "properties.diskState"] = isUpload ? "ReadyToUpload" : "Unattached"
        }
        record.provisioningState = "Succeeded"
        let size = record.body[path: "properties.diskSizeGB"]?.integer ?? 0
        record.body[path: "properties.diskSizeBytes"] = .integer(size << 30)
        state.put(record)
        return .done(record.json)
    }

    // MARK: Changes

    private func update(
        _ known: Record, with change: JSONValue, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> Answer {
        try Self.checkIdle(known.id, in: state)
        if let location = change[member: "location"]?.string,
            location.lowercased().filter({ $0 != " " }) != known.body["location"]?.string
        {
            throw .changed("location")
        }
        let properties = change[member: "properties"] ?? [:]
        for name in ["createOption", "sourceResourceId"] {
            guard let asked = properties[member: "creationData"]?[member: name]?.string else { continue }
            let was = known.body[path: "properties.creationData"]?[member: name]?.string ?? ""
            guard asked.lowercased() == was.lowercased() else { throw .changed("disk.creationData.\(name)") }
        }
        let size = known.body[path: "properties.diskSizeGB"]?.integer ?? 0
        let asked = properties[member: "diskSizeGB"]?.integer ?? size
        guard asked >= size, asked <= DiskCreation.mostGiB else {
            throw ARMError(
                409, "OperationNotAllowed",
                "Disk cannot be resized to \(asked) GB: its present size is \(size) GB, and only growing up to "
                    + "\(DiskCreation.mostGiB) GB is allowed.")
        }
        if asked > size, known.body[path: "properties.diskState"]?.string == "Attached" {
            throw ARMError(
                409, "OperationNotAllowed",
                "Cannot resize disk \(known.id.name) while it is attached to running VM "
                    + "\(known.body["managedBy"]?.string ?? "").")
        }
        var record = known
        // What Azure decides is not the caller's to change.
        var wanted = change
        for name in ["provisioningState", "diskState", "timeCreated", "uniqueId", "diskSizeBytes", "creationData"] {
            wanted[path: "properties.\(name)"] = nil
        }
        for name in ["id", "name", "type", "managedBy", "location"] { wanted[path: name] = nil }
        record.body = record.body.merged(with: wanted)
        record.provisioningState = "Updating"
        state.put(record)
        return .accepted(202, record.body, call.begin("update", in: &state), Self.links)
    }

    /// - Throws: `OperationNotAllowed` where something is being done to the disk.
    static func checkIdle(_ id: ResourceID, in state: EmulatorState) throws(ARMError) {
        guard let running = state.running(on: id) else { return }
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
