internal import Dispatch

/// Runs what waits for a disk on a thread that may wait, never on a cooperative one.
enum BlockingWork {
    private static let queue = DispatchQueue(label: "salvor.files", attributes: .concurrent)

    /// Not stopped by the task's cancellation: a file is written to its end or not begun.
    static func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws(CoordinatorError) -> Value
    ) async throws(CoordinatorError) -> Value {
        let result: Result<Value, CoordinatorError> = await withCheckedContinuation { continuation in
            queue.async {
                do throws(CoordinatorError) {
                    continuation.resume(returning: .success(try work()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}
