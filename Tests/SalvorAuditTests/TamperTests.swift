import Foundation
import SalvorDigest
import Testing

@testable import SalvorAudit

/// A log of six records, and one thing done to it behind its back.
struct Tampering: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let body: @Sendable (inout [String]) throws -> Void
    let finding: AuditVerdict.Finding
    /// Whether it shows only against the journal's head.
    var needsJournal = false
}

struct TamperTests {
    static let table: [Tampering] = [
        Tampering(
            testDescription: "one character of an event changed",
            body: { $0[2] = $0[2].replacing("note 3", with: "note 4") }, finding: .broken(line: 3, .changed)),
        Tampering(
            testDescription: "one character of the first record changed",
            body: { $0[0] = $0[0].replacing("coordinator", with: "c0ordinator") },
            finding: .broken(line: 1, .changed)),
        Tampering(
            testDescription: "one digit of the last record's digest changed",
            body: { lines in
                let digit = lines[5].dropLast(2).last == "0" ? "1" : "0"
                lines[5] = lines[5].dropLast(3) + digit + "\"}"
            }, finding: .broken(line: 6, .changed)),
        Tampering(
            testDescription: "a space put between two members",
            body: { $0[3] = $0[3].replacing(",\"event\"", with: ", \"event\"") }, finding: .broken(line: 4, .changed)),
        Tampering(
            testDescription: "a record removed from the middle", body: { $0.remove(at: 2) },
            finding: .broken(line: 3, .outOfSequence(expected: 3, found: 4))),
        Tampering(
            testDescription: "the first record removed", body: { $0.removeFirst() },
            finding: .broken(line: 1, .outOfSequence(expected: 1, found: 2))),
        Tampering(
            testDescription: "two records exchanged", body: { $0.swapAt(1, 3) },
            finding: .broken(line: 2, .outOfSequence(expected: 2, found: 4))),
        Tampering(
            testDescription: "a record doubled", body: { $0.insert($0[3], at: 4) },
            finding: .broken(line: 5, .outOfSequence(expected: 5, found: 4))),
        Tampering(
            testDescription: "an empty line put in", body: { $0.insert("", at: 4) },
            finding: .broken(line: 5, .notARecord)),
        Tampering(
            testDescription: "a line that is no record put in", body: { $0.insert("{}", at: 0) },
            finding: .broken(line: 1, .notARecord)),
        Tampering(
            testDescription: "a record changed and its own digest made anew",
            body: { $0[2] = try reseal($0[2].replacing("note 3", with: "note 4")) },
            finding: .broken(line: 4, .otherPredecessor)),
        Tampering(
            testDescription: "a record of another run put in its place",
            body: { $0[5] = try reseal($0[5].replacing("\"run\":\"r1\"", with: "\"run\":\"r2\"")) },
            finding: .broken(line: 6, .otherRun("r2"))),
        Tampering(
            testDescription: "the last record changed and its digest made anew",
            body: { $0[5] = try reseal($0[5].replacing("note 6", with: "note 7")) },
            finding: .broken(line: 6, .otherThanJournal), needsJournal: true),
        Tampering(
            testDescription: "the last record removed", body: { $0.removeLast() }, finding: .truncated(expected: 6),
            needsJournal: true),
        Tampering(
            testDescription: "everything removed", body: { $0.removeAll() }, finding: .truncated(expected: 6),
            needsJournal: true),
    ]

    @Test("Each kind of tampering is found at its line", arguments: table)
    func found(tampering: Tampering) throws {
        let (folder, head) = try tampered(tampering)
        let verdict = try AuditVerdict.verify(path: folder.log, head: head)
        #expect(verdict.finding == tampering.finding)
        #expect(!verdict.isSound)
        let alone = try AuditVerdict.verify(path: folder.log)
        #expect(alone.finding == (tampering.needsJournal ? .intact : tampering.finding))
        #expect(alone.statement.contains("not compared") == tampering.needsJournal)
    }

    @Test("Nothing is appended to a log that was tampered with, and the file stays as it is", arguments: table)
    func refused(tampering: Tampering) throws {
        let (folder, head) = try tampered(tampering)
        let before = try bytes(ofFile: folder.log)
        #expect(throws: AuditError(.notSound, "", nextStep: "")) {
            try AuditLog.open(path: folder.log, run: "r1", head: head)
        }
        #expect(try bytes(ofFile: folder.log) == before)
    }

    @Test("On request a tampered log is kept aside, and a new one begins by saying so", arguments: table)
    func replaced(tampering: Tampering) throws {
        let (folder, head) = try tampered(tampering)
        let before = try bytes(ofFile: folder.log)
        let log = try AuditLog.open(path: folder.log, run: "r1", head: head, onDamage: .replace)
        let reading = try AuditReading.read(path: folder.log, head: log.head)
        #expect(reading.verdict.finding == .intact)
        guard case .logReplaced(let event) = try #require(reading.records.first).event else {
            Issue.record("the new log does not say why it begins")
            return
        }
        if before.isEmpty {
            #expect(event.keptAs == nil)
        } else {
            #expect(event.keptAs == folder.log + ".damaged-1")
            #expect(event.sha256 == SHA256.digest(of: before))
            #expect(try bytes(ofFile: try #require(event.keptAs)) == before)
        }
    }

    @Test("A second damaged log does not overwrite the first")
    func replacedTwice() throws {
        let folder = try TemporaryFolder()
        for number in 1...2 {
            try write("damage \(number)\n".utf8, to: folder.log)
            try AuditLog.open(path: folder.log, run: "r1", onDamage: .replace).close()
        }
        #expect(try lines(ofFile: folder.log + ".damaged-1") == ["damage 1"])
        #expect(try lines(ofFile: folder.log + ".damaged-2") == ["damage 2"])
    }

    @Test("A log that went on after the journal last looked is intact")
    func aheadOfJournal() throws {
        let folder = try TemporaryFolder()
        let log = try AuditLog.open(path: folder.log, run: "r1")
        let head = try log.appendBlocking(.note(.init(text: "one")))
        try log.appendBlocking(.note(.init(text: "two")))
        #expect(try AuditVerdict.verify(path: folder.log, head: head).finding == .intact)
    }

    @Test("Whatever single bit flips, the log is no longer sound")
    func everyBit() throws {
        let folder = try TemporaryFolder()
        let log = try AuditLog.open(path: folder.log, run: "r1", clock: StepClock().read)
        for number in 1...3 { try log.appendBlocking(.note(.init(text: "note \(number)"))) }
        let good = try bytes(ofFile: folder.log)
        let lineEnds = good.indices.filter { good[$0] == UInt8(ascii: "\n") }
        for index in stride(from: 0, to: good.count, by: 3) {
            var bad = good
            bad[index] ^= 1 << UInt8(index % 8)
            try write(bad, to: folder.log)
            let verdict = try AuditVerdict.verify(path: folder.log, head: log.head)
            #expect(!verdict.isSound, "bit \(index % 8) of byte \(index)")
            let line = lineEnds.count { $0 < index } + 1
            #expect(verdict.firstBadLine == UInt64(line))
        }
    }

    private func tampered(_ tampering: Tampering) throws -> (TemporaryFolder, AuditHead) {
        let folder = try TemporaryFolder()
        let log = try AuditLog.open(path: folder.log, run: "r1", clock: StepClock().read)
        for number in 1...6 { try log.appendBlocking(.note(.init(text: "note \(number)"))) }
        log.close()
        var lines = try lines(ofFile: folder.log)
        try tampering.body(&lines)
        try write(lines.map { $0 + "\n" }.joined().utf8, to: folder.log)
        return (folder, log.head)
    }

    /// The line with the digest that its bytes have now.
    private static func reseal(_ line: String) throws -> String {
        let (unsealed, _) = try #require(AuditLine.split(Array(line.utf8)[...]))
        return String(decoding: unsealed.dropLast(), as: UTF8.self)
            + ",\"sha256\":\"\(SHA256.digest(of: unsealed).hex)\"}"
    }
}
