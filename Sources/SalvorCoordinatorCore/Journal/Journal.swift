internal import GRDB
internal import SalvorAudit
internal import SalvorSystem

/// The durable record that a run resumes from: SQLite, one file for all runs of a state directory.
package struct Journal: Sendable {
    let pool: DatabasePool
    let path: String

    /// Opens the journal, makes it where there is none, and brings its tables up to date.
    package static func open(_ state: StateDirectory) async throws(CoordinatorError) -> Journal {
        try await Blocking.run { () throws(CoordinatorError) in
            try state.make()
            // SQLite gives its side files the rights of the main one.
            try PrivateFiles.makeFile(state.journal)
            do {
                return try Journal(path: state.journal)
            } catch {
                throw Self.failure(error, path: state.journal)
            }
        }
    }

    private init(path: String) throws {
        var configuration = Configuration()
        configuration.label = "salvor.journal"
        // Other salvors write their own runs into the same file.
        configuration.busyMode = .timeout(10)
        configuration.foreignKeysEnabled = true
        let pool = try DatabasePool(path: path, configuration: configuration)
        try JournalSchema.migrator.migrate(pool)
        // The pool sets its writer to NORMAL when it opens it, and an intent must survive the loss of power.
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        self.pool = pool
        self.path = path
    }

    /// Lets go of the file.
    package func close() throws { try pool.close() }

    func write<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(CoordinatorError) -> Value {
        // A task of its own: GRDB gives a write up when its task is cancelled, and what happened is recorded even then.
        let pool = pool
        let result = await Task { try await pool.write(body) }.result
        do {
            return try result.get()
        } catch {
            throw Self.failure(error, path: path)
        }
    }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(CoordinatorError) -> Value {
        let pool = pool
        let result = await Task { try await pool.read(body) }.result
        do {
            return try result.get()
        } catch {
            throw Self.failure(error, path: path)
        }
    }

    private static func failure(_ error: any Error, path: String) -> CoordinatorError {
        if let error = error as? CoordinatorError { return error }
        let isFull = (error as? DatabaseError)?.resultCode == .SQLITE_FULL
        return CoordinatorError(
            isFull ? .noSpace : .state, "The journal \(printable(path)) cannot be used.",
            nextStep: isFull
                ? "Make room on its disk, then resume the run."
                : "Check the file's owner and rights; where it is damaged, move it away and keep it.",
            cause: error)
    }
}
