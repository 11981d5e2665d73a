import FoundationEssentials
import SalvorImage
import SystemPackage
import Testing

/// What a report holds for programs, as far as tests ask.
struct ReportJSON: Decodable {
    struct Machine: Decodable {
        struct File: Decodable {
            var path: [String]
            var verdict: String
            var action: String
            var sha256: String
        }

        struct Outcome: Decodable { var kind: String }

        var name: String
        var outcome: Outcome
        var files: [File]
    }

    struct Log: Decodable { var isSound: Bool }

    struct Host: Decodable {
        var name: String
        var imageDigest: String?
    }

    struct Remains: Decodable {
        var resource: String
        var identifier: String
    }

    var exitCode: Int
    var log: Log
    var hosts: [Host]
    var machines: [Machine]
    /// What the report says is still there.
    var remains: [Remains]

    init(_ text: String) throws { self = try JSONDecoder().decode(ReportJSON.self, from: Data(text.utf8)) }
}

extension Lab {
    /// The report of a run whose audit log is whole.
    func report(_ run: String) async throws -> ReportJSON {
        let file = folder.appending("report.json")
        let result = try await salvor("report", "export", run, "--format", "json", "-o", file.string)
        #expect(result.status == 0, "\(result.errors)")
        return try ReportJSON(String(decoding: try Posix.read(file), as: UTF8.self))
    }
}
