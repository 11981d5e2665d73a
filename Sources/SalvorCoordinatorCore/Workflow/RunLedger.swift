internal import SalvorAudit

/// Why a step did not come to its end.
struct StepFailure: Error {
    var step: StepName
    var error: CoordinatorError
    /// The run was interrupted: the step has no outcome of its own and is taken up again by a resume.
    var isInterruption: Bool
}

/// Where a run writes down what it is about to do and what came of it: journal, audit log and progress, in that order of
/// importance. No effect happens outside of ``perform(_:on:change:events:effect:)``.
struct RunLedger: Sendable {
    let run: String
    let journal: Journal
    let audit: AuditLog
    let clock: RunClock
    /// By ``RunClock/monotonic``: when the operator's command began.
    let commandBegan: Duration
    let report: @Sendable (ProgressEvent) -> Void

    /// Records the intent, has the effect, records its one conclusion.
    /// - Parameters:
    ///   - change: what the step does to a resource of the run.
    ///   - events: what the audit log is to say about a step that is done.
    func perform<Value: Codable & Sendable>(
        _ step: StepName, on subject: StepSubject, change: ResourceChange? = nil,
        events: (Value) -> [AuditEvent] = { _ in [] }, effect: () async throws -> Value
    ) async throws(StepFailure) -> Value {
        try await perform(
            step, on: subject, change: change, recording: { try JSONText.encode($0) }, events: events, effect: effect)
    }

    /// The same for a value that the journal cannot keep as it is.
    /// - Parameter recording: what the journal keeps of it.
    func perform<Value: Sendable>(
        _ step: StepName, on subject: StepSubject, change: ResourceChange? = nil,
        recording: (Value) throws -> String, events: (Value) -> [AuditEvent] = { _ in [] },
        effect: () async throws -> Value
    ) async throws(StepFailure) -> Value {
        let intent = try await intend(step, subject, change)
        let began = clock.monotonic()
        let trail = ProviderTrail()
        do {
            let value = try await ProviderTrail.$current.withValue(trail) { try await effect() }
            let took = clock.monotonic() - began
            try await record(trail, of: step, subject, intent: intent)
            for event in events(value) { try await append(event, subject) }
            try await append(.stepDone(AuditEvent.StepDone(step: step.rawValue, took: took)), subject)
            try await conclude(intent, .done, value: try recording(value), took: took, change: change)
            tell(step, subject, .done(took))
            return value
        } catch {
            let took = clock.monotonic() - began
            // A record that cannot be written must not hide why the step failed.
            try? await record(trail, of: step, subject, intent: intent)
            throw await failed(step, subject, intent: intent, error, took: took)
        }
    }

    /// Something worth keeping that is no step.
    func append(
        _ event: AuditEvent, _ subject: StepSubject = StepSubject(), by actor: AuditActor = .coordinator
    ) async throws(CoordinatorError) {
        do throws(AuditError) {
            try await audit.append(event, by: actor, machine: subject.machine, host: subject.host?.host)
        } catch {
            throw CoordinatorError(wrapping: error, doing: "Writing the audit log")
        }
    }

    func tell(_ step: StepName?, _ subject: StepSubject, _ change: ProgressEvent.Change) {
        report(
            ProgressEvent(
                run: run, machine: subject.machine, host: subject.host?.host, step: step, change: change))
    }

    /// Keeps the calls of a step in journal and audit log: those that were to change something, and those that were
    /// refused; of all others their number.
    private func record(
        _ trail: ProviderTrail, of step: StepName, _ subject: StepSubject, intent: Int64
    ) async throws(CoordinatorError) {
        let calls = trail.calls
        guard !calls.isEmpty else { return }
        let kept = calls.filter { $0.changes || ($0.status ?? 600) >= 400 }
        try await append(
            .providerCalls(
                AuditEvent.ProviderCalls(
                    step: step.rawValue, calls: kept, reads: calls.count { !$0.changes })), subject)
        try await journal.keep(kept, of: intent)
    }

    private func intend(
        _ step: StepName, _ subject: StepSubject, _ change: ResourceChange?
    ) async throws(StepFailure) -> Int64 {
        do throws(CoordinatorError) {
            guard !Task.isCancelled else {
                throw CoordinatorError(.interrupted, "The run was interrupted.", nextStep: "Resume the run.")
            }
            try await append(.stepStarted(AuditEvent.StepStarted(step: step.rawValue)), subject)
            let intent = try await journal.intend(
                step, on: subject, run: run, change: change, at: clock.wall(), auditHead: audit.head)
            tell(step, subject, .began)
            return intent
        } catch {
            throw StepFailure(step: step, error: error, isInterruption: error.code == .interrupted)
        }
    }

    private func conclude(
        _ intent: Int64, _ result: StepResult, value: String?, took: Duration, change: ResourceChange?
    ) async throws(CoordinatorError) {
        try await journal.conclude(
            intent, run: run,
            IntentRecord.Conclusion(result: result, value: value, milliseconds: took.wholeMilliseconds),
            change: change, at: clock.wall(), auditHead: audit.head)
    }

    private func failed(
        _ step: StepName, _ subject: StepSubject, intent: Int64, _ error: any Error, took: Duration
    ) async -> StepFailure {
        let error = CoordinatorError(wrapping: error, doing: "The step \(step.rawValue)")
        let isInterruption = Task.isCancelled
        let result = isInterruption ? StepResult.interrupted : .failed
        do throws(CoordinatorError) {
            try await append(
                .stepFailed(
                    AuditEvent.StepFailed(
                        step: step.rawValue, detail: isInterruption ? "interrupted" : error.description, took: took)),
                subject)
            let value = try? JSONText.encode(RecordedError(error))
            try await conclude(intent, result, value: value, took: took, change: nil)
        } catch let second {
            // The intent stays without a conclusion, and a resume gives it one.
            tell(step, subject, .remark("\(second)"))
        }
        tell(step, subject, isInterruption ? .interrupted : .failed(error.message))
        return StepFailure(step: step, error: error, isInterruption: isInterruption)
    }
}

/// A step's error as the journal keeps it.
struct RecordedError: Codable {
    var code: CoordinatorError.Code
    var message: String
    var nextStep: String

    init(_ error: CoordinatorError) {
        code = error.code
        message = error.cause.map { "\(error.message) (\($0))" } ?? error.message
        nextStep = error.nextStep
    }

    var error: CoordinatorError { CoordinatorError(code, message, nextStep: nextStep) }
}

/// The value of a step that has none.
struct Nothing: Codable, Sendable {}

extension Duration {
    var wholeMilliseconds: Int {
        Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}
