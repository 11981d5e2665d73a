/// What the journal knows of one machine's steps in one attempt: so that a resumed run takes a step's recorded result
/// for its result, and has no effect twice.
struct StepRecords: Sendable {
    private var conclusions: [StepName: IntentRecord.Conclusion] = [:]
    private(set) var steps: Set<StepName> = []

    /// Of a machine that nothing was done for yet.
    init() {}

    init(_ intents: [IntentRecord], machine: String, attempt: Int) {
        for intent in intents where intent.machine == machine && intent.attempt == attempt {
            steps.insert(intent.step)
            conclusions[intent.step] = intent.conclusion
        }
    }

    func isDone(_ step: StepName) -> Bool { conclusions[step]?.result == .done }

    /// - Returns: the value of the step that is done; nil where it is to be done (again).
    /// - Throws: the error that the step failed with. Trying again is for the operator to decide, not for a resume.
    func recorded<Value: Decodable>(_ step: StepName) throws(StepFailure) -> Value? {
        guard let conclusion = conclusions[step], conclusion.result != .interrupted else { return nil }
        do {
            let text = conclusion.value ?? ""
            if conclusion.result == .done { return try JSONText.decode(from: text) }
            let recorded: RecordedError = try JSONText.decode(from: text)
            throw StepFailure(step: step, error: recorded.error, isInterruption: false)
        } catch let failure as StepFailure {
            throw failure
        } catch {
            throw StepFailure(
                step: step,
                error: CoordinatorError(
                    .state, "The journal's record of the step \(step.rawValue) cannot be read.",
                    nextStep: "Use the Salvor that wrote it, or a newer one.", cause: error), isInterruption: false)
        }
    }
}
