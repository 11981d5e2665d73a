internal import Foundation
internal import SalvorDigest
internal import SalvorJSON

/// A shared access signature: for a while, whoever knows the address may read a disk's bytes, or write those of an upload.
struct DiskGrant {
    enum Access: String {
        case read = "r"
        case write = "rw"
    }

    let access: Access
    let expires: EmulatorTime
    let granted: EmulatorTime
    /// Of what the address says, under a key that is made for it alone and then forgotten.
    private let signature: String

    private init(access: Access, granted: EmulatorTime, expires: EmulatorTime, content: String, key: String) {
        self.access = access
        self.granted = granted
        self.expires = expires
        let text = "\(content)\n\(access.rawValue)\n\(expires.seconds)"
        signature = Data(HMAC.sha256(of: Array(text.utf8), key: Array(key.utf8))).base64EncodedString()
    }

    /// - Returns: nil for a record that has none.
    init?(of record: Record) {
        guard let grant = record.hidden["grant"], let access = Access(rawValue: grant["access"]?.string ?? ""),
            let expires = grant["expires"]?.integer, let signature = grant["signature"]?.string
        else { return nil }
        self.access = access
        self.granted = EmulatorTime(milliseconds: grant["granted"]?.integer ?? 0)
        self.expires = EmulatorTime(milliseconds: expires)
        self.signature = signature
    }

    private var json: JSONValue {
        [
            "access": .string(access.rawValue), "expires": .integer(expires.milliseconds),
            "granted": .integer(granted.milliseconds), "signature": .string(signature),
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

    /// What disks and snapshots alike can be asked to do.
    static func act(
        _ action: String, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> Answer? {
        switch action.lowercased() {
        case "begingetaccess": try begin(call, in: &state)
        case "endgetaccess": try end(call, in: &state)
        default: nil
        }
    }

    /// `beginGetAccess`.
    private static func begin(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
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
        guard record.body[path: "properties.networkAccessPolicy"]?.string != "DenyAll" else {
            throw ARMError(
                409, "OperationNotAllowed",
                "Access to '\(call.id.name)' cannot be granted: its networkAccessPolicy is DenyAll.")
        }
        try DiskCreation.checkCopied(record)
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
        let content = DiskContents.id(of: record) ?? ""
        let grant = DiskGrant(
            access: access, granted: call.now, expires: call.now + .seconds(duration), content: content,
            key: call.makeID() + call.makeID())
        record.hidden[path: "grant"] = grant.json
        record.hidden[path: "stateWithoutGrant"] = .string(diskState)
        record.body[path: "properties.diskState"] = isUpload ? "ActiveUpload" : "ActiveSAS"
        state.put(record)
        let query = grant.query.map { "\($0.name)=\(Self.escaped($0.value))" }.joined(separator: "&")
        let address = "\(BlobPath.address(of: content, at: call.surroundings.base))?\(query)"
        return .accepted(202, nil, call.begin("grant", input: ["address": .string(address)], in: &state), links)
    }

    /// Base64 has characters that mean something in a query.
    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "-._~"))) ?? text
    }

    /// `endGetAccess`.
    private static func end(_ call: ResourceCall, in state: inout EmulatorState) throws(ARMError) -> Answer {
        let record = try state.require(call.id)
        try Disks.checkIdle(call.id, in: state)
        let blob = BlobPath.address(of: DiskContents.id(of: record) ?? "", at: call.surroundings.base)
        return .accepted(202, nil, call.begin("revoke", input: ["blob": .string(blob)], in: &state), links)
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
                return .work(VHDFooter.check(of: record, blob: operation.input["blob"]?.string ?? ""))
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
