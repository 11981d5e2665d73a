package import SalvorDigest

/// What one run did, made from its audit log: the model that every export writes.
///
/// Strings that came from a guest are raw here; the text exports print them with ``printable(_:)``. The JSON form is
/// documented in `Coordinator/report/report.schema.json`; ``schemaVersion`` changes when a field goes or changes its
/// meaning, not when one is added.
package struct Report: Hashable, Sendable, Codable {
    package static let schemaVersion = 1

    package var schemaVersion = Report.schemaVersion
    package var run: String
    /// When the report was made.
    package var madeAt: WallTime
    package var log: LogProof
    package var state: State
    package var startedAt: WallTime?
    package var endedAt: WallTime?
    /// nil where the proven part of the log does not hold the run's beginning.
    package var started: AuditEvent.RunStarted?
    package var summary: String?
    package var exitCode: Int32?
    package var totals = Totals()
    /// In the order in which they first appear in the log.
    package var machines: [MachineReport] = []
    package var hosts: [HostReport] = []
    /// Steps of the run as a whole.
    package var steps: [StepReport] = []
    /// What the provider was asked to change, and what it refused, in order.
    package var calls: [CallReport] = []
    package var remains: [RemainsReport] = []
    /// Interruptions, decisions, remarks and what happened to the log, in order.
    package var remarks: [RemarkReport] = []
    /// Records of kinds that this version of Salvor does not know.
    package var unknownRecords = 0

    /// Whether the audit log verified.
    package struct LogProof: Hashable, Sendable, Codable {
        package enum Finding: String, Hashable, Sendable, Codable {
            case intact, torn, broken, truncated
        }

        package var finding: Finding
        /// False where records were changed, removed or moved.
        package var isSound: Bool
        package var statement: String
        package var firstBadLine: UInt64?
        /// The records that this report was made from.
        package var provenRecords: UInt64
        /// SHA-256 of the last of them.
        package var lastSHA256: Digest
        package var comparedWithJournal: Bool
    }

    package enum State: String, Hashable, Sendable, Codable {
        case ended
        /// The last thing on record about the run as a whole is its interruption.
        case interrupted
        /// The log has no end: the run goes on, or was killed.
        case unfinished
    }

    /// Sums over the machines.
    package struct Totals: Hashable, Sendable, Codable {
        package var machines = 0
        /// By outcome; machines without one count as `unfinished`.
        package var outcomes: [String: Int] = [:]
        /// Repaired, started, and seen to boot.
        package var bootProven = 0
        package var filesJudged = 0
        package var filesQuarantined = 0
        package var filesDeleted = 0
        /// Calls that were to change something at the provider; each repeat counts.
        package var changingCalls = 0
        /// Copies, hosts and the like that are still there.
        package var resourcesRemaining = 0
    }
}

/// A rescue VM of the run.
package struct HostReport: Hashable, Sendable, Codable {
    package var name: String
    package var startedAt: WallTime?
    package var identifier: String?
    package var acceleration: String?
    package var imageDigest: Digest?
    package var details: [String: String] = [:]
    package var agentVersion: String?
    package var kernel: String?
    package var certificateSHA256: Digest?
}

/// One step of the workflow, and how long it took.
package struct StepReport: Hashable, Sendable, Codable {
    package enum Result: String, Hashable, Sendable, Codable {
        case done, failed
        /// Begun, with no end on record.
        case unfinished
    }

    package var step: String
    package var startedAt: WallTime
    package var milliseconds: UInt64?
    package var result: Result
    package var detail: String?
}

/// A call to the provider's control plane.
package struct CallReport: Hashable, Sendable, Codable {
    /// When the step that made it had ended.
    package var time: WallTime
    package var machine: String?
    package var host: String?
    package var step: String
    package var call: AuditEvent.ProviderCalls.Call
}

/// Something that the run made or kept and that is still there.
package struct RemainsReport: Hashable, Sendable, Codable {
    package var machine: String?
    package var resource: String
    package var identifier: String
    package var why: String
    /// How an operator removes it; empty where the log does not say.
    package var removal: String
}

/// An event of the run that is neither a step nor a machine's.
package struct RemarkReport: Hashable, Sendable, Codable {
    package var time: WallTime
    /// The event's kind.
    package var kind: String
    package var machine: String?
    package var text: String
}
