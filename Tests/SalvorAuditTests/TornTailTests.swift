import Foundation
import SalvorAudit
import SalvorDigest
import Testing

struct TornTailTests {
    @Test("Wherever a crash cuts the last record, it is recognised, reported, and the log goes on from the one before")
    func everyCut() throws {
        let folder = try TemporaryFolder()
        let log = try AuditLog.open(path: folder.log, run: "r1", clock: StepClock().read)
        let head = try log.appendBlocking(.note(.init(text: "one")))
        let whole = try bytes(ofFile: folder.log)
        try log.appendBlocking(.note(.init(text: "two")))
        let both = try bytes(ofFile: folder.log)
        log.close()
        for cut in (whole.count + 1)..<both.count {
            try write(both[..<cut], to: folder.log)
            let verdict = try AuditVerdict.verify(path: folder.log, head: head)
            #expect(verdict.finding == .torn(byteCount: UInt64(cut - whole.count)))
            #expect(verdict.isSound)
            #expect(verdict.head == head)

            let resumed = try AuditLog.open(path: folder.log, run: "r1", head: head)
            try resumed.appendBlocking(.note(.init(text: "three")))
            let reading = try AuditReading.read(path: folder.log, head: resumed.head)
            resumed.close()
            #expect(reading.verdict.finding == .intact)
            #expect(
                reading.records.map(\.event).suffix(2) == [
                    .tornRecordDropped(
                        .init(
                            byteCount: UInt64(cut - whole.count), sha256: SHA256.digest(of: both[whole.count..<cut]))),
                    .note(.init(text: "three")),
                ])
        }
    }

    @Test("A torn record that the journal remembers is a cut-off end, not a crash")
    func tornAndRemembered() throws {
        let folder = try TemporaryFolder()
        let log = try AuditLog.open(path: folder.log, run: "r1")
        try log.appendBlocking(.note(.init(text: "one")))
        try log.appendBlocking(.note(.init(text: "two")))
        log.close()
        try write(try bytes(ofFile: folder.log).dropLast(), to: folder.log)
        let verdict = try AuditVerdict.verify(path: folder.log, head: log.head)
        #expect(verdict.finding == .truncated(expected: 2))
        #expect(throws: AuditError(.notSound, "", nextStep: "")) {
            try AuditLog.open(path: folder.log, run: "r1", head: log.head)
        }
    }

    @Test("A line without end, longer than any record, is no torn record")
    func endlessLine() throws {
        let folder = try TemporaryFolder()
        try write([UInt8](repeating: UInt8(ascii: "x"), count: 3 << 20), to: folder.log)
        #expect(try AuditVerdict.verify(path: folder.log).finding == .broken(line: 1, .notARecord))
    }
}
