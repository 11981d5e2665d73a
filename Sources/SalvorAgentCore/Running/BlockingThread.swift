internal import Glibc

/// Runs `body` on a thread of its own, so that a system call that blocks (a hostile volume can make any of them hang)
/// holds no thread of the cooperative pool. A pool of ours would be no better: one hung volume after the other would
/// fill it. Calls are few and long, and a thread costs some 30 µs.
package func onBlockingThread<Success: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Success
) async throws(Failure) -> Success {
    let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Success, Failure>, Never>) in
        let work = BlockingWork {
            do throws(Failure) {
                continuation.resume(returning: .success(try body()))
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        let argument = Unmanaged.passRetained(work)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { pthread_attr_destroy(&attributes) }
        var thread = pthread_t()
        let failed = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<BlockingWork>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, argument.toOpaque())
        // Out of threads: late is better than never.
        if failed != 0 { argument.takeRetainedValue().run() }
    }
    return try result.get()
}

private final class BlockingWork: Sendable {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) { self.run = run }
}
