import BenchFigures
import Fixtures
import FoundationEssentials
import SalvorImage
import SystemPackage

/// Repairs many disks at once on one rescue VM.
struct ManyDisks {
    struct Round {
        /// From the first scan's begin to the last verification's end.
        var seconds: Double
        /// The most that the agent had resident.
        var megabytes: Double
    }

    private let tools: ToolRunner
    private let folder: FilePath
    private let names: [String]

    private struct Answer: Decodable {
        struct Machine: Decodable {
            struct Outcome: Decodable { var kind: String }
            var outcome: Outcome?
        }
        var run: String
        var auditLog: String
        var machines: [Machine]
    }

    private struct Record: Decodable {
        struct Payload: Decodable { var step: String? }
        var event: String
        var time: String
        var data: Payload
    }

    init(programs: FilePath, scratch: FilePath, most: Int, files: Int) async throws {
        var tools = ToolRunner(environment: ["SALVOR_HOME": scratch.appending("state").string])
        tools.searchPath.insert(programs, at: 0)
        self.tools = tools
        folder = scratch.appending("machines")
        names = (1...most).map { "disk-\($0)" }
        for name in names {
            try await tools.output(
                "make-broken-machine",
                [
                    folder.string, "--name", name, "--files", String(files), "--size-mib", "192", "--cache",
                    ImageBuilder.defaultCacheDirectory.string,
                ])
        }
    }

    func repair(_ count: Int) async throws -> Round {
        let inventory = folder.appending("inventory").string
        let machines = Array(names.prefix(count))
        let result = try await tools.result(
            "salvor", ["rescue"] + machines + ["--inventory", inventory, "--yes", "--verbose", "--output", "json"],
            outputLimit: 64 << 20)
        let answer = try JSONDecoder().decode(Answer.self, from: Data(result.output))
        guard answer.machines.count == count, answer.machines.allSatisfy({ $0.outcome?.kind == "repaired" }) else {
            throw FixtureError("not all of \(count) machines were repaired: \(result.text) \(result.errors)")
        }
        let seconds = try Self.seconds(log: FilePath(answer.auditLog))
        try await tools.output("salvor", ["rollback", answer.run, "--inventory", inventory, "--yes"])
        let peaks = result.errors.matches(of: /peak_rss_kib=(\d+)/).compactMap { Double($0.1) }
        guard let peak = peaks.max() else { throw FixtureError("the agent did not say what memory it took") }
        return Round(seconds: seconds, megabytes: peak * 1024 / 1_000_000)
    }

    /// - Returns: seconds from the first scan's begin to the last one's end; no machine starts meanwhile.
    func scan(_ count: Int) async throws -> Double {
        let result = try await tools.result(
            "salvor",
            ["scan"] + names.prefix(count) + ["--inventory", folder.appending("inventory").string, "--output", "json"],
            outputLimit: 64 << 20)
        let answer = try JSONDecoder().decode(Answer.self, from: Data(result.output))
        guard answer.machines.allSatisfy({ $0.outcome?.kind == "repairable" }) else {
            throw FixtureError("not all of \(count) machines were scanned: \(result.text) \(result.errors)")
        }
        return try Self.seconds(log: FilePath(answer.auditLog), until: "scan")
    }

    /// By the coordinator's clock.
    private static func seconds(log: FilePath, until step: String = "verify") throws -> Double {
        let lines = String(decoding: try Posix.read(log), as: UTF8.self).split(separator: "\n")
        let records = lines.compactMap { try? JSONDecoder().decode(Record.self, from: Data($0.utf8)) }
        func time(_ record: Record?) -> Date? {
            record.flatMap {
                try? Date($0.time, strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true))
            }
        }
        let begin = time(records.first { $0.event == "stepStarted" && $0.data.step == "scan" })
        let end = time(records.last { $0.event == "stepDone" && $0.data.step == step })
        guard let begin, let end else { throw FixtureError("\(log) does not say when it scanned and verified") }
        return end.timeIntervalSince(begin)
    }
}
