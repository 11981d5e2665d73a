import Foundation
import SalvorDigest
import SalvorJSON
import Testing

@testable import SalvorAudit

struct CSVTests {
    @Test("Python's csv reads the same cells back as we wrote", .enabled(if: has("/usr/bin/python3"), "needs python3"))
    func independentReader() throws {
        let run = try SampleRun()
        try run.rescueFleet()
        try hostileMachines(run)
        let report = try run.report()
        let path = run.folder.path + "/report.csv"
        try write(report.csv().utf8, to: path)
        let script = """
            import csv, json, sys
            with open(sys.argv[1], newline='', encoding='utf-8') as file:
                json.dump(list(csv.DictReader(file, strict=True)), sys.stdout)
            """
        let output = try run_(script, path)
        let rows = try JSONDecoder().decode([[String: String]].self, from: Data(output.utf8))
        #expect(rows.count == report.machines.count + report.machines.map(\.files.count).reduce(0, +))
        #expect(rows.allSatisfy { Set($0.keys) == Set(Report.csvColumns) })
        let first = try #require(rows.first { $0["row"] == "file" })
        #expect(first["machine"] == "web-01")
        #expect(first["path"] == #"\Windows\System32\drivers\CrowdStrike\C-00000291-00000000-00000032.sys"#)
        #expect(first["sha256"] == digest("C-00000291-00000000-00000032.sys").hex)
        #expect(first["modified"] == "2024-07-19T04:09:31.4000001Z")
        #expect(first["header"] == "AA AA AA AA 01 00 23 01")
        #expect(first["verdict"] == "faulty")
        let outcomes = rows.filter { $0["row"] == "outcome" }.prefix(6).map { $0["outcome"] }
        #expect(outcomes == ["repaired", "repaired", "nothingToRepair", "locked", "failed", "unfinished"])
        let dangerous = Set("=+-@\t\r＝")
        for cell in rows.flatMap(\.values) {
            #expect(!(cell.first.map(dangerous.contains) ?? false), "\(cell)")
            #expect(cell.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\u{202E}" && $0 != "\u{9B}" })
        }
    }

    private func run_(_ script: String, _ path: String) throws -> String {
        try run("/usr/bin/python3", ["-c", script, path])
    }

    @Test(
        "A cell is quoted where it must be, and what a spreadsheet would run is defused",
        arguments: [
            ("plain", "plain"), ("", ""), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("a\r\nb", "a\\u{D}\\u{A}b"),
            ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@a", "'@a"), ("\t=1", "\\u{9}=1"),
            ("=a,\"b\"", "\"'=a,\"\"b\"\"\""), ("\u{FF1D}1", "'\u{FF1D}1"), ("=\u{301}1", "'=\u{301}1"),
            ("\"\u{301}", "\"\"\"\u{301}\""),
        ])
    func cells(text: String, expected: String) {
        #expect(Array(csvCell(text).utf8) == Array(expected.utf8))
    }

    @Test("However a machine and its files are called, each row is one line that ends with CR LF")
    func hostileNames() throws {
        let run = try SampleRun()
        try hostileMachines(run)
        let csv = try run.report().csv()
        let lines = csv.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 1 + 2 * Hostile.all.count + 1)
        #expect(lines.dropLast().allSatisfy { $0.last == "\r" })
    }
}

/// One machine for each hostile string, which is its name and everything else that a stranger chooses.
func hostileMachines(_ run: SampleRun) throws {
    for text in Hostile.all {
        try run.add(
            .machineFound(
                .init(
                    definition: text, disk: .init(identifier: text, format: text, sizeBytes: 1), details: [text: text])),
            machine: text)
        try run.add(.preflightRemark(.init(remark: text)), machine: text)
        try run.add(
            .windowsFound(.init(volumeNumber: 1, partitionGUID: text, state: .clean, systemRoot: GuestPath([text]))),
            machine: text, host: text)
        try run.add(Samples.judged(GuestPath([text, text]), reason: text), machine: text)
        try run.add(
            .fileQuarantined(
                .init(path: GuestPath([text, text]), sizeBytes: 1, sha256: digest(text), storedAt: text)), machine: text
        )
        try run.add(.stepFailed(.init(step: text, detail: text, took: .seconds(1))), machine: text)
        try run.add(
            .bootProof(.init(verdict: .failed, evidence: text, took: .seconds(1), consoleLog: text)), machine: text)
        try run.add(
            .remains(.init(resource: text, identifier: text, why: text, removal: text)), machine: text)
        try run.add(.outcome(.init(kind: .failed, message: text, nextStep: text, diskChanged: false)), machine: text)
        try run.add(.unknown(kind: text, data: .string(text)))
    }
}
