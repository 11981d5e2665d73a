#if SALVOR_SANITIZE
    internal import Glibc

    /// Takes the place of Synchronization's, which ThreadSanitizer cannot see on Linux: its futex is in a library that is not
    /// instrumented, so that everything under it looks like a race. This one is pthread's, which the sanitizer knows.
    ///
    /// `@unchecked Sendable`: its value is touched under its lock alone. No product is built with it.
    package final class Mutex<Value: ~Copyable>: @unchecked Sendable {
        private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private var value: Value

        package init(_ value: consuming sending Value) {
            self.value = value
            pthread_mutex_init(lock, nil)
        }

        deinit {
            pthread_mutex_destroy(lock)
            lock.deallocate()
        }

        package func withLock<Result, Failure: Error>(
            _ body: (inout Value) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            pthread_mutex_lock(lock)
            defer { pthread_mutex_unlock(lock) }
            return try body(&value)
        }
    }
#endif
