internal import Foundation
internal import GRDB
internal import SalvorAudit
internal import SalvorDigest

extension Journal {
    /// Records a run and its machines before anything is done for it.
    func begin(_ run: RunRecord, machines: [Machine]) async throws(CoordinatorError) {
        try await write { db in
            try db.execute(
                sql: """
                    INSERT INTO run (id, provider, configuration, recipe, recipe_name, recipe_sha256, state, started)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    run.id, run.provider, try JSONText.encode(run.configuration), Data(run.recipe), run.recipeName,
                    run.recipeSHA256.hex, run.state.rawValue, run.started.rfc3339,
                ])
            for (position, machine) in machines.enumerated() {
                try db.execute(
                    sql: "INSERT INTO machine (run, name, position, definition) VALUES (?, ?, ?, ?)",
                    arguments: [run.id, machine.name, position, try JSONText.encode(machine)])
            }
        }
    }

    /// - Parameter ended: set for a state that the run does not leave by itself.
    func setState(
        _ state: RunRecord.State, ofRun run: String, exitCode: ExitCode?, ended: WallTime?, auditHead: AuditHead
    ) async throws(CoordinatorError) {
        try await write { db in
            try db.execute(
                sql: "UPDATE run SET state = ?, exit_code = ?, ended = ? WHERE id = ?",
                arguments: [state.rawValue, exitCode?.rawValue, ended?.rfc3339, run])
            try Self.advance(auditHead, ofRun: run, db)
        }
    }

    /// The head only ever moves on: of two steps that end together, either may be written first.
    static func advance(_ head: AuditHead, ofRun run: String, _ db: Database) throws {
        try db.execute(
            sql: "UPDATE run SET audit_count = ?, audit_sha256 = ? WHERE id = ? AND audit_count < ?",
            arguments: [Int64(head.count), head.sha256.hex, run, Int64(head.count)])
    }

    /// The runs on record, newest first.
    package func runs() async throws(CoordinatorError) -> [RunRecord] {
        try await read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM run ORDER BY started DESC, id DESC").map(Self.run)
        }
    }

    /// - Throws: ``CoordinatorError/Code/noSuchRun``.
    package func run(_ id: String) async throws(CoordinatorError) -> RunRecord {
        let runs = try await runs()
        guard let run = runs.first(where: { $0.id == id }) else {
            let meant = Spelling.closest(to: id, among: runs.map(\.id)).map { "Did you mean \($0)? " } ?? ""
            throw CoordinatorError(
                .noSuchRun, "There is no run \(printable(id.prefix(80))).",
                nextStep: "\(meant)“salvor status” lists the runs.")
        }
        return run
    }

    package func machines(ofRun run: String) async throws(CoordinatorError) -> [MachineRecord] {
        try await read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM machine WHERE run = ? ORDER BY position", arguments: [run])
                .map { row in
                    let outcome: String? = row["outcome"]
                    return MachineRecord(
                        machine: try JSONText.decode(from: row["definition"]), attempt: row["attempt"],
                        outcome: try outcome.map { try JSONText.decode(from: $0) })
                }
        }
    }

    /// The recipe that the run goes on with.
    func setRecipe(of run: RunRecord) async throws(CoordinatorError) {
        try await write { db in
            try db.execute(
                sql: "UPDATE run SET recipe = ?, recipe_name = ?, recipe_sha256 = ? WHERE id = ?",
                arguments: [Data(run.recipe), run.recipeName, run.recipeSHA256.hex, run.id])
        }
    }

    func setAttempt(_ attempt: Int, of machine: String, run: String) async throws(CoordinatorError) {
        try await write { db in
            try db.execute(
                sql: "UPDATE machine SET attempt = ? WHERE run = ? AND name = ?", arguments: [attempt, run, machine])
        }
    }

    func setOutcome(
        _ outcome: MachineOutcome, of machine: String, run: String, auditHead: AuditHead
    ) async throws(CoordinatorError) {
        try await write { db in
            try db.execute(
                sql: "UPDATE machine SET outcome = ? WHERE run = ? AND name = ?",
                arguments: [try JSONText.encode(outcome), run, machine])
            try Self.advance(auditHead, ofRun: run, db)
        }
    }

    private static func run(_ row: Row) throws -> RunRecord {
        let ended: String? = row["ended"]
        let exitCode: Int32? = row["exit_code"]
        let state: String = row["state"]
        let recipe: Data = row["recipe"]
        guard let started = WallTime(rfc3339: row["started"]), let sha256 = Digest(hex: row["recipe_sha256"]),
            let state = RunRecord.State(rawValue: state)
        else {
            throw CoordinatorError(
                .state, "The journal has a run that this Salvor cannot read.",
                nextStep: "Use the Salvor that wrote it, or a newer one.")
        }
        let count: Int64 = row["audit_count"]
        let head = Digest(hex: row["audit_sha256"]).map { AuditHead(count: UInt64(count), sha256: $0) }
        return RunRecord(
            id: row["id"], provider: row["provider"], configuration: try JSONText.decode(from: row["configuration"]),
            recipe: [UInt8](recipe), recipeName: row["recipe_name"], recipeSHA256: sha256, state: state,
            started: started, ended: ended.flatMap(WallTime.init(rfc3339:)),
            exitCode: exitCode.flatMap(ExitCode.init(rawValue:)), auditHead: head)
    }
}
