#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Work that waits in the kernel: for a disk, a lock, a hung mount.
package enum Blocking {
    /// Runs `body` on a thread of its own, so that a system call that waits holds no thread of the cooperative pool.
    ///
    /// No pool would do: Dispatch adds threads to one that is stuck about once a second, so that a few calls that wait (a
    /// hostile volume can make any of them hang) would hold up all the others. Calls are few and long, and a thread costs
    /// some 30 µs.
    ///
    /// Not stopped by the task's cancellation: a file is written to its end or not begun.
    package static func run<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Value, Failure>, Never>) in
            startThread {
                do throws(Failure) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    private static func startThread(_ body: @escaping @Sendable () -> Void) {
        let argument = Unmanaged.passRetained(Work(body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { pthread_attr_destroy(&attributes) }
        var thread = pthread_t()
        let failed = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, argument.toOpaque())
        // Out of threads: late is better than never.
        if failed != 0 { argument.takeRetainedValue().body() }
    }

    private final class Work: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
