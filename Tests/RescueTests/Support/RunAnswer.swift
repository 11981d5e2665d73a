import FoundationEssentials

/// What `salvor rescue`, `resume` and `rollback` print with `--output json`.
struct RunAnswer: Decodable {
    struct Machine: Decodable {
        struct Outcome: Decodable {
            var kind: String
            var message: String
            var nextStep: String
            var failedStep: String?
            var errorCode: String?
            var copyChanged: Bool
        }

        var machine: String
        var disk: String
        var outcome: Outcome?
        var quarantine: String
        var consoleLog: String
    }

    var run: String
    var exitCode: Int32
    var machines: [Machine]
    var remarks: [String]
    var auditLog: String

    init(_ result: CommandResult) throws {
        self = try JSONDecoder().decode(RunAnswer.self, from: Data(result.output.utf8))
    }

    /// The outcomes by machine.
    var kinds: [String: String] {
        Dictionary(uniqueKeysWithValues: machines.map { ($0.machine, $0.outcome?.kind ?? "none") })
    }

    /// What is said of each machine, for a test's comment.
    var told: String {
        machines.map { "\($0.machine): \($0.outcome.map { "\($0.message) \($0.nextStep)" } ?? "nothing")" }
            .joined(separator: "; ")
    }

    func machine(_ name: String) -> Machine? { machines.first { $0.machine == name } }
}

/// What `salvor status` prints with `--output json`.
struct StatusAnswer: Decodable {
    struct Run: Decodable {
        struct Machine: Decodable {
            var machine: String
            var outcome: RunAnswer.Machine.Outcome?
        }

        var run: String
        var state: String
        var exitCode: Int32?
        var machines: [Machine]
    }

    var runs: [Run]

    init(_ result: CommandResult) throws {
        self = try JSONDecoder().decode(StatusAnswer.self, from: Data(result.output.utf8))
    }
}
