#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Held by the one salvor that drives a run. The kernel lets go of it when the process ends, however it ends.
struct RunLock: ~Copyable, Sendable {
    private let descriptor: Int32

    /// - Throws: ``CoordinatorError/Code/runBusy`` where another salvor holds it.
    init(run: String, directory: RunDirectory) throws(CoordinatorError) {
        // Closed on exec: a rescue VM that outlives a killed salvor must not keep the run locked.
        let descriptor = open(directory.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw PrivateFiles.failure("\(directory.lock) cannot be opened.", errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            guard code == EWOULDBLOCK else { throw PrivateFiles.failure("\(directory.lock) cannot be locked.", code) }
            throw CoordinatorError(
                .runBusy, "Another salvor drives run \(run).",
                nextStep: "Wait for it to end, or interrupt it, and try again.")
        }
        self.descriptor = descriptor
    }

    deinit {
        // A child that is about to become a program has the descriptor too for a moment, and with it would have the lock.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Whether some process drives the run now.
    static func isHeld(_ directory: RunDirectory) -> Bool {
        let descriptor = open(directory.lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}
