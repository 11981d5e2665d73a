import Foundation
import SalvorDigest
import Testing

@testable import SalvorAudit

struct AuditLogTests {
    @Test("A log is one file of lines that only its owner can read")
    func file() throws {
        let folder = try TemporaryFolder()
        let log = try AuditLog.open(path: folder.log, run: "r1")
        #expect(log.head == .empty)
        let head = try log.appendBlocking(.note(.init(text: "one")))
        #expect(head.count == 1)
        #expect(head == log.head)
        let mode = try FileManager.default.attributesOfItem(atPath: folder.log)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try lines(ofFile: folder.log).count == 1)
    }

    @Test("A line's digest is what sha256sum says of it", .enabled(if: has("/usr/bin/sha256sum"), "needs coreutils"))
    func independentDigest() throws {
        let folder = try TemporaryFolder()
        let log = try AuditLog.open(path: folder.log, run: "r1")
        for event in Samples.everyKind { try log.appendBlocking(event) }
        let script =
            #"tail -n 1 "$1" | sed -E 's/,"sha256":"[0-9a-f]{64}"\}$/}/' | tr -d '\n' | sha256sum | cut -d ' ' -f 1"#
        #expect(try run("/bin/sh", ["-c", script, "sh", folder.log]) == log.head.sha256.hex + "\n")
    }

    @Test("A second writer is refused while the first one lives, and let in after it")
    func oneWriter() throws {
        let folder = try TemporaryFolder()
        let first = try AuditLog.open(path: folder.log, run: "r1")
        try first.appendBlocking(.note(.init(text: "one")))
        #expect(throws: AuditError(.inUse, "", nextStep: "")) { try AuditLog.open(path: folder.log, run: "r1") }
        first.close()
        #expect(throws: AuditError(.closed, "", nextStep: "")) { try first.appendBlocking(.note(.init(text: "two"))) }
        let second = try AuditLog.open(path: folder.log, run: "r1", head: first.head)
        try second.appendBlocking(.note(.init(text: "two")))
        let reading = try AuditReading.read(path: folder.log, head: second.head)
        #expect(reading.records.map(\.sequence) == [1, 2])
        #expect(reading.verdict.finding == .intact)
    }

    @Test("Appends from many tasks at once make one unbroken chain that holds each of them once")
    func concurrentAppends() async throws {
        let folder = try TemporaryFolder()
        let log = try AuditLog.open(path: folder.log, run: "r1")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<16 {
                group.addTask {
                    for number in 0..<20 { try await log.append(.note(.init(text: "\(task)/\(number)"))) }
                }
            }
            try await group.waitForAll()
        }
        let reading = try AuditReading.read(path: folder.log, head: log.head)
        #expect(reading.verdict == AuditVerdict(finding: .intact, head: log.head, comparedWithJournal: true))
        let texts = reading.records.map { record in
            if case .note(let note) = record.event { note.text } else { "" }
        }
        #expect(Set(texts).count == 320)
        for task in 0..<16 {
            let own = texts.filter { $0.hasPrefix("\(task)/") }
            #expect(own == (0..<20).map { "\(task)/\($0)" }, "the order of one task is kept")
        }
    }

    @Test("An append is recorded although its task was cancelled")
    func cancelledAppend() async throws {
        let folder = try TemporaryFolder()
        let log = try AuditLog.open(path: folder.log, run: "r1")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await log.append(.interrupted(.init(reason: "SIGINT")))
        }
        #expect(try await task.value.count == 1)
    }

    @Test("A write that is cut short leaves the log as it was, and the next append works")
    func shortWrite() throws {
        let folder = try TemporaryFolder()
        let writes = Counter()
        let log = try AuditLog.open(
            path: folder.log, run: "r1", head: nil, onDamage: .refuse, clock: StepClock().read,
            write: { descriptor, bytes in
                guard writes.next() == 2 else { return systemWrite(descriptor, bytes) }
                return systemWrite(descriptor, UnsafeRawBufferPointer(rebasing: bytes[..<40]))
            })
        let head = try log.appendBlocking(.note(.init(text: "one")))
        let before = try bytes(ofFile: folder.log)
        #expect(throws: AuditError(.writeFailed, "", nextStep: "")) {
            try log.appendBlocking(.note(.init(text: "two")))
        }
        #expect(try bytes(ofFile: folder.log) == before)
        #expect(log.head == head)
        try log.appendBlocking(.note(.init(text: "two, again")))
        #expect(try AuditReading.read(path: folder.log, head: log.head).verdict.finding == .intact)
    }

    @Test("A record too large for a reader is refused and leaves no trace")
    func tooLarge() throws {
        let folder = try TemporaryFolder()
        let log = try AuditLog.open(path: folder.log, run: "r1")
        #expect(throws: AuditError(.recordRefused, "", nextStep: "")) {
            try log.appendBlocking(.note(.init(text: String(repeating: "\u{7}", count: AuditLine.byteLimit / 6))))
        }
        #expect(try bytes(ofFile: folder.log).isEmpty)
        try log.appendBlocking(.note(.init(text: "still open")))
        #expect(try AuditReading.read(path: folder.log).verdict.head.count == 1)
    }

    @Test("What is no regular file is not written to")
    func notAFile() throws {
        let folder = try TemporaryFolder()
        #expect(throws: AuditError(.unreadable, "", nextStep: "")) {
            try AuditLog.open(path: folder.path, run: "r1")
        }
        try FileManager.default.createSymbolicLink(atPath: folder.log, withDestinationPath: folder.path + "/other")
        #expect(throws: AuditError(.unreadable, "", nextStep: "")) { try AuditLog.open(path: folder.log, run: "r1") }
        #expect(throws: AuditError(.missing, "", nextStep: "")) {
            try AuditReading.read(path: folder.path + "/none")
        }
    }
}

func has(_ program: String) -> Bool { FileManager.default.isExecutableFile(atPath: program) }

/// - Returns: what the program wrote to its standard output.
func run(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw ProgramFailed(status: process.terminationStatus) }
    return String(decoding: bytes, as: UTF8.self)
}

struct ProgramFailed: Error {
    let status: Int32
}
