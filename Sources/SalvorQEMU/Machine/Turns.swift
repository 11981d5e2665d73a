import Synchronization

/// Lets one piece of work in at a time, in the order in which they asked: for what takes several commands that must not
/// mix with another's. A piece of work that has begun is not ended by its caller's cancellation.
final class Turns: Sendable {
    private let last = Mutex<Task<Void, Never>?>(nil)

    func take<Value: Sendable>(
        _ work: @escaping @Sendable () async throws(QEMUError) -> Value
    ) async throws(QEMUError) -> Value {
        let mine = last.withLock { last in
            let before = last
            let mine = Task {
                await before?.value
                do throws(QEMUError) {
                    return Result<Value, QEMUError>.success(try await work())
                } catch {
                    return .failure(error)
                }
            }
            last = Task { _ = await mine.value }
            return mine
        }
        return try await mine.value.get()
    }
}
