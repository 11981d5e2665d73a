import SalvorAudit
import SalvorDigest
import SalvorJSON
import Testing

struct ReportTests {
    @Test("A run over six machines is reported with each machine's own end, and with sums that fit them")
    func fleet() throws {
        let run = try SampleRun()
        try run.rescueFleet()
        let report = try run.report()
        #expect(report.run == "2024-07-19-k3v9")
        #expect(report.state == .ended)
        #expect(report.exitCode == 3)
        #expect(report.log.isSound)
        #expect(report.log.provenRecords == run.log.head.count)
        #expect(report.log.lastSHA256 == run.log.head.sha256)
        #expect(report.machines.map(\.name) == SampleRun.machines)
        #expect(
            report.machines.map(\.outcome?.kind)
                == [.repaired, .repaired, .nothingToRepair, .locked, .failed, nil])
        #expect(report.machines.map(\.bootIsProven) == [true, false, false, false, false, false])
        #expect(
            report.totals.outcomes == [
                "repaired": 2, "nothingToRepair": 1, "locked": 1, "failed": 1, "unfinished": 1,
            ])
        #expect(report.totals.bootProven == 1)
        #expect(report.totals.filesJudged == 5)
        #expect(report.totals.filesDeleted == 2)
        #expect(report.totals.filesQuarantined == 2)
        #expect(report.hosts.map(\.agentVersion) == ["0.1.0"])
    }

    @Test("A repaired machine's part says what was found, what became of it, and where the original is")
    func repairedMachine() throws {
        let run = try SampleRun()
        try run.rescueFleet()
        let machine = try #require(try run.report().machines.first)
        #expect(machine.disk == run.disk("web-01"))
        #expect(machine.originalSHA256 == digest("web-01"))
        #expect(machine.installations.map(\.state) == [.logOpen])
        #expect(machine.files.map(\.verdict) == [.faulty, .corrected])
        #expect(machine.files.map { $0.deletedAt != nil } == [true, false])
        #expect(machine.files.map(\.quarantinedAt) == ["/srv/salvor/runs/k3v9/quarantine/web-01/1", nil])
        #expect(machine.swap?.original == run.disk("web-01"))
        #expect(machine.verifications.map(\.tablesUnchanged) == [true])
        #expect(machine.actions.map(\.time) == machine.actions.map(\.time).sorted())
        #expect(machine.steps.count == 12)
        #expect(machine.steps.allSatisfy { $0.result == .done && $0.milliseconds != nil })
        #expect(machine.steps.first { $0.step == "apply" }?.milliseconds == 2900)
    }

    @Test("What was made and not removed is listed, and a copy that the machine now uses is not")
    func remains() throws {
        let run = try SampleRun()
        try run.rescueFleet()
        let report = try run.report()
        #expect(
            report.remains.map(\.identifier) == [
                "/srv/vm/web-01.qcow2", "/srv/vm/web-02.qcow2", "/srv/vm/print-7.salvor-k3v9.qcow2",
                "/srv/vm/kiosk.salvor-k3v9.qcow2",
            ])
        #expect(report.totals.resourcesRemaining == 4)
    }

    @Test("What was cleaned up by its machine's or rescue VM's name no longer remains, whatever the provider called it")
    func cleanedUpByName() throws {
        let run = try SampleRun()
        let original = AuditEvent.DiskIdentity(identifier: "/srv/a.raw", format: "raw", sizeBytes: nil)
        let copy = AuditEvent.DiskIdentity(identifier: "/srv/a.copy", format: "qcow2", sizeBytes: nil)
        try run.add(.copyMade(.init(original: original, copy: copy, dependsOnOriginal: true)), machine: "a")
        try run.add(.copyMade(.init(original: original, copy: copy, dependsOnOriginal: true)), machine: "b")
        for host in ["rescue-1", "rescue-2"] {
            try run.add(.hostStarted(.init(identifier: "/run/\(host)", acceleration: nil, details: [:])), host: host)
        }
        try run.add(.cleanedUp(.init(resource: "repairCopy", identifier: "a")), machine: "a")
        try run.add(.cleanedUp(.init(resource: "rescueHost", identifier: "run/rescue-2")), host: "rescue-2")
        let report = try run.report()
        #expect(report.remains.map(\.resource) == ["repairCopy", "rescueHost"])
        #expect(report.remains.map(\.machine) == ["b", nil])
        #expect(report.remains.last?.identifier == "/run/rescue-1")
    }

    @Test("A run that was interrupted says so, with its rescue VM among what remains; resumed, it no longer does")
    func interrupted() throws {
        let run = try SampleRun()
        try run.rescueFleet(ended: false)
        var report = try run.report()
        #expect(report.state == .interrupted)
        #expect(report.endedAt == nil)
        #expect(report.remains.contains { $0.resource == "rescueHost" })
        #expect(report.remarks.contains { $0.kind == "interrupted" && $0.text == "Ctrl-C" })

        try run.add(.resumed(.init(salvorVersion: "0.1.0", operator: Samples.someone)))
        report = try run.report()
        #expect(report.state == .unfinished)
        try run.add(.runEnded(.init(summary: "done", exitCode: 0)))
        report = try run.report()
        #expect(report.state == .ended)
    }

    @Test("A file that is judged again is one file, with the last verdict, and what became of it stays")
    func judgedAgain() throws {
        let run = try SampleRun()
        try run.add(Samples.judged(), machine: "web")
        try run.add(.fileDeleted(.init(path: Samples.path)), machine: "web")
        try run.add(Samples.judged(Samples.path, .zeroed), machine: "web")
        let files = try #require(try run.report().machines.first).files
        #expect(files.map(\.verdict) == [.zeroed])
        #expect(files.map { $0.deletedAt != nil } == [true])
    }

    @Test("A swap that was undone leaves no swap in the report, and both are among what was done")
    func swappedBack() throws {
        let run = try SampleRun()
        try run.add(
            .swapped(.init(original: Samples.original, repaired: Samples.copy, wayBack: "back")), machine: "web")
        try run.add(.swappedBack(.init(original: Samples.original, repaired: Samples.copy)), machine: "web")
        let machine = try #require(try run.report().machines.first)
        #expect(machine.swap == nil)
        #expect(machine.actions.count == 2)
    }

    @Test("A step without an end is unfinished, and one that failed says why")
    func steps() throws {
        let run = try SampleRun()
        try run.rescueFleet()
        let machines = try run.report().machines
        #expect(machines[5].steps.last?.result == .unfinished)
        #expect(machines[4].steps.last?.result == .failed)
        #expect(machines[4].steps.last?.milliseconds == 30_000)
        #expect(machines[4].steps.last?.detail == "The agent on rescue-1 stopped answering.")
    }

    @Test("Records of a later version are counted, and the rest is reported")
    func unknownRecords() throws {
        let run = try SampleRun()
        try run.add(.unknown(kind: "sealed", data: .null))
        try run.add(.note(.init(text: "known")))
        let report = try run.report()
        #expect(report.unknownRecords == 1)
        #expect(report.remarks.map(\.kind) == ["sealed", "note"])
    }

    @Test("From a log that was tampered with, only what the chain proves is reported, and every export says so")
    func tampered() throws {
        let run = try SampleRun()
        try run.rescueFleet()
        run.log.close()
        var lines = try lines(ofFile: run.folder.log)
        let bad = try #require(lines.firstIndex { $0.contains("\"outcome\"") && $0.contains("web-02") })
        lines[bad] = lines[bad].replacing("was not seen", with: "was seen")
        try write(lines.map { $0 + "\n" }.joined().utf8, to: run.folder.log)
        let report = try run.report()
        #expect(!report.log.isSound)
        #expect(report.log.firstBadLine == UInt64(bad + 1))
        #expect(report.log.provenRecords == UInt64(bad))
        #expect(report.machines.map(\.name) == ["web-01", "web-02"])
        #expect(report.html().contains("Audit log NOT verified."))
        #expect(report.html().contains("broken at line \(bad + 1)"))
        #expect(try report.json().contains("\"isSound\" : false"))
        #expect(report.csv().contains("2024-07-19-k3v9,no,outcome,web-01"))
    }

    @Test("A log without records makes a report that says that nothing was done")
    func empty() throws {
        let run = try SampleRun()
        let report = try run.report(withJournal: false)
        #expect(report.machines.isEmpty)
        #expect(report.html().contains("No machine was worked on"))
        #expect(report.html().contains("not compared with the journal"))
        #expect(report.csv() == Report.csvColumns.joined(separator: ",") + "\r\n")
    }

    @Test("The original's SHA-256 before and after the run is compared", arguments: [true, false])
    func originalUnchanged(same: Bool) throws {
        let run = try SampleRun()
        try run.found("web")
        try run.add(
            .originalDigest(.init(disk: "/srv/vm/web.qcow2", sha256: digest(same ? "web" : "other"))), machine: "web")
        let html = try run.report().html()
        #expect(html.contains("was the same before and after") == same)
        #expect(html.contains("CHANGED") == !same)
    }
}
