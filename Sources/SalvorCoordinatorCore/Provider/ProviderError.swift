/// What a provider could not do. Equal by code alone.
package struct ProviderError: Error, Sendable {
    /// An open set: a provider may add codes, and a reader treats one that it does not know as ``failed``.
    package struct Code: Hashable, Sendable, RawRepresentable {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// No machine, host or copy of that name.
        package static let notFound = Code(rawValue: "not-found")
        /// The definition of a machine has a mistake: file, line and what is expected are in the message.
        package static let invalidDefinition = Code(rawValue: "invalid-definition")
        /// The disk that a machine names is not there.
        package static let diskMissing = Code(rawValue: "disk-missing")
        package static let diskNotReadable = Code(rawValue: "disk-not-readable")
        /// Another process or machine has the disk.
        package static let diskInUse = Code(rawValue: "disk-in-use")
        /// The disk is shorter than its own tables say, or its container is damaged.
        package static let diskDamaged = Code(rawValue: "disk-damaged")
        /// A program that the provider needs is not installed.
        package static let toolMissing = Code(rawValue: "tool-missing")
        /// The rescue image has not been built.
        package static let imageMissing = Code(rawValue: "image-missing")
        package static let unsupported = Code(rawValue: "unsupported")
        /// Something else changed what this operation was about.
        package static let conflict = Code(rawValue: "conflict")
        package static let timedOut = Code(rawValue: "timed-out")
        package static let noSpace = Code(rawValue: "no-space")
        package static let failed = Code(rawValue: "failed")
    }

    package var code: Code
    /// What happened, to which machine and disk, and what was left in which state.
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

extension ProviderError: Equatable {
    package static func == (one: ProviderError, other: ProviderError) -> Bool { one.code == other.code }
}

extension ProviderError: CustomStringConvertible {
    package var description: String {
        let because = cause.map { " (\($0))" } ?? ""
        return "\(message)\(because) \(nextStep)"
    }
}
