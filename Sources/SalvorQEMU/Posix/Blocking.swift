import Dispatch

/// Runs work that may block (file and directory calls, locks) on a thread of its own kind, so that no cooperative thread
/// waits for a disk.
package enum Blocking {
    private static let queue = DispatchQueue(label: "blocking", attributes: .concurrent)

    package static func run<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            queue.async {
                do throws(Failure) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}
