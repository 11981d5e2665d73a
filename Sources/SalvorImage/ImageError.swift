/// What went wrong while an image or a config disk was made.
///
/// Nothing half-made is left under the name of something whole: images and packages are moved into place when complete.
package struct ImageError: Error, Sendable {
    /// An open set: compare with the constants, and treat one that is not known as a failure.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        /// A program that the build runs is not installed.
        package static let toolMissing = Code(rawValue: "tool-missing")
        /// apt knows no such package.
        package static let packageNotFound = Code(rawValue: "package-not-found")
        /// The package could not be downloaded and is not in the cache.
        package static let packageUnavailable = Code(rawValue: "package-unavailable")
        /// A package is not the one that apt's lists promise, or cannot be unpacked.
        package static let packageDamaged = Code(rawValue: "package-damaged")
        /// There is no room where the cache or the config disk lies.
        package static let diskFull = Code(rawValue: "disk-full")
        /// The agent binary is not there.
        package static let agentMissing = Code(rawValue: "agent-missing")
        /// The recipe folder is not there or says something that cannot be followed.
        package static let recipeInvalid = Code(rawValue: "recipe-invalid")
        /// A file, library or kernel module that the recipe asks for is in none of its packages.
        package static let contentMissing = Code(rawValue: "content-missing")
        /// A program that the build ran failed.
        package static let toolFailed = Code(rawValue: "tool-failed")
        /// A file could not be read or written.
        package static let inputOutput = Code(rawValue: "input-output")
        /// The task that asked was cancelled.
        package static let cancelled = Code(rawValue: "cancelled")
    }

    package let code: Code
    /// What happened, and to what.
    package let message: String
    /// What to do next.
    package let nextStep: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, nextStep: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.nextStep = nextStep
        self.cause = cause
    }
}

extension ImageError: CustomStringConvertible {
    package var description: String { "\(message). \(nextStep)." }
}
