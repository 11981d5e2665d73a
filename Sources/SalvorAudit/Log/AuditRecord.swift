package import SalvorDigest

/// One line of an audit log: an event, its place, and the proof of both.
package struct AuditRecord: Hashable, Sendable {
    /// Counts from 1 within a log.
    package var sequence: UInt64
    package var time: WallTime
    package var run: String
    /// The machine that it is about, nil for what is about the whole run.
    package var machine: String?
    /// The rescue VM that it happened on, `rescue-1`.
    package var host: String?
    package var actor: AuditActor
    package var event: AuditEvent
    /// SHA-256 of the record before; 32 zero bytes in the first record.
    package var previous: Digest
    /// SHA-256 of this record: ``AuditLine``.
    package var sha256: Digest
}

/// Everything of a record but its own digest; its keys, sorted, are those of the line.
struct UnsealedRecord: Hashable, Sendable {
    /// Of the line's format. A reader accepts a later one: the chain does not depend on what the record says.
    static let currentVersion = 1

    var version = Self.currentVersion
    var sequence: UInt64
    var time: WallTime
    var run: String
    var machine: String?
    var host: String?
    var actor: AuditActor
    var event: AuditEvent
    var previous: Digest

    func sealed(_ sha256: Digest) -> AuditRecord {
        AuditRecord(
            sequence: sequence, time: time, run: run, machine: machine, host: host, actor: actor, event: event,
            previous: previous, sha256: sha256)
    }
}

extension UnsealedRecord: Codable {
    private enum CodingKeys: String, CodingKey {
        case version, sequence, time, run, machine, host, actor, event, data, previous
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        version = try container.decode(Int.self, forKey: .version)
        sequence = try container.decode(UInt64.self, forKey: .sequence)
        time = try container.decode(WallTime.self, forKey: .time)
        run = try container.decode(String.self, forKey: .run)
        machine = try container.decodeIfPresent(String.self, forKey: .machine)
        host = try container.decodeIfPresent(String.self, forKey: .host)
        actor = try container.decode(AuditActor.self, forKey: .actor)
        previous = try container.decode(Digest.self, forKey: .previous)
        event = try AuditEvent(
            kind: try container.decode(String.self, forKey: .event), data: try container.superDecoder(forKey: .data))
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(version, forKey: .version)
        try container.encode(sequence, forKey: .sequence)
        try container.encode(time, forKey: .time)
        try container.encode(run, forKey: .run)
        try container.encodeIfPresent(machine, forKey: .machine)
        try container.encodeIfPresent(host, forKey: .host)
        try container.encode(actor, forKey: .actor)
        try container.encode(event.kind, forKey: .event)
        try event.encodeData(to: container.superEncoder(forKey: .data))
        try container.encode(previous, forKey: .previous)
    }
}
