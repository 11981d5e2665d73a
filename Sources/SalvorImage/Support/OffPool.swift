internal import Dispatch

/// Runs work that waits for the disk on a thread of its own, so that it holds up none of the cooperative pool.
package func offCooperativePool<Value: Sendable>(
    _ work: @escaping @Sendable () throws(ImageError) -> Value
) async throws(ImageError) -> Value {
    let result: Result<Value, ImageError> = await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
            do throws(ImageError) {
                continuation.resume(returning: .success(try work()))
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
    }
    return try result.get()
}
