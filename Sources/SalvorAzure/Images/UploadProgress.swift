import Synchronization

/// Counts what several tasks have sent.
final class UploadProgress: Sendable {
    private let total: Int64
    private let report: @Sendable (_ sent: Int64, _ of: Int64) -> Void
    private let sent = Mutex<Int64>(0)

    init(total: Int64, report: @escaping @Sendable (_ sent: Int64, _ of: Int64) -> Void) {
        self.total = total
        self.report = report
    }

    func add(_ count: Int64) {
        let now = sent.withLock { sent in
            sent += count
            return sent
        }
        report(now, total)
    }
}
