extension AuditEvent {
    /// What a step asked its provider's control plane to change, and what was refused. Written when the step has ended;
    /// its intent was on record before.
    package struct ProviderCalls: AuditPayload {
        package static let kind = "providerCalls"

        /// One call: no body, no header but the ids that the provider's support asks for.
        package struct Call: Hashable, Sendable, Codable {
            package var verb: String
            package var target: String
            package var changes: Bool
            /// nil where no answer came.
            package var status: Int?
            /// The provider's code of a refusal.
            package var code: String?
            package var requestID: String?
            package var correlationID: String?
            package var milliseconds: Int

            package init(
                verb: String, target: String, changes: Bool, status: Int?, code: String?, requestID: String?,
                correlationID: String?, milliseconds: Int
            ) {
                self.verb = verb
                self.target = target
                self.changes = changes
                self.status = status
                self.code = code
                self.requestID = requestID
                self.correlationID = correlationID
                self.milliseconds = milliseconds
            }
        }

        package var step: String
        package var calls: [Call]
        /// How many calls only asked.
        package var reads: Int

        package init(step: String, calls: [Call], reads: Int) {
            self.step = step
            self.calls = calls
            self.reads = reads
        }
    }
}
