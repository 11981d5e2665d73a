import Foundation
import SalvorAudit
import SalvorDigest
import SalvorJSON
import Testing

struct EventCodingTests {
    @Test("The samples hold one event of every kind, so that no kind escapes the other tests")
    func samplesAreComplete() {
        #expect(Set(Samples.everyKind.map(\.kind)) == AuditEvent.knownKinds)
        #expect(Samples.everyKind.count == AuditEvent.knownKinds.count)
    }

    @Test("Every kind of event comes back from the log as it was appended", arguments: Samples.everyKind)
    func roundTrip(event: AuditEvent) throws {
        let folder = try TemporaryFolder()
        let log = try AuditLog.open(path: folder.log, run: "r1", clock: StepClock().read)
        try log.appendBlocking(event, by: .agent, machine: "web", host: "rescue-1")
        let reading = try AuditReading.read(path: folder.log, head: log.head)
        #expect(reading.verdict.finding == .intact)
        let record = try #require(reading.records.first)
        #expect(record.event == event)
        #expect(record.machine == "web")
        #expect(record.host == "rescue-1")
        #expect(record.actor == .agent)
        #expect(record.time.rfc3339 == "2024-07-19T05:30:00.000Z")
    }

    @Test("An event of a later version survives: read, kept, written again, and read once more")
    func unknownEvent() throws {
        let data = JSONValue.object([
            "text": .string("β\u{1B}"), "big": .unsigned(.max), "small": .integer(.min), "share": .number(0.5),
            "list": .array([.null, .bool(true), .bool(false), .object([:])]),
        ])
        let event = AuditEvent.unknown(kind: "sealed", data: data)
        let folder = try TemporaryFolder()
        for name in ["first", "second"] {
            let path = "\(folder.path)/\(name)"
            let log = try AuditLog.open(path: path, run: "r1")
            try log.appendBlocking(event)
            #expect(try AuditReading.read(path: path).records.first?.event == event)
        }
    }

    @Test("A known kind whose data this version cannot read is kept as unknown, with its data")
    func unreadableKnownKind() throws {
        let data = JSONValue.object(["path": .string("not a list of names")])
        let folder = try TemporaryFolder()
        let log = try AuditLog.open(path: folder.log, run: "r1")
        try log.appendBlocking(.unknown(kind: AuditEvent.FileDeleted.kind, data: data))
        #expect(
            try AuditReading.read(path: folder.log).records.first?.event == .unknown(kind: "fileDeleted", data: data))
    }

    @Test("A code of a later version survives within a known event")
    func unknownCode() throws {
        let event = Samples.judged(Samples.path, .init(rawValue: "suspicious"), .init(rawValue: "rename"))
        let folder = try TemporaryFolder()
        let log = try AuditLog.open(path: folder.log, run: "r1")
        try log.appendBlocking(event)
        #expect(try AuditReading.read(path: folder.log).records.first?.event == event)
    }

    @Test("Hostile strings come back byte for byte, and the log shows none of them raw", arguments: Hostile.all)
    func hostileStrings(text: String) throws {
        let folder = try TemporaryFolder()
        let log = try AuditLog.open(path: folder.log, run: "r1")
        let event = Samples.judged(GuestPath([text]), reason: text)
        try log.appendBlocking(event, machine: text)
        let record = try #require(try AuditReading.read(path: folder.log).records.first)
        guard case .fileJudged(let judged) = record.event else {
            Issue.record("another event")
            return
        }
        // Swift takes strings for equal that differ in their scalars.
        #expect(judged.path.components.map { Array($0.utf8) } == [Array(text.utf8)])
        #expect(record.machine.map { Array($0.utf8) } == Array(text.utf8))
        let raw = try bytes(ofFile: folder.log)
        #expect(raw.dropLast().allSatisfy { (0x20...0x7E).contains($0) })
        #expect(raw.last == UInt8(ascii: "\n"))
    }
}
