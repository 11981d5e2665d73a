package import SalvorDigest

extension AuditEvent {
    /// A run began. Always the first event of a log, unless the log was replaced.
    package struct RunStarted: AuditPayload {
        package static let kind = "runStarted"
        package var salvorVersion: String
        package var `operator`: Operator
        package var provider: String
        package var recipe: RecipeIdentity
        package var options: RunOptions

        package init(
            salvorVersion: String, operator: Operator, provider: String, recipe: RecipeIdentity, options: RunOptions
        ) {
            self.salvorVersion = salvorVersion
            self.operator = `operator`
            self.provider = provider
            self.recipe = recipe
            self.options = options
        }
    }

    /// The person who ran Salvor, and where.
    package struct Operator: Hashable, Sendable, Codable {
        package var name: String
        package var host: String

        package init(name: String, host: String) {
            self.name = name
            self.host = host
        }
    }

    package struct RecipeIdentity: Hashable, Sendable, Codable {
        package var name: String
        package var version: UInt32
        /// SHA-256 of the recipe's file as it was read.
        package var sha256: Digest

        package init(name: String, version: UInt32, sha256: Digest) {
            self.name = name
            self.version = version
            self.sha256 = sha256
        }
    }

    /// What the operator asked for. Named fields only: a command line as such could hold what must not be kept.
    package struct RunOptions: Hashable, Sendable, Codable {
        /// `rescue`, `scan`, ….
        package var command: String
        package var machines: [String]
        package var dryRun: Bool
        /// The operator agreed beforehand to what would have been asked.
        package var assumeYes: Bool
        /// Where the machines' definitions are, where the provider has such a place.
        package var inventory: String?

        package init(
            command: String, machines: [String], dryRun: Bool, assumeYes: Bool, inventory: String? = nil
        ) {
            self.command = command
            self.machines = machines
            self.dryRun = dryRun
            self.assumeYes = assumeYes
            self.inventory = inventory
        }
    }

    /// The operator was asked, and answered.
    package struct OperatorDecision: AuditPayload {
        package static let kind = "operatorDecision"
        package var question: String
        package var answer: String

        package init(question: String, answer: String) {
            self.question = question
            self.answer = answer
        }
    }

    /// The run stopped before its end and can be resumed.
    package struct Interrupted: AuditPayload {
        package static let kind = "interrupted"
        package var reason: String

        package init(reason: String) { self.reason = reason }
    }

    package struct Resumed: AuditPayload {
        package static let kind = "resumed"
        package var salvorVersion: String
        package var `operator`: Operator

        package init(salvorVersion: String, operator: Operator) {
            self.salvorVersion = salvorVersion
            self.operator = `operator`
        }
    }

    package struct RunEnded: AuditPayload {
        package static let kind = "runEnded"
        package var summary: String
        package var exitCode: Int32

        package init(summary: String, exitCode: Int32) {
            self.summary = summary
            self.exitCode = exitCode
        }
    }

    /// Something worth keeping that has no kind of its own.
    package struct Note: AuditPayload {
        package static let kind = "note"
        package static let announcesEffect = false
        package var text: String

        package init(text: String) { self.text = text }
    }

    /// The log ended in the middle of a record, as a crash leaves it. Its bytes were cut off before the log went on.
    package struct TornRecordDropped: AuditPayload {
        package static let kind = "tornRecordDropped"
        package var byteCount: UInt64
        package var sha256: Digest

        package init(byteCount: UInt64, sha256: Digest) {
            self.byteCount = byteCount
            self.sha256 = sha256
        }
    }

    /// The log before this one did not verify. It was kept beside this one, which begins here. Its last proven record
    /// is no part of this chain.
    package struct LogReplaced: AuditPayload {
        package static let kind = "logReplaced"
        package var reason: String
        /// nil where the log before was gone.
        package var keptAs: String?
        package var sha256: Digest?

        package init(reason: String, keptAs: String?, sha256: Digest?) {
            self.reason = reason
            self.keptAs = keptAs
            self.sha256 = sha256
        }
    }
}
