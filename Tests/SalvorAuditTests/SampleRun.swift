import SalvorAudit
import SalvorDigest

/// A run over several machines that end differently, as the coordinator would log it.
struct SampleRun {
    let folder: TemporaryFolder
    let log: AuditLog

    init(run: String = "2024-07-19-k3v9") throws {
        folder = try TemporaryFolder()
        log = try AuditLog.open(path: folder.log, run: run, clock: StepClock().read)
    }

    static let machines = ["web-01", "web-02", "db-01", "vault", "print-7", "kiosk"]
    static let crowdStrike = ["Windows", "System32", "drivers", "CrowdStrike"]

    /// - Parameter ended: whether the run comes to its end.
    func rescueFleet(ended: Bool = true) throws {
        try add(Samples.runStarted(Self.machines))
        try add(
            .operatorDecision(.init(question: "Repair 6 machines?", answer: "yes")), by: .operator)
        try step("host", took: .milliseconds(5200)) {
            try add(
                .hostStarted(
                    .init(
                        identifier: "pid 4711, /run/salvor/rescue-1.sock", acceleration: "tcg",
                        imageDigest: digest("image"), details: ["cpus": "2", "memory": "512 MiB"])), host: "rescue-1")
            try add(
                .agentConnected(
                    .init(agentVersion: "0.1.0", kernel: "6.1.0-41-cloud-amd64", certificateSHA256: digest("cert"))),
                by: .agent, host: "rescue-1")
        }
        try repaired("web-01", boot: .booted, evidence: "[    8.204] stand-in: ready on \\\\WEB-01 after 1 start")
        try repaired("web-02", boot: .notProven, evidence: "no line matched `ready` within 600 s")
        try nothingToRepair("db-01")
        try locked("vault")
        try failed("print-7")
        try unfinished("kiosk")
        if ended {
            try add(.cleanedUp(.init(resource: "rescueHost", identifier: "pid 4711, /run/salvor/rescue-1.sock")))
            try add(.runEnded(.init(summary: "Two machines repaired, four need attention.", exitCode: 3)))
        } else {
            try add(.interrupted(.init(reason: "Ctrl-C")))
        }
    }

    func add(
        _ event: AuditEvent, by actor: AuditActor = .coordinator, machine: String? = nil, host: String? = nil
    ) throws {
        try log.appendBlocking(event, by: actor, machine: machine, host: host)
    }

    func step(
        _ step: String, machine: String? = nil, took duration: Duration, detail: String? = nil,
        body: () throws -> Void = {}
    ) throws {
        try add(.stepStarted(.init(step: step, detail: detail)), machine: machine)
        try body()
        try add(.stepDone(.init(step: step, detail: detail, took: duration)), machine: machine)
    }

    func disk(_ machine: String, _ suffix: String = "") -> AuditEvent.DiskIdentity {
        .init(identifier: "/srv/vm/\(machine)\(suffix).qcow2", format: "qcow2", sizeBytes: 136_365_211_648)
    }

    func found(_ machine: String) throws {
        try add(
            .machineFound(
                .init(
                    definition: "/srv/vm/inventory/\(machine).yaml", disk: disk(machine),
                    details: ["firmware": "UEFI", "memory": "4 GiB"])), machine: machine)
        try step("preflight", machine: machine, took: .milliseconds(140)) {
            try add(.originalDigest(.init(disk: disk(machine).identifier, sha256: digest(machine))), machine: machine)
        }
        try step("copy", machine: machine, took: .milliseconds(310), detail: "qcow2 overlay") {
            try add(
                .copyMade(
                    .init(original: disk(machine), copy: disk(machine, ".salvor-k3v9"), dependsOnOriginal: true)),
                machine: machine)
        }
        try step("attach", machine: machine, took: .milliseconds(480)) {
            try add(
                .diskAttached(.init(address: "serial SLV-K3V9-\(machine)", device: "/dev/vdb")), machine: machine,
                host: "rescue-1")
        }
    }

    func windows(_ machine: String, _ state: AuditEvent.VolumeState) throws {
        try add(
            .windowsFound(
                .init(
                    volumeNumber: 3, partitionGUID: "6f1d2c1e-0a5b-4c39-9f6e-2b7f1f0f9a11", state: state,
                    systemRoot: GuestPath(["Windows"]))), by: .agent, machine: machine, host: "rescue-1")
    }

    func file(_ name: String, in machine: String, _ verdict: AuditEvent.FileVerdict, _ reason: String) throws {
        let action: AuditEvent.FileAction =
            verdict == .faulty || verdict == .zeroed ? .quarantineAndDelete : .keep
        let times = AuditEvent.FileTimes(
            created: NTFSTime(intervals: 133_658_357_714_000_001),
            modified: NTFSTime(intervals: verdict == .corrected ? 133_658_404_210_000_000 : 133_658_357_714_000_001),
            mftChanged: NTFSTime(intervals: 133_658_357_714_312_907),
            accessed: NTFSTime(intervals: 133_658_371_000_000_000))
        try add(
            .fileJudged(
                .init(
                    rule: "channel-file-291", volumeNumber: 3, path: GuestPath(Self.crowdStrike + [name]),
                    sizeBytes: 41_984, sha256: digest(name),
                    header: verdict == .zeroed ? [0, 0, 0, 0, 0, 0, 0, 0] : [0xAA, 0xAA, 0xAA, 0xAA, 1, 0, 0x23, 1],
                    times: times, verdict: verdict, reason: reason, action: action)), by: .agent, machine: machine,
            host: "rescue-1")
    }

    private func repaired(_ machine: String, boot: AuditEvent.BootVerdict, evidence: String) throws {
        try found(machine)
        let faulty = GuestPath(Self.crowdStrike + ["C-00000291-00000000-00000032.sys"])
        try step("scan", machine: machine, took: .milliseconds(1220)) {
            try windows(machine, .logOpen)
            try file(
                "C-00000291-00000000-00000032.sys", in: machine, .faulty,
                "Begins as a channel file 291 does, and was last written at 04:09:31 UTC, before the correction of 05:27 UTC."
            )
            try file(
                "C-00000291-00000000-00000033.sys", in: machine, .corrected,
                "Begins as a channel file 291 does, and was last written at 05:27:01 UTC, with the correction or after it."
            )
        }
        try step("apply", machine: machine, took: .milliseconds(2900)) {
            try step("apply.mount", machine: machine, took: .milliseconds(900))
            try add(
                .volumeChanged(.init(volumeNumber: 3, what: "the NTFS log was reset")), by: .agent, machine: machine,
                host: "rescue-1")
            try step("apply.quarantine", machine: machine, took: .milliseconds(120))
            try add(
                .fileQuarantined(
                    .init(
                        path: faulty, sizeBytes: 41_984, sha256: digest("C-00000291-00000000-00000032.sys"),
                        storedAt: "/srv/salvor/runs/k3v9/quarantine/\(machine)/1")), by: .agent, machine: machine,
                host: "rescue-1")
            try step("apply.delete", machine: machine, took: .milliseconds(60))
            try add(.fileDeleted(.init(path: faulty)), by: .agent, machine: machine, host: "rescue-1")
            try step("apply.flush", machine: machine, took: .milliseconds(700))
        }
        try step("verify", machine: machine, took: .milliseconds(800)) {
            try add(
                .verified(.init(volumeNumber: 3, absentFiles: 1, unchangedFiles: 1, tablesUnchanged: true)), by: .agent,
                machine: machine, host: "rescue-1")
        }
        try step("swap", machine: machine, took: .milliseconds(90)) {
            try add(
                .swapped(
                    .init(
                        original: disk(machine), repaired: disk(machine, ".salvor-k3v9"),
                        wayBack: "salvor rollback 2024-07-19-k3v9 --machine \(machine)")), machine: machine)
        }
        try step("boot", machine: machine, took: .milliseconds(8300)) {
            try add(
                .bootProof(
                    .init(
                        verdict: boot, evidence: evidence, took: .milliseconds(8204),
                        consoleLog: "/srv/salvor/runs/k3v9/\(machine).console")), machine: machine)
        }
        try add(
            .remains(
                .init(
                    resource: "originalDisk", identifier: disk(machine).identifier,
                    why: "The repaired disk holds only what differs from it.",
                    removal: "Not while the machine uses the repaired disk.")), machine: machine)
        let proven = boot == .booted
        try add(
            .outcome(
                .init(
                    kind: .repaired,
                    message: "One faulty channel file was removed from volume 3"
                        + (proven ? ", and the machine boots." : "; whether the machine boots was not seen."),
                    nextStep: proven ? nil : "Look at its console, then start it again or roll it back.",
                    diskChanged: true)), machine: machine)
    }

    private func nothingToRepair(_ machine: String) throws {
        try found(machine)
        try step("scan", machine: machine, took: .milliseconds(1100)) {
            try windows(machine, .clean)
            try file("C-00000291-00000000-00000033.sys", in: machine, .corrected, "Last written with the correction.")
        }
        try add(
            .cleanedUp(.init(resource: "repairCopy", identifier: disk(machine, ".salvor-k3v9").identifier)),
            machine: machine)
        try add(
            .outcome(
                .init(
                    kind: .nothingToRepair, message: "Only a corrected channel file is there.",
                    nextStep: "Look for another cause: read the machine's console.", diskChanged: false)),
            machine: machine)
    }

    private func locked(_ machine: String) throws {
        try found(machine)
        try step("scan", machine: machine, took: .milliseconds(400))
        try add(
            .cleanedUp(.init(resource: "repairCopy", identifier: disk(machine, ".salvor-k3v9").identifier)),
            machine: machine)
        try add(
            .outcome(
                .init(
                    kind: .locked, message: "Volume 3 is encrypted with BitLocker.",
                    nextStep: "Have its recovery key ready and rescue it again.", diskChanged: false)), machine: machine
        )
    }

    private func failed(_ machine: String) throws {
        try found(machine)
        try add(.stepStarted(.init(step: "scan")), machine: machine)
        try add(
            .stepFailed(.init(step: "scan", detail: "The agent on rescue-1 stopped answering.", took: .seconds(30))),
            machine: machine)
        try add(
            .outcome(
                .init(
                    kind: .failed,
                    message: "The scan failed: the agent on rescue-1 stopped answering. Nothing was written.",
                    nextStep: "salvor resume 2024-07-19-k3v9", failedStep: "scan", diskChanged: false)),
            machine: machine)
    }

    private func unfinished(_ machine: String) throws {
        try found(machine)
        try add(.stepStarted(.init(step: "scan")), machine: machine)
    }

    func report(withJournal: Bool = true) throws -> Report {
        Report(
            try AuditReading.read(path: folder.log, head: withJournal ? log.head : nil),
            madeAt: WallTime(unixMilliseconds: 1_721_368_800_000))
    }
}
