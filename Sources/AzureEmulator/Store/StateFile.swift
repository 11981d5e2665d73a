internal import Foundation
internal import GRDB
internal import Synchronization

/// The state on disk: SQLite, one row for each resource and operation.
///
/// Written behind the lock of the state, in the order of the changes, many at once where many wait. WAL without a sync
/// for each commit: what was answered survives the end of the process, though not that of the computer.
package final class StateFile: Sendable {
    private let database: DatabaseQueue
    private let queue = Mutex(Queue())

    private struct Queue {
        var waiting: [(EmulatorState.Changes, AsyncThrowingStream<Never, any Error>.Continuation)] = []
        var isWriting = false
    }

    /// - Parameter path: nil for a state that ends with the process.
    package init(path: String?) throws {
        var configuration = Configuration()
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = NORMAL")
        }
        if let path {
            database = try DatabaseQueue(path: path, configuration: configuration)
            try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = WAL") }
        } else {
            database = try DatabaseQueue(configuration: configuration)
        }
        try database.write { database in
            try database.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS resource (key TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
                    CREATE TABLE IF NOT EXISTS operation (key TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
                    """)
        }
    }

    package func load() throws -> EmulatorState {
        try database.read { database in
            let decoder = JSONDecoder()
            return EmulatorState(
                records: try Data.fetchAll(database, sql: "SELECT record FROM resource").map {
                    try decoder.decode(Record.self, from: $0)
                },
                operations: try Data.fetchAll(database, sql: "SELECT record FROM operation").map {
                    try decoder.decode(Operation.self, from: $0)
                })
        }
    }

    /// Hands changes over, to be written after all that were handed over before.
    /// - Returns: ends when they are on disk, and what was handed over before; nil where all of that is. So nobody is
    ///   told of a change that the end of the process could still undo.
    package func write(_ changes: EmulatorState.Changes) -> Written? {
        let (begins, written) = queue.withLock { queue -> (Bool, Written?) in
            guard !changes.isEmpty || queue.isWriting else { return (false, nil) }
            let (done, finished) = AsyncThrowingStream<Never, any Error>.makeStream()
            queue.waiting.append((changes, finished))
            defer { queue.isWriting = true }
            return (!queue.isWriting, Written(done: done))
        }
        if begins { writeNext() }
        return written
    }

    /// What is being written.
    package struct Written: Sendable {
        fileprivate let done: AsyncThrowingStream<Never, any Error>

        /// Returns when it is on disk.
        package func wait() async throws { for try await _ in done {} }
    }

    /// Writes all that waits in one transaction, and then what has come meanwhile.
    private func writeNext() {
        let batch = queue.withLock { queue in
            let batch = queue.waiting
            queue.waiting = []
            queue.isWriting = !batch.isEmpty
            return batch
        }
        guard !batch.isEmpty else { return }
        database.asyncWriteWithoutTransaction { database in
            var failure: (any Error)?
            do {
                try database.inTransaction {
                    for (changes, _) in batch { try Self.apply(changes, to: database) }
                    return .commit
                }
            } catch {
                failure = error
            }
            for (_, finished) in batch { finished.finish(throwing: failure) }
            self.writeNext()
        }
    }

    private static func apply(_ changes: EmulatorState.Changes, to database: Database) throws {
        let encoder = JSONEncoder()
        for (key, record) in changes.records {
            try apply(key, try record.map(encoder.encode), to: "resource", database)
        }
        for (key, operation) in changes.operations {
            try apply(key, try operation.map(encoder.encode), to: "operation", database)
        }
    }

    private static func apply(_ key: String, _ data: Data?, to table: String, _ database: Database) throws {
        if let data {
            try database.cachedStatement(
                sql: "INSERT INTO \(table) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET record = excluded.record"
            ).execute(arguments: [key, data])
        } else {
            try database.cachedStatement(sql: "DELETE FROM \(table) WHERE key = ?").execute(arguments: [key])
        }
    }
}
