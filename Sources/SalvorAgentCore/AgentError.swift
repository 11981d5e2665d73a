/// What went wrong on the rescue VM, to what, what was left in which state, and what can be done next.
///
/// Two errors are equal when their codes are: messages are for people.
package struct AgentError: Error {
    package let code: Code
    /// What happened, to what, and what was left in which state.
    package let message: String
    /// What the operator can do next.
    package let nextStep: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, next nextStep: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.nextStep = nextStep
        self.cause = cause
    }
}

extension AgentError: CustomStringConvertible {
    package var description: String {
        let reason = cause.map { " (\($0))" } ?? ""
        return "\(code): \(message)\(reason) \(nextStep)"
    }
}

extension AgentError: Equatable {
    package static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

extension AgentError {
    /// The kind of an error. Open: more can come without breaking anyone.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        package let description: String

        private init(_ description: String) { self.description = description }

        // What was asked for.
        package static let invalidRequest = Self("invalidRequest")
        /// An Apply was to be joined that this agent does not know.
        package static let unknownApply = Self("unknownApply")
        package static let invalidBootstrap = Self("invalidBootstrap")
        package static let noSuchDisk = Self("noSuchDisk")
        package static let severalDisks = Self("severalDisks")
        package static let rescueDisk = Self("rescueDisk")
        package static let diskBusy = Self("diskBusy")
        package static let draining = Self("draining")
        package static let cancelled = Self("cancelled")

        // The rescue VM's own tools and memory.
        package static let toolMissing = Self("toolMissing")
        package static let toolFailed = Self("toolFailed")
        package static let toolTimedOut = Self("toolTimedOut")
        package static let systemCall = Self("systemCall")
        package static let quarantineFull = Self("quarantineFull")
        package static let quarantineExists = Self("quarantineExists")
        package static let noSuchQuarantine = Self("noSuchQuarantine")
        package static let quarantineDamaged = Self("quarantineDamaged")

        // The disk that is worked on.
        package static let notNTFS = Self("notNTFS")
        package static let truncated = Self("truncated")
        package static let corrupt = Self("corrupt")
        package static let hibernated = Self("hibernated")
        package static let unclean = Self("unclean")
        package static let locked = Self("locked")
        package static let cannotUnlock = Self("cannotUnlock")
        package static let notWindows = Self("notWindows")
        package static let unknownWindows = Self("unknownWindows")
        package static let mountedReadOnly = Self("mountedReadOnly")
        package static let mountedReadWrite = Self("mountedReadWrite")
        package static let inUse = Self("inUse")
        package static let stillMounted = Self("stillMounted")
        package static let ambiguousPath = Self("ambiguousPath")
        package static let linkInPath = Self("linkInPath")
        package static let tooManyMatches = Self("tooManyMatches")
        package static let unreadable = Self("unreadable")
        package static let drift = Self("drift")
        package static let verificationFailed = Self("verificationFailed")
    }
}
