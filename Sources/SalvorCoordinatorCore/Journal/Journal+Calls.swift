internal import GRDB
internal import SalvorAudit

extension Journal {
    /// Keeps the calls of one step, in their order.
    func keep(_ calls: [ProviderCall], of intent: Int64) async throws(CoordinatorError) {
        guard !calls.isEmpty else { return }
        try await write { db in
            for (position, call) in calls.enumerated() {
                try db.execute(
                    sql: """
                        INSERT INTO call (intent, position, verb, target, changes, status, code, request_id,
                            correlation_id, milliseconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        intent, position, call.verb, call.target, call.changes, call.status, call.code, call.requestID,
                        call.correlationID, call.milliseconds,
                    ])
            }
        }
    }

    /// The kept calls of a run, oldest first.
    package func calls(ofRun run: String) async throws(CoordinatorError) -> [ProviderCall] {
        try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT call.* FROM call JOIN intent ON intent.id = call.intent
                    WHERE intent.run = ? ORDER BY call.intent, call.position
                    """, arguments: [run]
            ).map { row in
                ProviderCall(
                    verb: row["verb"], target: row["target"], changes: row["changes"], status: row["status"],
                    code: row["code"], requestID: row["request_id"], correlationID: row["correlation_id"],
                    milliseconds: row["milliseconds"])
            }
        }
    }
}
