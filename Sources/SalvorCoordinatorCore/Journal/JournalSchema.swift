internal import GRDB

/// The journal's tables. A migration, once released, is never changed.
enum JournalSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE run (
                        id TEXT PRIMARY KEY NOT NULL,
                        provider TEXT NOT NULL,
                        configuration TEXT NOT NULL,
                        recipe BLOB NOT NULL,
                        recipe_name TEXT NOT NULL,
                        recipe_sha256 TEXT NOT NULL,
                        state TEXT NOT NULL CHECK (state IN ('running', 'interrupted', 'finished', 'rolledBack')),
                        started TEXT NOT NULL,
                        ended TEXT,
                        exit_code INTEGER,
                        audit_count INTEGER NOT NULL DEFAULT 0,
                        audit_sha256 TEXT NOT NULL DEFAULT ''
                    ) STRICT;

                    CREATE TABLE machine (
                        run TEXT NOT NULL REFERENCES run (id),
                        name TEXT NOT NULL,
                        position INTEGER NOT NULL,
                        definition TEXT NOT NULL,
                        attempt INTEGER NOT NULL DEFAULT 1,
                        outcome TEXT,
                        PRIMARY KEY (run, name)
                    ) STRICT;

                    -- Durable before the effect that it announces.
                    CREATE TABLE intent (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        run TEXT NOT NULL REFERENCES run (id),
                        machine TEXT,
                        host INTEGER,
                        attempt INTEGER NOT NULL,
                        step TEXT NOT NULL,
                        intended TEXT NOT NULL,
                        FOREIGN KEY (run, machine) REFERENCES machine (run, name)
                    ) STRICT;
                    CREATE INDEX intent_by_machine ON intent (run, machine, attempt, step);

                    -- The key makes a second conclusion of one intent impossible.
                    CREATE TABLE conclusion (
                        intent INTEGER PRIMARY KEY NOT NULL REFERENCES intent (id),
                        result TEXT NOT NULL CHECK (result IN ('done', 'failed', 'interrupted')),
                        value TEXT,
                        milliseconds INTEGER,
                        concluded TEXT NOT NULL
                    ) STRICT;

                    CREATE TABLE resource (
                        run TEXT NOT NULL REFERENCES run (id),
                        kind TEXT NOT NULL CHECK (kind IN ('copy', 'host')),
                        name TEXT NOT NULL,
                        state TEXT NOT NULL CHECK (state IN ('intended', 'made', 'inUse', 'gone')),
                        PRIMARY KEY (run, kind, name)
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("2") { db in
            try db.execute(
                sql: """
                    -- What the provider was asked to change, and what it refused: the requests' ids are what its support
                    -- asks for.
                    CREATE TABLE call (
                        intent INTEGER NOT NULL REFERENCES intent (id),
                        position INTEGER NOT NULL,
                        verb TEXT NOT NULL,
                        target TEXT NOT NULL,
                        changes INTEGER NOT NULL CHECK (changes IN (0, 1)),
                        status INTEGER,
                        code TEXT,
                        request_id TEXT,
                        correlation_id TEXT,
                        milliseconds INTEGER NOT NULL,
                        PRIMARY KEY (intent, position)
                    ) STRICT;
                    """)
        }
        return migrator
    }
}
