package import SalvorAudit
package import SalvorDigest

/// A run as the journal keeps it.
package struct RunRecord: Hashable, Sendable {
    package enum State: String, Hashable, Sendable, Codable {
        case running
        /// Not at its end, and nobody drives it: a ``StepwiseRescue`` is so between its commands.
        case interrupted
        case finished, rolledBack
    }

    package var id: String
    /// ``Provider/kind``.
    package var provider: String
    package var configuration: RunConfiguration
    /// The serialised salvor.v1.Recipe: a resumed run follows the recipe that it began with.
    package var recipe: [UInt8]
    package var recipeName: String
    package var recipeSHA256: Digest
    package var state: State
    package var started: WallTime
    package var ended: WallTime?
    package var exitCode: ExitCode?
    /// Where the audit log ended when the journal was last written.
    package var auditHead: AuditHead?
}

package struct MachineRecord: Hashable, Sendable {
    package var machine: Machine
    /// Counts from 1; a resumed run that must copy anew begins another.
    package var attempt: Int
    package var outcome: MachineOutcome?
}

/// What the run was about to do.
package struct IntentRecord: Hashable, Sendable {
    package var id: Int64
    package var machine: String?
    package var host: Int?
    package var attempt: Int
    package var step: StepName
    /// nil where the process ended before the effect's result was known.
    package var conclusion: Conclusion?

    package struct Conclusion: Hashable, Sendable {
        package var result: StepResult
        /// JSON: the step's value where it is done, the error where it failed.
        package var value: String?
        package var milliseconds: Int?
    }
}

package enum StepResult: String, Hashable, Sendable, Codable {
    case done, failed, interrupted
}

/// Something that exists because of a run, or is about to.
package struct ResourceRecord: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, Codable {
        /// Named for its machine.
        case copy
        /// Named by its number.
        case host
    }

    package enum State: String, Hashable, Sendable, Codable {
        case intended, made
        /// A copy that is its machine's OS disk now.
        case inUse
        case gone
    }

    package var kind: Kind
    package var name: String
    package var state: State
}

/// How long a step took.
package struct PhaseTime: Hashable, Sendable {
    package var machine: String?
    package var host: Int?
    package var step: StepName
    package var milliseconds: Int
}
