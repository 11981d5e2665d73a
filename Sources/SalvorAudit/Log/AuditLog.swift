internal import Dispatch
internal import SalvorDigest
internal import Synchronization

/// The audit log of one run: a file that records are only ever appended to (``AuditLine`` gives its form).
///
/// Records are written one at a time, in the order in which they were appended. A record that announces or reports an
/// effect is on the disk, with all before it, when its append returns. The head that an append returns belongs into the
/// journal: it is what a cut-off end is found against.
package final class AuditLog: Sendable {
    /// What to do with a log that does not verify.
    package enum DamagePolicy: Sendable {
        /// Throw ``AuditError/Code/notSound`` and leave it as it is.
        case refuse
        /// Keep it beside the new log, which begins with ``AuditEvent/LogReplaced``.
        case replace
    }

    private struct State: ~Copyable {
        var file: AppendFile?
        var head: AuditHead
        /// Why nothing more can be appended.
        var failure: AuditError?
    }

    package let path: String
    package let run: String
    private let clock: @Sendable () -> WallTime
    private let state: Mutex<State>
    /// Where asynchronous appends wait for the disk, in order.
    private let queue: DispatchQueue

    /// Opens the run's log or begins it. An unfinished last record is cut off, and the log says so.
    ///
    /// Reads and verifies the whole file, and so blocks its thread for as long.
    /// - Parameters:
    ///   - head: what the journal remembers of this log, nil for a new one.
    ///   - clock: the wall clock, in UTC.
    package static func open(
        path: String, run: String, head: AuditHead? = nil, onDamage: DamagePolicy = .refuse,
        clock: @escaping @Sendable () -> WallTime = { .now }
    ) throws(AuditError) -> AuditLog {
        try open(path: path, run: run, head: head, onDamage: onDamage, clock: clock, write: systemWrite)
    }

    static func open(
        path: String, run: String, head: AuditHead?, onDamage: DamagePolicy,
        clock: @escaping @Sendable () -> WallTime, write: @escaping AppendFile.Write
    ) throws(AuditError) -> AuditLog {
        let file = try AppendFile.open(path: path, write: write)
        let (verdict, byteCount) = try AuditVerdict.verify(
            descriptor: file.descriptor, path: path, chain: AuditChain(run: run, expected: head), head: head,
            each: { _ in })
        switch verdict.finding {
        case .intact:
            return AuditLog(path: path, run: run, clock: clock, file: file, head: verdict.head)
        case .torn:
            let event = AuditEvent.tornRecordDropped(try TornTail.cut(file, after: byteCount))
            let log = AuditLog(path: path, run: run, clock: clock, file: file, head: verdict.head)
            try log.appendBlocking(event)
            return log
        case .broken, .truncated:
            guard onDamage == .replace else {
                throw AuditError(
                    .notSound, "The audit log \(printable(path)) does not verify. \(verdict.statement)",
                    nextStep: "Keep the file as evidence, move it away, and repeat the command: a new log is begun.")
            }
            let event = AuditEvent.logReplaced(try DamagedLog.setAside(file, reason: verdict.statement))
            // A log that was gone or emptied leaves nothing to keep: the new one begins in the same file.
            let fresh = file.byteCount == 0 ? file : try AppendFile.open(path: path, write: write)
            let log = AuditLog(path: path, run: run, clock: clock, file: fresh, head: .empty)
            try log.appendBlocking(event)
            return log
        }
    }

    private init(
        path: String, run: String, clock: @escaping @Sendable () -> WallTime, file: consuming sending AppendFile,
        head: AuditHead
    ) {
        self.path = path
        self.run = run
        self.clock = clock
        state = Mutex(State(file: file, head: head, failure: nil))
        queue = DispatchQueue(label: "salvor.audit")
    }

    /// Where the log ends now.
    package var head: AuditHead { state.withLock { $0.head } }

    /// Appends one event and waits for the disk without holding a cooperative thread. Not cancelled by its task's
    /// cancellation: what happened is recorded.
    /// - Returns: the head after it.
    /// - Throws: where the record is not in the log, or it is not known whether it is (``AuditError/Code/closed`` from
    ///   then on).
    @discardableResult
    package func append(
        _ event: AuditEvent, by actor: AuditActor = .coordinator, machine: String? = nil, host: String? = nil
    ) async throws(AuditError) -> AuditHead {
        let result: Result<AuditHead, AuditError> = await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(
                    returning: Result { () throws(AuditError) in
                        try self.appendBlocking(event, by: actor, machine: machine, host: host)
                    })
            }
        }
        return try result.get()
    }

    /// ``append(_:by:machine:host:)`` for code that has its own thread.
    @discardableResult
    package func appendBlocking(
        _ event: AuditEvent, by actor: AuditActor = .coordinator, machine: String? = nil, host: String? = nil
    ) throws(AuditError) -> AuditHead {
        try state.withLock { (state) throws(AuditError) in
            if let failure = state.failure { throw failure }
            let (line, digest) = try Self.line(
                UnsealedRecord(
                    sequence: state.head.count + 1, time: clock(), run: run, machine: machine, host: host,
                    actor: actor, event: event, previous: state.head.sha256))
            do throws(AppendFailure) {
                try state.file?.append(line, durable: event.announcesEffect)
            } catch {
                throw Self.failed(error, path: path, state: &state)
            }
            state.head = AuditHead(count: state.head.count + 1, sha256: digest)
            return state.head
        }
    }

    /// Lets go of the file. Later appends throw ``AuditError/Code/closed``.
    package func close() {
        state.withLock { state in
            state.file = nil
            if state.failure == nil {
                state.failure = AuditError(
                    .closed, "The audit log \(printable(path)) was closed.", nextStep: "Open it again to append.")
            }
        }
    }

    private static func line(_ record: UnsealedRecord) throws(AuditError) -> (bytes: [UInt8], sha256: Digest) {
        let kind = printable(record.event.kind)
        let line: (bytes: [UInt8], sha256: Digest)
        do {
            line = try AuditLine.encode(record)
        } catch {
            throw AuditError(
                .recordRefused, "An audit record of kind \(kind) has no JSON form and was not written.",
                nextStep: "This is a fault in Salvor; please report it.", cause: error)
        }
        guard line.bytes.count <= AuditLine.byteLimit else {
            throw AuditError(
                .recordRefused,
                "An audit record of kind \(kind) has \(line.bytes.count) bytes, more than \(AuditLine.byteLimit), and was not written.",
                nextStep: "Shorten what it quotes; a guest's text may be cut.")
        }
        return line
    }

    private static func failed(_ failure: AppendFailure, path: String, state: inout State) -> AuditError {
        let nextStep = "Make room on its disk or mend it, then resume the run."
        if failure.isClean {
            return AuditError(
                .writeFailed, "A record could not be written to the audit log \(printable(path)), which is as it was.",
                nextStep: nextStep, cause: failure.cause)
        }
        state.failure = AuditError(
            .closed, "Nothing more is written to the audit log \(printable(path)) after a failed write.",
            nextStep: nextStep, cause: failure.cause)
        return AuditError(
            .writeFailed,
            "A record may or may not have reached the audit log \(printable(path)); nothing more is written to it.",
            nextStep: nextStep, cause: failure.cause)
    }
}
