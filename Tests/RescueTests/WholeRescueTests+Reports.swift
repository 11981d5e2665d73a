import Fixtures
import Foundation
import SalvorDigest
import SalvorImage
import SystemPackage
import Testing

extension FirstLane.WholeRescue {
    /// The same facts in each of the three formats, read by a parser of that format.
    func checkReports(_ lab: Lab, _ run: String) async throws {
        let folder = lab.folder.appending("reports")
        try Posix.makeDirectories(folder)
        var text: [String: String] = [:]
        for format in ["json", "csv", "html"] {
            let file = folder.appending("report.\(format)")
            let result = try await lab.salvor("report", "export", run, "--format", format, "-o", file.string)
            #expect(result.status == 0, "\(result.errors)")
            text[format] = String(decoding: try Posix.read(file), as: UTF8.self)
        }
        let faulty = SHA256.digest(of: try #require(ChannelFile.faultyFile().bytes)).hex
        let corrected = SHA256.digest(of: try #require(ChannelFile.correctedFile().bytes)).hex

        let json = try ReportJSON(try #require(text["json"]))
        #expect(json.log.isSound && json.exitCode == 0)
        #expect(json.machines.map(\.name) == ["web-01"])
        #expect(json.machines.first?.outcome.kind == "repaired")
        let files = try #require(json.machines.first?.files)
        #expect(files.map(\.path.last) == [ChannelFile.faulty, ChannelFile.corrected])
        #expect(files.map(\.verdict) == ["faulty", "corrected"])
        #expect(files.map(\.action) == ["quarantineAndDelete", "keep"])
        #expect(files.map(\.sha256) == [faulty, corrected])

        // Which rescue image was on the disk is on record.
        #expect(json.hosts.map { $0.imageDigest?.count } == [64])

        // The copy is the machine's disk now; nothing else is there, and the report must not say so.
        #expect(json.remains.isEmpty, "\(json.remains)")

        let rows = try CSVTable(try #require(text["csv"])).rows
        #expect(rows.count == 3)
        #expect(rows.allSatisfy { $0["machine"] == "web-01" && $0["log_verified"] == "yes" })
        #expect(rows.compactMap { $0["outcome"] }.filter { !$0.isEmpty } == ["repaired"])
        let judged = rows.filter { $0["row"] == "file" }
        #expect(judged.map { $0["verdict"] } == ["faulty", "corrected"])
        #expect(judged.map { $0["sha256"] } == [faulty, corrected])

        let page = try PageText(try #require(text["html"])).text
        for words in ["web-01 boots again", ChannelFile.faulty, ChannelFile.corrected, faulty, corrected, run] {
            #expect(page.contains(words), "the page does not say \(words)")
        }
        for words in ["faulty", "corrected", "Audit log verified"] {
            #expect(page.localizedCaseInsensitiveContains(words), "the page does not say \(words)")
        }
    }
}
