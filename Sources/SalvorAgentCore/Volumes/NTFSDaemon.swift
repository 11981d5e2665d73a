internal import CLinux
internal import Glibc
internal import SalvorSystem
internal import Subprocess
internal import Synchronization

/// One running ntfs-3g, a child of the agent for as long as its volume is mounted: so its end, which is when the last
/// byte is written, can be waited for, and what it complains of is read.
final class NTFSDaemon: Sendable {
    struct Exit: Sendable {
        /// nil when a signal ended it, or when it could not be started.
        let code: Int32?
        /// The first lines that it wrote to standard error.
        let complaint: String
        let failure: AgentError?
    }

    /// Hangs up when the process has ended.
    let hangup: Descriptor
    private let task: Task<Exit, Never>

    /// - Parameter arguments: with `no_detach` among the options, so that the process stays a child.
    init(tool: String, arguments: [String]) throws(AgentError) {
        var ends: [Int32] = [-1, -1]
        guard salvor_pipe(&ends) == 0 else { throw .systemCall("pipe", "the agent") }
        hangup = Descriptor(owning: ends[0])
        let held = ends[1]
        // Not a child of the caller's task: cancelling that one must never kill a daemon that holds unwritten data.
        task = Task.detached {
            defer { close(held) }
            let complaint = Mutex<[UInt8]>([])
            do {
                let result = try await Subprocess.run(
                    toolExecutable(tool), arguments: Arguments(arguments), environment: toolEnvironment,
                    input: .none, output: .discarded, error: .sequence
                ) { execution in
                    // Read to the end whatever comes, or the daemon would block on a full pipe; keep what fits.
                    for try await buffer in execution.standardError {
                        let bytes = buffer.withUnsafeBytes { Array($0) }
                        complaint.withLock { kept in kept += bytes.prefix(max(0, 4096 - kept.count)) }
                    }
                }
                return Exit(
                    code: exitCode(of: result.terminationStatus), complaint: printable(complaint.withLock { $0 }),
                    failure: nil)
            } catch {
                return Exit(code: nil, complaint: printable(complaint.withLock { $0 }), failure: toolError(tool, error))
            }
        }
    }

    /// Waits for the process to end.
    /// - Returns: nil when it has not within `timeout`.
    func exit(within timeout: Duration) async -> Exit? {
        let hasEnded = await Blocking.run { self.hasEnded(within: timeout) }
        return hasEnded ? await task.value : nil
    }

    /// Ends a process that does not end by itself.
    func kill() { task.cancel() }

    /// Blocking.
    private func hasEnded(within timeout: Duration) -> Bool {
        let deadline = ContinuousClock.now + timeout
        while true {
            var poller = pollfd(fd: hangup.number, events: Int16(POLLIN), revents: 0)
            let count = poll(&poller, 1, milliseconds(until: deadline))
            if count > 0 { return true }
            if count == 0 { return false }
            guard errno == EINTR else { return false }
        }
    }
}

/// For poll(2): 0 once the deadline has passed.
func milliseconds(until deadline: ContinuousClock.Instant) -> Int32 {
    let left = ContinuousClock.now.duration(to: deadline)
    guard left > .zero else { return 0 }
    return Int32(clamping: left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1)
}
