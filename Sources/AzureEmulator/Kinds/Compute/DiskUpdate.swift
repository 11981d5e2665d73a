internal import SalvorJSON

/// A PUT or PATCH on a disk or snapshot that there is.
struct DiskUpdate {
    let settings: DiskSettings
    let call: ResourceCall
    /// A PUT says all of it, a PATCH what is to be changed.
    let isWhole: Bool

    /// Begins the update.
    /// - Throws: what Azure says of a change that cannot be.
    func begin(_ known: Record, in state: inout EmulatorState) throws(ARMError) -> Answer {
        try Disks.checkIdle(known.id, in: state)
        var wanted = try settings.checked(call.body)
        let asked = call.body[member: "properties"] ?? [:]
        if let location = call.body[member: "location"]?.string,
            location.lowercased().filter({ $0 != " " }) != known.body["location"]?.string
        {
            throw .changed("location")
        }
        if isWhole, let zones = wanted["zones"], zones != known.body["zones"] ?? [] { throw .changed("zones") }
        try checkCreation(asked, known)
        for name in ["osType", "hyperVGeneration", "incremental"] {
            guard let was = known.body[path: "properties.\(name)"], let new = wanted[path: "properties.\(name)"],
                new != .null, new != was
            else { continue }
            throw .changed("\(known.id.types.last == "snapshots" ? "snapshot" : "disk").\(name)")
        }
        let grows = try checkSize(asked, known)
        if let sku = wanted[path: "sku.name"], sku != known.body[path: "sku.name"] {
            try checkIdleMachine("sku", known)
        }

        wanted[path: "properties.creationData"] = nil
        let tags = wanted["tags"]
        wanted[path: "tags"] = nil
        // Whoever's time is over has no access any more.
        var record = DiskGrant.expire(known, call.now)
        record.body = record.body.merged(with: wanted)
        // Tags are not merged one by one: those that are said are all that there are.
        if let tags {
            record.body[path: "tags"] = tags == .null ? nil : tags
        } else if isWhole {
            record.body[path: "tags"] = nil
        }
        if grows, let size = record.body[path: "properties.diskSizeGB"]?.integer {
            record.body[path: "properties.diskSizeBytes"] = .integer(size << 30)
        }
        try DiskSettings.complete(&record)
        record.provisioningState = "Updating"
        state.put(record)
        let operation = call.begin("update", input: ["grows": .bool(grows)], in: &state)
        return .accepted(202, record.body, operation, Disks.links)
    }

    private func checkCreation(_ asked: JSONValue, _ known: Record) throws(ARMError) {
        for name in ["createOption", "sourceResourceId"] {
            guard let asked = asked[member: "creationData"]?[member: name]?.string else { continue }
            let was = known.body[path: "properties.creationData"]?[member: name]?.string ?? ""
            guard asked.lowercased() == was.lowercased() else { throw .changed("disk.creationData.\(name)") }
        }
    }

    /// - Returns: whether the disk is to grow.
    private func checkSize(_ asked: JSONValue, _ known: Record) throws(ARMError) -> Bool {
        let size = known.body[path: "properties.diskSizeGB"]?.integer ?? 0
        guard let asked = asked[member: "diskSizeGB"], asked != .null else { return false }
        guard let asked = asked.integer else {
            throw .invalidParameter(
                "disk.diskSizeGB", "The value of parameter diskSizeGB is invalid: a number is expected.")
        }
        guard asked >= size, asked <= DiskCreation.mostGiB else {
            throw ARMError(
                409, "OperationNotAllowed",
                "Disk cannot be resized to \(asked) GB: its present size is \(size) GB, and only growing up to "
                    + "\(DiskCreation.mostGiB) GB is allowed.")
        }
        guard asked > size else { return false }
        let diskState = known.body[path: "properties.diskState"]?.string ?? ""
        if diskState == "Attached" {
            throw ARMError(
                409, "OperationNotAllowed",
                "Cannot resize disk \(known.id.name) while it is attached to running VM "
                    + "\(known.body["managedBy"]?.string ?? "").")
        }
        guard !["ReadyToUpload", "ActiveUpload"].contains(diskState) else {
            throw ARMError(
                409, "OperationNotAllowed",
                "Cannot resize disk \(known.id.name) in state '\(diskState)': its upload is to end first.")
        }
        return true
    }

    private func checkIdleMachine(_ what: String, _ known: Record) throws(ARMError) {
        guard known.body[path: "properties.diskState"]?.string == "Attached" else { return }
        throw ARMError(
            409, "OperationNotAllowed",
            "Cannot change the \(what) of disk \(known.id.name) while it is attached to running VM "
                + "\(known.body["managedBy"]?.string ?? "").")
    }
}
