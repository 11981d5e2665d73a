internal import SalvorJSON

/// What disks and snapshots do with bytes: the work of their operations.
enum DiskBytes {
    /// Says of a new record what follows from its source.
    static func describe(_ record: inout Record, _ creation: DiskCreation, _ properties: JSONValue) {
        record.body[path: "properties"] = creation.inherited.merged(with: properties)
        record.body[path: "properties.diskSizeGB"] = .integer(creation.sizeGB)
        record.body[path: "properties.diskSizeBytes"] = .integer(creation.sizeBytes)
        if let source = creation.sourceID { record.body[path: "properties.creationData.sourceUniqueId"] = source }
        if case .upload = creation.source { record.body[path: "properties.diskState"] = "ReadyToUpload" }
    }

    /// Gives a new record a content, and tells its operation where that begins.
    static func prepare(_ record: inout Record, _ creation: DiskCreation, _ call: ResourceCall) -> JSONValue {
        let content = JSONValue.string(call.makeID())
        record.hidden[path: "content"] = content
        var input: JSONValue = ["target": content]
        if let source = creation.sourceContent { input[path: "source"] = .string(source) }
        return input
    }

    /// - Returns: nil where nothing is to be done, or has been done.
    /// - Throws: what the work ended with.
    static func work(
        of operation: Operation, on record: Record, _ context: EffectContext
    ) throws(ARMError) -> Work? {
        if let outcome = context.outcome {
            _ = try outcome.get()
            return nil
        }
        guard context.equipment.contents != nil, let content = DiskContents.id(of: record) else { return nil }
        let bytes = DiskContents.size(of: record)
        switch operation.verb {
        case "create", hydrate:
            guard let source = operation.input["source"]?.string else { return nil }
            return Work { (equipment) throws(ARMError) in
                try await equipment.contents?.copy(from: source, to: content, bytes: bytes)
                return .null
            }
        case "update" where operation.input["grows"] == true:
            return Work { (equipment) throws(ARMError) in
                try await equipment.contents?.grow(content, to: bytes)
                return .null
            }
        default: return nil
        }
    }

    /// The background copy of a snapshot that was made with `CopyStart`. Nobody has to wait for it: whoever deletes its
    /// source ends it.
    static let hydrate = "hydrate"

    /// - Throws: `OperationNotAllowed` for what is being copied just now.
    static func checkUnread(_ record: Record, in state: EmulatorState) throws(ARMError) {
        guard let content = DiskContents.id(of: record), state.isRead(content, except: [hydrate]) else { return }
        throw ARMError(
            409, "OperationNotAllowed",
            "'\(record.id.name)' is the source of a copy that is in progress. Retry when that has ended.")
    }
}
