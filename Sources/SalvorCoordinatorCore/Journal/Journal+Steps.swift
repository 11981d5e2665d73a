internal import GRDB
internal import SalvorAudit

/// What a step does to a resource of the run, recorded together with its intent and its conclusion.
struct ResourceChange: Sendable {
    var kind: ResourceRecord.Kind
    var name: String
    /// From the moment that the step is intended.
    var atIntent: ResourceRecord.State?
    /// Once the step is done.
    var whenDone: ResourceRecord.State
}

/// Whom a step is about.
struct StepSubject: Sendable {
    var machine: String?
    var host: HostName?
    var attempt = 1
}

extension Journal {
    /// Durable when it returns; only then may the effect begin.
    func intend(
        _ step: StepName, on subject: StepSubject, run: String, change: ResourceChange?, at time: WallTime,
        auditHead: AuditHead
    ) async throws(CoordinatorError) -> Int64 {
        try await write { db in
            try db.execute(
                sql: "INSERT INTO intent (run, machine, host, attempt, step, intended) VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [
                    run, subject.machine, subject.host?.number, subject.attempt, step.rawValue, time.rfc3339,
                ])
            let id = db.lastInsertedRowID
            if let change, let state = change.atIntent { try Self.set(state, of: change, run: run, db) }
            try Self.advance(auditHead, ofRun: run, db)
            return id
        }
    }

    func conclude(
        _ intent: Int64, run: String, _ conclusion: IntentRecord.Conclusion, change: ResourceChange?,
        at time: WallTime, auditHead: AuditHead
    ) async throws(CoordinatorError) {
        try await write { db in
            try db.execute(
                sql: "INSERT INTO conclusion (intent, result, value, milliseconds, concluded) VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    intent, conclusion.result.rawValue, conclusion.value, conclusion.milliseconds, time.rfc3339,
                ])
            if let change, conclusion.result == .done { try Self.set(change.whenDone, of: change, run: run, db) }
            try Self.advance(auditHead, ofRun: run, db)
        }
    }

    /// Gives every intent without a conclusion the one that fits a process that ended: interrupted.
    /// - Returns: those intents, oldest first.
    func concludeInterrupted(run: String, at time: WallTime) async throws(CoordinatorError) -> [IntentRecord] {
        let open = try await intents(ofRun: run).filter { $0.conclusion == nil }
        try await write { db in
            for intent in open {
                try db.execute(
                    sql: "INSERT INTO conclusion (intent, result, concluded) VALUES (?, ?, ?)",
                    arguments: [intent.id, StepResult.interrupted.rawValue, time.rfc3339])
            }
        }
        return open
    }

    /// Every intent of the run, oldest first.
    package func intents(ofRun run: String) async throws(CoordinatorError) -> [IntentRecord] {
        try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT intent.*, conclusion.result, conclusion.value, conclusion.milliseconds
                    FROM intent LEFT JOIN conclusion ON conclusion.intent = intent.id
                    WHERE run = ? ORDER BY id
                    """, arguments: [run]
            ).map(Self.intent)
        }
    }

    package func resources(ofRun run: String) async throws(CoordinatorError) -> [ResourceRecord] {
        try await read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM resource WHERE run = ? ORDER BY kind, name", arguments: [run])
                .compactMap { row in
                    guard let kind = ResourceRecord.Kind(rawValue: row["kind"]),
                        let state = ResourceRecord.State(rawValue: row["state"])
                    else { return nil }
                    return ResourceRecord(kind: kind, name: row["name"], state: state)
                }
        }
    }

    /// How long each step that is done took, oldest first.
    package func phases(ofRun run: String) async throws(CoordinatorError) -> [PhaseTime] {
        try await intents(ofRun: run).compactMap { intent in
            guard let conclusion = intent.conclusion, conclusion.result == .done,
                let milliseconds = conclusion.milliseconds
            else { return nil }
            return PhaseTime(
                machine: intent.machine, host: intent.host, step: intent.step, milliseconds: milliseconds)
        }
    }

    private static func set(
        _ state: ResourceRecord.State, of change: ResourceChange, run: String, _ db: Database
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO resource (run, kind, name, state) VALUES (?, ?, ?, ?)
                ON CONFLICT (run, kind, name) DO UPDATE SET state = excluded.state
                """, arguments: [run, change.kind.rawValue, change.name, state.rawValue])
    }

    private static func intent(_ row: Row) throws -> IntentRecord {
        guard let step = StepName(rawValue: row["step"]) else {
            throw CoordinatorError(
                .state, "The journal has a step that this Salvor does not know.",
                nextStep: "Use the Salvor that wrote it, or a newer one.")
        }
        let result: String? = row["result"]
        let conclusion = result.flatMap(StepResult.init(rawValue:)).map {
            IntentRecord.Conclusion(result: $0, value: row["value"], milliseconds: row["milliseconds"])
        }
        return IntentRecord(
            id: row["id"], machine: row["machine"], host: row["host"], attempt: row["attempt"], step: step,
            conclusion: conclusion)
    }
}
