#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// An audit log as it was read, and what its chain proves.
package struct AuditReading: Sendable {
    /// The records that the chain proves, in order.
    package var records: [AuditRecord]
    package var verdict: AuditVerdict

    package init(records: [AuditRecord], verdict: AuditVerdict) {
        self.records = records
        self.verdict = verdict
    }

    /// Reads a log, which may be in the middle of being written.
    /// - Parameter head: what the journal remembers, nil where there is no journal.
    package static func read(path: String, head: AuditHead? = nil) throws(AuditError) -> AuditReading {
        var records: [AuditRecord] = []
        let verdict = try AuditVerdict.verify(path: path, head: head) { records.append($0) }
        return AuditReading(records: records, verdict: verdict)
    }
}

extension AuditVerdict {
    /// Verifies a log line by line; holds one line at a time.
    /// - Parameters:
    ///   - head: what the journal remembers, nil where there is no journal.
    ///   - each: gets every record that the chain proves.
    package static func verify(
        path: String, head: AuditHead? = nil, each: (AuditRecord) -> Void = { _ in }
    ) throws(AuditError) -> AuditVerdict {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let cause = SystemFailure(call: "open", errno: errno)
            guard cause.errno == ENOENT else {
                throw AuditError(
                    .unreadable, "The audit log \(printable(path)) cannot be read.",
                    nextStep: "Run the command as the user who ran the rescue.", cause: cause)
            }
            throw AuditError(
                .missing, "There is no audit log \(printable(path)).",
                nextStep: "Name a run that `salvor status` lists.", cause: cause)
        }
        defer { close(descriptor) }
        return try verify(descriptor: descriptor, path: path, chain: AuditChain(expected: head), head: head, each: each)
            .verdict
    }

    /// - Returns: the verdict, and how many bytes the proven records take.
    static func verify(
        descriptor: Int32, path: String, chain: AuditChain, head: AuditHead?, each: (AuditRecord) -> Void
    ) throws(AuditError) -> (verdict: AuditVerdict, byteCount: UInt64) {
        var chain = chain
        var byteCount: UInt64 = 0
        var finding = Finding.intact
        var lines = LineReader(descriptor: descriptor, limit: AuditLine.byteLimit)
        do throws(SystemFailure) {
            reading: while let line = try lines.next() {
                switch line {
                case .tooLong:
                    finding = .broken(line: chain.head.count + 1, .notARecord)
                    break reading
                case .unfinished(let bytes):
                    finding = .torn(byteCount: UInt64(bytes.count))
                case .whole(let bytes):
                    do throws(ChainBreakError) {
                        each(try chain.accept(bytes))
                        byteCount += UInt64(bytes.count) + 1
                    } catch {
                        finding = .broken(line: chain.head.count + 1, error.reason)
                        break reading
                    }
                }
            }
        } catch {
            throw AuditError(
                .unreadable, "The audit log \(printable(path)) cannot be read to its end.",
                nextStep: "Check the disk that it is on.", cause: error)
        }
        if let head, chain.head.count < head.count {
            switch finding {
            case .intact, .torn: finding = .truncated(expected: head.count)
            case .broken, .truncated: break
            }
        }
        let verdict = AuditVerdict(finding: finding, head: chain.head, comparedWithJournal: head != nil)
        return (verdict, byteCount)
    }
}
