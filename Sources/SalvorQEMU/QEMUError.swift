/// What went wrong with a QEMU machine or one of QEMU's tools. Equal by code alone.
package struct QEMUError: Error, Sendable {
    /// An open set; a reader treats a code that it does not know as ``failed``.
    package struct Code: Hashable, Sendable, RawRepresentable {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// `qemu-system-x86_64`, `qemu-img` or a relay program is not installed.
        package static let toolMissing = Code(rawValue: "tool-missing")
        /// QEMU ended before its control socket answered.
        package static let startFailed = Code(rawValue: "start-failed")
        /// A machine with this identity runs already.
        package static let alreadyRunning = Code(rawValue: "already-running")
        /// The control socket cannot be reached, or something else has it.
        package static let monitorUnreachable = Code(rawValue: "monitor-unreachable")
        /// The control connection ended, as it does when QEMU exits.
        package static let monitorClosed = Code(rawValue: "monitor-closed")
        /// QEMU refused a command; ``QEMUError/qmpClass`` says in which class.
        package static let commandRefused = Code(rawValue: "command-refused")
        /// What came over the control socket is not QMP.
        package static let protocolViolation = Code(rawValue: "protocol-violation")
        package static let timedOut = Code(rawValue: "timed-out")
        package static let cancelled = Code(rawValue: "cancelled")
        /// The guest did not give a disk back.
        package static let guestKeepsDisk = Code(rawValue: "guest-keeps-disk")
        /// A serial, port or name that cannot be used.
        package static let invalidArgument = Code(rawValue: "invalid-argument")
        /// Something of that name exists and is not what was asked for.
        package static let conflict = Code(rawValue: "conflict")
        /// A process was not signalled, because it is not provably ours.
        package static let identityMismatch = Code(rawValue: "identity-mismatch")
        /// A disk image could not be made or read.
        package static let imageFailed = Code(rawValue: "image-failed")
        package static let fileFailed = Code(rawValue: "file-failed")
        package static let failed = Code(rawValue: "failed")
    }

    package var code: Code
    /// What happened, to what, and what was left in which state.
    package var message: String
    /// QMP's error class, for ``Code/commandRefused``.
    package var qmpClass: String?
    package var cause: (any Error)?

    package init(_ code: Code, _ message: String, qmpClass: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.qmpClass = qmpClass
        self.cause = cause
    }
}

extension QEMUError: Equatable {
    package static func == (one: QEMUError, other: QEMUError) -> Bool { one.code == other.code }
}

extension QEMUError: CustomStringConvertible {
    package var description: String { cause.map { "\(message) (\($0))" } ?? message }
}
