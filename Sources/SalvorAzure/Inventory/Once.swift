/// Facts that are asked for once, however many want to know, also at the same time. A failure is not kept.
actor Once<Key: Hashable & Sendable, Value: Sendable> {
    private struct Question {
        var task: Task<Result<Value, AzureError>, Never>
        var waiting = 0
        var isAnswered = false
    }

    private var questions: [Key: Question] = [:]

    func value(
        _ key: Key, _ ask: @escaping @Sendable () async throws(AzureError) -> Value
    ) async throws(AzureError) -> Value {
        let task =
            questions[key]?.task
            ?? Task { await Result.of(ask) }
        questions[key, default: Question(task: task)].waiting += 1
        let result = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            Task { await self.leave(key, task) }
        }
        if questions[key]?.task == task {
            switch result {
            case .success: questions[key]?.isAnswered = true
            case .failure: questions[key] = nil
            }
        }
        return try result.get()
    }

    /// Asks again where an answer that is there turned out to be old.
    func forget(_ key: Key) { questions[key] = nil }

    /// The last that waits takes the question with it.
    private func leave(_ key: Key, _ task: Task<Result<Value, AzureError>, Never>) {
        guard var question = questions[key], question.task == task, !question.isAnswered else { return }
        question.waiting -= 1
        questions[key] = question
        if question.waiting == 0 { task.cancel() }
    }
}
