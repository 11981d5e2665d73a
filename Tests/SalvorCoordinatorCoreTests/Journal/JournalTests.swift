import Foundation
import GRDB
import SalvorAudit
import SalvorDigest
import Testing

@testable import SalvorCoordinatorCore

@Suite struct JournalTests {
    private let folder: TemporaryFolder
    private let state: StateDirectory

    init() throws {
        folder = try TemporaryFolder()
        state = StateDirectory(path: "\(folder.path)/deep/state")
    }

    private func begin(_ journal: Journal, run: String = "r1") async throws {
        try await journal.begin(
            RunRecord(
                id: run, provider: "fake", configuration: RunConfiguration(.rescue, machines: ["m1"]), recipe: [1, 2],
                recipeName: "recipe", recipeSHA256: SHA256.digest(of: [1]), state: .running,
                started: WallTime(unixMilliseconds: 1_000)),
            machines: [
                Machine(name: "m1", definition: "m1.yaml", osDisk: OSDisk(identifier: "/d", format: "raw"))
            ])
    }

    private func intend(_ journal: Journal, _ step: StepName = .copy) async throws -> Int64 {
        try await journal.intend(
            step, on: StepSubject(machine: "m1"), run: "r1", change: nil, at: WallTime(unixMilliseconds: 0),
            auditHead: .empty)
    }

    private func conclude(_ journal: Journal, _ intent: Int64) async throws {
        try await journal.conclude(
            intent, run: "r1", IntentRecord.Conclusion(result: .done, value: "{}", milliseconds: 1), change: nil,
            at: WallTime(unixMilliseconds: 0), auditHead: .empty)
    }

    @Test func `what is written survives the loss of power, and only its owner can read it`() async throws {
        let journal = try await Journal.open(state)
        let settings = try await journal.pool.writeWithoutTransaction { db in
            (try Int.fetchOne(db, sql: "PRAGMA synchronous"), try String.fetchOne(db, sql: "PRAGMA journal_mode"))
        }
        #expect(settings.0 == 2)
        #expect(settings.1 == "wal")
        for name in ["", "/journal.sqlite", "/journal.sqlite-wal", "/runs"] {
            let rights = try FileManager.default.attributesOfItem(atPath: state.path + name)[.posixPermissions]
            #expect((rights as? Int).map { $0 & 0o077 } == 0, "\(name)")
        }
    }

    @Test func `an intent gets one conclusion and no second`() async throws {
        let journal = try await Journal.open(state)
        try await begin(journal)
        let intent = try await intend(journal)
        try await conclude(journal, intent)
        await #expect(throws: CoordinatorError.self) { try await conclude(journal, intent) }
        #expect(try await journal.intents(ofRun: "r1").map(\.conclusion?.result) == [.done])
    }

    @Test func `an intent for a run or a machine that is not on record is refused`() async throws {
        let journal = try await Journal.open(state)
        await #expect(throws: CoordinatorError.self) { try await intend(journal) }
    }

    @Test func `what was open is concluded as interrupted, once`() async throws {
        let journal = try await Journal.open(state)
        try await begin(journal)
        try await conclude(journal, try await intend(journal))
        _ = try await intend(journal, .scan)
        let open = try await journal.concludeInterrupted(run: "r1", at: .now)
        #expect(open.map(\.step) == [.scan])
        #expect(try await journal.concludeInterrupted(run: "r1", at: .now).isEmpty)
        #expect(try await journal.intents(ofRun: "r1").map(\.conclusion?.result) == [.done, .interrupted])
    }

    @Test func `what happened is recorded even when the task was cancelled`() async throws {
        let journal = try await Journal.open(state)
        try await begin(journal)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await intend(journal)
        }
        _ = try await task.value
        #expect(try await journal.intents(ofRun: "r1").count == 1)
    }

    @Test func `the audit log's head moves on and never back`() async throws {
        let journal = try await Journal.open(state)
        try await begin(journal)
        let late = AuditHead(count: 7, sha256: SHA256.digest(of: [7]))
        let early = AuditHead(count: 6, sha256: SHA256.digest(of: [6]))
        for head in [late, early] {
            try await journal.setState(.running, ofRun: "r1", exitCode: nil, ended: nil, auditHead: head)
        }
        #expect(try await journal.run("r1").auditHead == late)
    }

    @Test func `a journal is read back after a restart as it was written`() async throws {
        let first = try await Journal.open(state)
        try await begin(first)
        try first.close()
        let second = try await Journal.open(state)
        let run = try await second.run("r1")
        #expect(run.recipe == [1, 2])
        #expect(run.configuration.machines == ["m1"])
        #expect(try await second.machines(ofRun: "r1").map(\.machine.name) == ["m1"])
    }

    @Test func `a file that is no journal is said as such and left as it is`() async throws {
        try FileManager.default.createDirectory(atPath: state.path, withIntermediateDirectories: true)
        let bytes = Data(repeating: 0x41, count: 4096)
        try bytes.write(to: URL(fileURLWithPath: state.journal))
        let error = await #expect(throws: CoordinatorError.self) { try await Journal.open(state) }
        #expect(error?.code == .state)
        #expect(try Data(contentsOf: URL(fileURLWithPath: state.journal)) == bytes)
    }

    @Test func `a lock is held by one, and let go`() throws {
        let directory = state.run("r1")
        try directory.make()
        #expect(!RunLock.isHeld(directory))
        do {
            let lock = try RunLock(run: "r1", directory: directory)
            #expect(RunLock.isHeld(directory))
            #expect(throws: CoordinatorError(.runBusy, "", nextStep: "")) {
                _ = try RunLock(run: "r1", directory: directory)
            }
            _ = consume lock
        }
        #expect(!RunLock.isHeld(directory))
    }

    @Test(arguments: [
        (["SALVOR_HOME": "/s", "XDG_STATE_HOME": "/x", "HOME": "/h"], "/s"),
        (["XDG_STATE_HOME": "/x", "HOME": "/h"], "/x/salvor"),
        (["XDG_STATE_HOME": "relative", "HOME": "/h"], "/h/.local/state/salvor"),
        (["HOME": "/h"], "/h/.local/state/salvor"),
    ])
    func `the state directory is found where the environment says`(environment: [String: String], path: String) throws {
        #expect(try StateDirectory.find(environment: environment).path == path)
    }

    @Test func `without a place for its state Salvor says so`() {
        #expect(throws: CoordinatorError(.state, "", nextStep: "")) { try StateDirectory.find(environment: [:]) }
        #expect(throws: CoordinatorError(.state, "", nextStep: "")) {
            try StateDirectory.find(environment: ["SALVOR_HOME": "here", "HOME": "/h"])
        }
    }

    @Test func `a name never leaves its folder, and two names never share one`() {
        let hostile = [
            "..", ".", "", "a/b", "a_b", "../../etc", "a\u{0}b", "a~b", "A", "a", "ü",
            String(repeating: "x", count: 300),
        ]
        let names = hostile.map { SafeName.component($0) }
        #expect(Set(names).count == hostile.count)
        for name in names {
            #expect(!name.contains("/") && !name.hasPrefix(".") && !name.isEmpty && name.utf8.count < 100, "\(name)")
        }
        #expect(SafeName.component("web-01.example") == "web-01.example")
    }
}
