import CPidfd
import Dispatch
import Glibc
import SystemPackage

/// A hold on one process that cannot slip to another one that is later given the same number.
package final class ProcessHandle: Sendable {
    package let pid: Int32
    private let descriptor: Int32
    private static let queue = DispatchQueue(label: "process-exits")

    /// - Returns: nil when there is no such process.
    package init?(pid: Int32) {
        guard pid > 0 else { return nil }
        let descriptor = pidfd_open(pid, 0)
        guard descriptor >= 0 else { return nil }
        self.pid = pid
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// False from the moment that the process has exited, collected by its parent or not.
    package var isRunning: Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, 0) == 0
    }

    /// Argument vector as the process was started with; empty for one that has exited.
    package var arguments: [String] { ProcessTable.arguments(ofPID: pid) }

    /// - Returns: false when the process was gone already, or is not ours to signal.
    @discardableResult
    package func signal(_ number: Int32) -> Bool {
        pidfd_send_signal(descriptor, number, nil, 0) == 0
    }

    /// - Returns: true when the process has exited; false when the time was up or the task was cancelled.
    package func waitForExit(atMost limit: Duration) async -> Bool {
        if !isRunning { return true }
        // The source has a descriptor of its own, so that it may outlive this object by a moment.
        let copy = dup(descriptor)
        guard copy >= 0 else { return !isRunning }
        let exited = OneShot<Bool>()
        let source = ReadSource(descriptor: copy, queue: Self.queue) { exited.set(true) }
        exited.set(false, after: limit, on: Self.queue)
        defer { source.cancel() }
        return await exited.value(ifCancelled: false)
    }
}

/// What `/proc` says about processes.
package enum ProcessTable {
    /// Every process number now.
    package static func pids() -> [Int32] {
        PosixFile.names(in: "/proc").compactMap { Int32($0) }
    }

    package static func arguments(ofPID pid: Int32) -> [String] {
        guard let bytes = try? PosixFile.read(FilePath("/proc/\(pid)/cmdline"), limit: 1 << 17) else { return [] }
        return bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// The program's short name, as `ps` shows it.
    package static func name(ofPID pid: Int32) -> String? {
        guard let bytes = try? PosixFile.read(FilePath("/proc/\(pid)/comm"), limit: 64) else { return nil }
        return String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
    }
}
