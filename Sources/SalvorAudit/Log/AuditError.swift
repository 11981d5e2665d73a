/// What went wrong with an audit log or an export. Equal by code alone.
package struct AuditError: Error, Sendable {
    package struct Code: Hashable, Sendable, RawRepresentable {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// There is no log there.
        package static let missing = Code(rawValue: "missing")
        /// The system would not open, read or lock it.
        package static let unreadable = Code(rawValue: "unreadable")
        /// Another process is writing it.
        package static let inUse = Code(rawValue: "in-use")
        /// It does not verify, so nothing is appended to it.
        package static let notSound = Code(rawValue: "not-sound")
        /// The record could not be made durable. It is not in the log.
        package static let writeFailed = Code(rawValue: "write-failed")
        /// The record is larger than a reader accepts, or has no JSON form. It is not in the log.
        package static let recordRefused = Code(rawValue: "record-refused")
        /// An earlier failure left it unknown what is on the disk, or the log was closed.
        package static let closed = Code(rawValue: "closed")
        /// A report has no JSON form.
        package static let exportFailed = Code(rawValue: "export-failed")
    }

    package var code: Code
    /// What happened, to which log, and what was left in which state.
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

extension AuditError: Equatable {
    package static func == (one: AuditError, other: AuditError) -> Bool { one.code == other.code }
}

extension AuditError: CustomStringConvertible {
    package var description: String {
        let because = cause.map { " (\($0))" } ?? ""
        return "\(message)\(because) \(nextStep)"
    }
}

/// A system call that failed, as the cause of an ``AuditError``.
struct SystemFailure: Error, CustomStringConvertible {
    let call: String
    let errno: Int32

    var description: String { "\(call): \(errorText(errno))" }
}
