/// What Azure refused, or what kept us from asking. Equal by code alone.
package struct AzureError: Error, Sendable {
    /// An open set. Azure's own code is in ``Refusal/code``: this says what it means for a rescue.
    package struct Code: Hashable, Sendable, RawRepresentable {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// No way of signing in worked, or the token was refused.
        package static let notSignedIn = Code(rawValue: "not-signed-in")
        /// Signed in, and not allowed to do this.
        package static let forbidden = Code(rawValue: "forbidden")
        package static let notFound = Code(rawValue: "not-found")
        /// The resource is not in a state that allows it, or somebody else changes it.
        package static let conflict = Code(rawValue: "conflict")
        /// A lock, a policy, a quota or a size that cannot be had.
        package static let notAllowed = Code(rawValue: "not-allowed")
        /// Azure says that the request itself is wrong.
        package static let invalid = Code(rawValue: "invalid")
        /// Too many requests, for longer than the step's deadline allows to wait.
        package static let throttled = Code(rawValue: "throttled")
        /// Nothing answers: name, connection, TLS, proxy.
        package static let unreachable = Code(rawValue: "unreachable")
        package static let timedOut = Code(rawValue: "timed-out")
        package static let cancelled = Code(rawValue: "cancelled")
        /// An answer that is not what Azure's documents say.
        package static let badAnswer = Code(rawValue: "bad-answer")
        /// A setting of ours (environment, option, file) is wrong.
        package static let badSetting = Code(rawValue: "bad-setting")
        /// A long-running operation that Azure began and did not bring to a good end.
        package static let operationFailed = Code(rawValue: "operation-failed")
        package static let failed = Code(rawValue: "failed")
    }

    /// What Azure answered, for journal, report and whoever asks Microsoft about it.
    package struct Refusal: Hashable, Sendable {
        package var status: Int
        /// `OperationNotAllowed`, `ScopeLocked`, …; nil where the answer had none.
        package var code: String?
        package var message: String?
        /// `x-ms-request-id` and `x-ms-correlation-request-id`.
        package var requestID: String?
        package var correlationID: String?

        package init(
            status: Int, code: String?, message: String?, requestID: String? = nil, correlationID: String? = nil
        ) {
            self.status = status
            self.code = code
            self.message = message
            self.requestID = requestID
            self.correlationID = correlationID
        }
    }

    package var code: Code
    /// What happened, to which resource, and what was left in which state. Never holds a secret.
    package var message: String
    /// What the operator can do next.
    package var nextStep: String
    package var refusal: Refusal?
    package var cause: (any Error)?

    package init(
        _ code: Code, _ message: String, nextStep: String, refusal: Refusal? = nil, cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.nextStep = nextStep
        self.refusal = refusal
        self.cause = cause
    }
}

extension AzureError: Equatable {
    package static func == (one: AzureError, other: AzureError) -> Bool { one.code == other.code }
}

extension AzureError: CustomStringConvertible {
    package var description: String {
        let because = cause.map { " (\($0))" } ?? ""
        return "\(message)\(because) \(nextStep)"
    }
}
