import Foundation
import SalvorAudit
import SalvorDigest
import Synchronization

/// A folder of its own, gone with its owner.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/salvor-audit-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var log: String { path + "/audit.jsonl" }
}

/// A clock that goes on by 250 ms each time it is looked at, from 2024-07-19T05:30:00.000Z.
final class StepClock: Sendable {
    private let milliseconds = Mutex<Int64>(1_721_367_000_000)

    var read: @Sendable () -> WallTime {
        {
            self.milliseconds.withLock { value in
                defer { value += 250 }
                return WallTime(unixMilliseconds: value)
            }
        }
    }
}

func digest(_ text: String) -> Digest { SHA256.digest(of: Array(text.utf8)) }

func bytes(ofFile path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}

func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
    try Data(Array(bytes)).write(to: URL(fileURLWithPath: path))
}

func lines(ofFile path: String) throws -> [String] {
    String(decoding: try bytes(ofFile: path), as: UTF8.self).split(separator: "\n").map(String.init)
}

/// What a guest or an operator might call a thing to harm a reader.
enum Hostile {
    static let bidi = "\u{202E}sys.\u{2066}exe"
    static let escape = "\u{1B}]0;owned\u{07}\u{9B}31m"
    static let script = "<script>alert('1')</script>\"><img src=x onerror=alert(1)>"
    static let combined = "\"\u{301} onmouseover=\u{301}alert(1) <\u{338}b>&\u{301}lt;"
    static let lineBreaks = "one\ntwo\r\nthree\u{2028}four\u{85}five"
    static let formula = "=cmd|' /C calc'!A0"
    static let quote = "a\"b,c;d\te"
    static let all = [
        bidi, escape, script, combined, lineBreaks, formula, quote, "@SUM(1)", "+1", "-1", "\t=1", "\u{FF1D}1",
    ]
}

/// One event of each kind, each field filled.
enum Samples {
    static let times = AuditEvent.FileTimes(
        created: NTFSTime(intervals: 133_658_357_714_000_001), modified: NTFSTime(intervals: 133_658_357_400_000_000),
        mftChanged: NTFSTime(intervals: 0), accessed: NTFSTime(intervals: .max))
    static let path = GuestPath(["Windows", "System32", "drivers", "CrowdStrike", "C-00000291-00000000-00000032.sys"])
    static let original = AuditEvent.DiskIdentity(identifier: "/vm/web.qcow2", format: "qcow2", sizeBytes: 1 << 33)
    static let copy = AuditEvent.DiskIdentity(identifier: "/vm/web.r1.qcow2", format: "qcow2", sizeBytes: 1 << 33)
    static let someone = AuditEvent.Operator(name: "ada", host: "bastion")

    static func runStarted(_ machines: [String] = ["web"]) -> AuditEvent {
        .runStarted(
            .init(
                salvorVersion: "0.1.0", operator: someone, provider: "local",
                recipe: .init(name: "crowdstrike-291", version: 1, sha256: digest("recipe")),
                options: .init(
                    command: "rescue", machines: machines, dryRun: false, assumeYes: true, inventory: "/vm")))
    }

    static func judged(
        _ path: GuestPath = path, _ verdict: AuditEvent.FileVerdict = .faulty,
        _ action: AuditEvent.FileAction = .quarantineAndDelete, reason: String = "Its time is before the correction."
    ) -> AuditEvent {
        .fileJudged(
            .init(
                rule: "channel-291", volumeNumber: 3, path: path, sizeBytes: 41_984, sha256: digest("faulty"),
                header: [0xAA, 0xAA, 0xAA, 0xAA, 0x01, 0x00, 0x23, 0x01], times: times, verdict: verdict,
                reason: reason, action: action))
    }

    static let everyKind: [AuditEvent] = [
        runStarted(),
        .machineFound(.init(definition: "/vm/web.yaml", disk: original, details: ["firmware": "uefi"])),
        .originalDigest(.init(disk: original.identifier, sha256: digest("disk"))),
        .preflightRemark(.init(remark: "The disk has a snapshot.")),
        .stepStarted(.init(step: "copy", detail: "overlay")),
        .stepDone(.init(step: "copy", detail: "overlay", took: .milliseconds(1234))),
        .stepFailed(.init(step: "scan", detail: "The agent is gone.", took: .seconds(3))),
        .providerCalls(
            .init(
                step: "swap",
                calls: [
                    .init(
                        verb: "PATCH", target: "/subscriptions/s/resourceGroups/g", changes: true, status: 409,
                        code: "ScopeLocked", requestID: "r-1", correlationID: "c-1", milliseconds: 12),
                    .init(
                        verb: "GET", target: "/subscriptions/s", changes: false, status: nil, code: nil, requestID: nil,
                        correlationID: nil, milliseconds: 60_000),
                ], reads: 3)),
        .copyMade(.init(original: original, copy: copy, dependsOnOriginal: true)),
        .hostStarted(
            .init(identifier: "pid 4711", acceleration: "tcg", imageDigest: digest("image"), details: ["cpus": "2"])),
        .agentConnected(.init(agentVersion: "0.1.0", kernel: "6.1.0", certificateSHA256: digest("certificate"))),
        .diskAttached(.init(address: "serial SLV1", device: "/dev/vdb")),
        .windowsFound(
            .init(volumeNumber: 3, partitionGUID: "guid", state: .logOpen, systemRoot: GuestPath(["Windows"]))),
        judged(),
        .fileQuarantined(.init(path: path, sizeBytes: 41_984, sha256: digest("faulty"), storedAt: "/runs/1/q/1")),
        .fileDeleted(.init(path: path)),
        .fileWritten(.init(path: path, sizeBytes: 41, sha256: digest("written"))),
        .volumeChanged(.init(volumeNumber: 3, what: "its log was reset")),
        .verified(.init(volumeNumber: 3, absentFiles: 1, unchangedFiles: 2, tablesUnchanged: true)),
        .swapped(.init(original: original, repaired: copy, wayBack: "salvor rollback 1")),
        .swappedBack(.init(original: original, repaired: copy)),
        .bootProof(.init(verdict: .booted, evidence: "login:", took: .milliseconds(8200), consoleLog: "/runs/1/c")),
        .cleanedUp(.init(resource: "rescueHost", identifier: "pid 4711")),
        .remains(.init(resource: "originalDisk", identifier: original.identifier, why: "kept", removal: "rm")),
        .operatorDecision(.init(question: "Repair 1 machine?", answer: "yes")),
        .interrupted(.init(reason: "SIGINT")),
        .resumed(.init(salvorVersion: "0.1.0", operator: someone)),
        .outcome(
            .init(kind: .failed, message: "It failed.", nextStep: "Look.", failedStep: "scan", diskChanged: false)),
        .runEnded(.init(summary: "1 machine repaired.", exitCode: 0)),
        .note(.init(text: "a note")),
        .tornRecordDropped(.init(byteCount: 17, sha256: digest("torn"))),
        .logReplaced(.init(reason: "line 3", keptAs: "audit.jsonl.damaged-1", sha256: digest("old"))),
    ]
}

final class Counter: Sendable {
    private let value = Mutex(0)

    /// 1, 2, 3, ….
    func next() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}
