internal import Glibc
internal import SalvorSystem

/// Writes lines to a console on a thread of its own: a serial console under emulation takes milliseconds a line, and
/// whoever logs must not wait for it. When more than ``capacity`` lines wait, the oldest go, and a line says how many.
package final class ConsoleWriter: @unchecked Sendable {
    // Unchecked: `lines`, `dropped` and `isWriting` are touched only under `mutex`, which has an address of its own.
    private static let capacity = 4096
    private let descriptor: Int32
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var lines: [String] = []
    private var dropped = 0
    private var isWriting = false

    /// - Parameter descriptor: stays open for as long as the process runs, as this writer and its thread do.
    package init(descriptor: Int32 = STDERR_FILENO) {
        self.descriptor = descriptor
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
        Task.detached { await Blocking.run { self.writeForever() } }
    }

    package func write(_ line: String) {
        pthread_mutex_lock(mutex)
        lines.append(line)
        if lines.count > Self.capacity {
            lines.removeFirst()
            dropped += 1
        }
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }

    /// Returns when everything written so far is out: before the power goes off.
    package func drain() async {
        await Blocking.run {
            pthread_mutex_lock(self.mutex)
            while !self.lines.isEmpty || self.isWriting { pthread_cond_wait(self.changed, self.mutex) }
            pthread_mutex_unlock(self.mutex)
        }
    }

    private func writeForever() {
        while true {
            pthread_mutex_lock(mutex)
            isWriting = false
            pthread_cond_broadcast(changed)
            while lines.isEmpty { pthread_cond_wait(changed, mutex) }
            var batch =
                dropped > 0 ? ["level=warning msg=\"\(dropped) lines were dropped: the console is too slow\""] : []
            batch += lines
            lines = []
            dropped = 0
            isWriting = true
            pthread_mutex_unlock(mutex)
            writeOut(Array((batch.joined(separator: "\n") + "\n").utf8))
        }
    }

    private func writeOut(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            // A console that is gone is no reason to stop a repair.
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
