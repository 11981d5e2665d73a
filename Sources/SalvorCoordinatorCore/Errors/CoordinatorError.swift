internal import SalvorAudit

/// What the coordinator could not do. Equal by code alone.
package struct CoordinatorError: Error, Sendable {
    /// An open set: a reader treats a code that it does not know as ``failed``.
    package struct Code: Hashable, Sendable, RawRepresentable, Codable {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        package static let noSuchMachine = Code(rawValue: "no-such-machine")
        package static let noSuchRun = Code(rawValue: "no-such-run")
        /// Another salvor drives this run.
        package static let runBusy = Code(rawValue: "run-busy")
        /// The run has come to its end, or was rolled back.
        package static let runEnded = Code(rawValue: "run-ended")
        package static let declined = Code(rawValue: "declined")
        package static let interrupted = Code(rawValue: "interrupted")

        package static let invalidRecipe = Code(rawValue: "invalid-recipe")
        package static let invalidDefinition = Code(rawValue: "invalid-definition")
        /// A file of keys has a mistake, or others can read it.
        package static let invalidKeys = Code(rawValue: "invalid-keys")
        package static let toolMissing = Code(rawValue: "tool-missing")
        package static let imageMissing = Code(rawValue: "image-missing")
        /// A machine's disk is not there, not readable, in use or damaged.
        package static let diskUnusable = Code(rawValue: "disk-unusable")
        package static let unsupported = Code(rawValue: "unsupported")
        package static let conflict = Code(rawValue: "conflict")
        package static let timedOut = Code(rawValue: "timed-out")
        package static let noSpace = Code(rawValue: "no-space")

        /// The agent is not there: it never called, or the connection to it ended.
        package static let agentGone = Code(rawValue: "agent-gone")
        package static let agentTimedOut = Code(rawValue: "agent-timed-out")
        /// The agent answered that it cannot or will not.
        package static let agentRefused = Code(rawValue: "agent-refused")
        /// The agent answered what Protocol/SPEC.md does not allow.
        package static let agentFault = Code(rawValue: "agent-fault")
        package static let quarantineMismatch = Code(rawValue: "quarantine-mismatch")
        package static let verificationFailed = Code(rawValue: "verification-failed")

        /// The journal, the audit log or another file of Salvor's own state cannot be used.
        package static let state = Code(rawValue: "state")
        package static let failed = Code(rawValue: "failed")
    }

    package var code: Code
    /// What happened, to what, and what was left in which state.
    package var message: String
    /// What the operator can do next.
    package var nextStep: String
    package var cause: (any Error)?

    package init(_ code: Code, _ message: String, nextStep: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.nextStep = nextStep
        self.cause = cause
    }
}

extension CoordinatorError: Equatable {
    package static func == (one: CoordinatorError, other: CoordinatorError) -> Bool { one.code == other.code }
}

extension CoordinatorError: CustomStringConvertible {
    package var description: String {
        let because = cause.map { " (\($0))" } ?? ""
        return "\(message)\(because) \(nextStep)"
    }
}

extension CoordinatorError {
    /// A provider's error in the coordinator's words; the provider's own message and next step are kept.
    package init(_ error: ProviderError) {
        self.init(Self.code(of: error.code), error.message, nextStep: error.nextStep, cause: error.cause)
    }

    private static func code(of code: ProviderError.Code) -> Code {
        switch code {
        case .notFound: .noSuchMachine
        case .invalidDefinition: .invalidDefinition
        case .diskMissing, .diskNotReadable, .diskInUse, .diskDamaged: .diskUnusable
        case .toolMissing: .toolMissing
        case .imageMissing: .imageMissing
        case .unsupported: .unsupported
        case .conflict: .conflict
        case .timedOut: .timedOut
        case .noSpace: .noSpace
        default: .failed
        }
    }

    /// Any error that came out of an effect, kept as it is where it already is one of ours.
    init(wrapping error: any Error, doing what: String) {
        switch error {
        case let error as CoordinatorError: self = error
        case let error as ProviderError: self.init(error)
        case let error as AuditError: self.init(.state, error.message, nextStep: error.nextStep, cause: error.cause)
        case is CancellationError:
            self.init(.interrupted, "\(what) was interrupted.", nextStep: "Resume the run.", cause: error)
        default:
            self.init(
                .failed, "\(what) failed.", nextStep: "The cause above says why; resume or repeat the run.",
                cause: error)
        }
    }
}
