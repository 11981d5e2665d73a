internal import SalvorJSON

/// A shared access signature: for a while, whoever knows the address may read a disk's bytes, or write those of an upload.
struct DiskGrant {
    enum Access: String {
        case read = "r"
        case write = "rw"
    }

    let access: Access
    let expires: EmulatorTime
    /// What nobody can guess.
    let signature: String

    private init(access: Access, expires: EmulatorTime, signature: String) {
        self.access = access
        self.expires = expires
        self.signature = signature
    }

    /// - Returns: nil for a record that has none.
    init?(of record: Record) {
        guard let grant = record.hidden["grant"], let access = Access(rawValue: grant["access"]?.string ?? ""),
            let expires = grant["expires"]?.integer, let signature = grant["signature"]?.string
        else { return nil }
        self.init(access: access, expires: EmulatorTime(milliseconds: expires), signature: signature)
    }

    private var json: JSONValue {
        [
            "access": .string(access.rawValue), "expires": .integer(expires.milliseconds),
            "signature": .string(signature),
        ]
    }

    /// As storage's clients write it in the address.
    var query: [(name: String, value: String)] {
        [
            ("sv", "2018-03-28"), ("sr", "b"), ("si", "emulator"), ("sp", access.rawValue),
            ("se", "\(expires.seconds)"),
            ("sig", signature),
        ]
    }

    // MARK: Requests

    static let links = Disks.links

    /// `beginGetAccess`.
    static func begin(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        var record = try state.require(call.id)
        try Disks.checkIdle(call.id, in: state)
        guard let duration = call.body[member: "durationInSeconds"]?.integer, duration > 0 else {
            throw .requiredParameter("durationInSeconds")
        }
        let diskState = record.body[path: "properties.diskState"]?.string ?? ""
        let wanted = call.body[member: "access"]?.string?.lowercased() ?? ""
        let access: Access
        switch wanted {
        case "read": access = .read
        case "write": access = .write
        default:
            throw .invalidParameter(
                "access", "The value '\(printable(wanted))' of parameter access is invalid: Read or Write is expected.")
        }
        if let known = DiskGrant(of: record), known.expires > call.now {
            throw ARMError(
                409, "OperationNotAllowed",
                "There is an active shared access signature outstanding for disk \(call.id.name). Call EndGetAccess before "
                    + "granting access again.")
        }
        let isUpload = ["ReadyToUpload", "ActiveUpload"].contains(diskState)
        guard isUpload == (access == .write) else {
            throw ARMError(
                409, "OperationNotAllowed",
                "Operation 'GrantAccess' with access '\(access == .read ? "Read" : "Write")' is not allowed on disk "
                    + "'\(call.id.name)' since it is in state '\(diskState)'.")
        }
        guard diskState != "Attached" else {
            throw ARMError(
                409, "OperationNotAllowed",
                "Disk \(call.id.name) is attached to a running VM: a shared access signature for it cannot be granted.")
        }
        let grant = DiskGrant(
            access: access, expires: call.now + .seconds(duration),
            signature: "\(call.makeID())\(call.makeID())".filter { $0 != "-" })
        record.hidden[path: "grant"] = grant.json
        record.hidden[path: "stateWithoutGrant"] = .string(diskState)
        record.body[path: "properties.diskState"] = isUpload ? "ActiveUpload" : "ActiveSAS"
        state.put(record)
        let content = DiskContents.id(of: record) ?? ""
        let query = grant.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        let address = "\(call.surroundings.base)/\(BlobPath.account(of: content))/\(BlobPath.container)/abcd?\(query)"
        return .accepted(202, nil, call.begin("grant", input: ["address": .string(address)], in: &state), links)
    }

    /// `endGetAccess`.
    static func end(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        _ = try state.require(call.id)
        try Disks.checkIdle(call.id, in: state)
        return .accepted(202, nil, call.begin("revoke", in: &state), links)
    }

    // MARK: Effects

    static func complete(
        _ operation: Operation, on record: Record, _ context: EffectContext, in state: inout EmulatorState
    ) throws(ARMError) -> Completion {
        if operation.verb == "grant" { return .done(["accessSAS": operation.input["address"] ?? .null]) }
        guard let grant = DiskGrant(of: record) else { return .done(nil) }
        var record = record
        if grant.access == .write {
            guard let outcome = context.outcome else {
                // From here on nothing more is written.
                record.hidden[path: "closed"] = true
                state.put(record)
                return .work(VHDFooter.check(of: record))
            }
            record.hidden[path: "closed"] = nil
            record.hidden[path: "grant"] = nil
            record.hidden[path: "stateWithoutGrant"] = nil
            switch outcome {
            case .success:
                record.body[path: "properties.diskState"] = "Unattached"
                state.put(record)
                return .done(nil)
            case .failure(let error):
                // The upload can be done again.
                record.body[path: "properties.diskState"] = "ReadyToUpload"
                state.put(record)
                return .failed(error)
            }
        }
        withdraw(&record)
        state.put(record)
        return .done(nil)
    }

    /// Ends a grant whose time is over, as Azure does by itself.
    static func expire(_ record: Record, _ now: EmulatorTime) -> Record {
        guard let grant = DiskGrant(of: record), grant.access == .read, grant.expires <= now else { return record }
        var record = record
        withdraw(&record)
        return record
    }

    private static func withdraw(_ record: inout Record) {
        record.body[path: "properties.diskState"] = record.hidden["stateWithoutGrant"] ?? "Unattached"
        record.hidden[path: "grant"] = nil
        record.hidden[path: "stateWithoutGrant"] = nil
    }
}
