internal import SalvorDigest

/// Why a line does not continue the chain before it.
package enum ChainBreak: Hashable, Sendable {
    /// Not a line that Salvor wrote.
    case notARecord
    /// Its bytes are not those that its digest was made over.
    case changed
    /// The records between are missing, or were moved.
    case outOfSequence(expected: UInt64, found: UInt64)
    /// It follows another record than the one before it.
    case otherPredecessor
    /// It belongs to another run.
    case otherRun(String)
    /// The log and the journal disagree about this record: the log was written anew.
    case otherThanJournal

    /// Completes `line 7: …`.
    package var reason: String {
        switch self {
        case .notARecord: "this is not a record of an audit log"
        case .changed: "the record was changed after it was written"
        case .outOfSequence(let expected, let found):
            "record \(expected) is missing or was moved: record \(found) stands in its place"
        case .otherPredecessor: "the record follows another one than the record before it"
        case .otherRun(let run): "the record belongs to another run, \(printable(run))"
        case .otherThanJournal: "the journal remembers another record here: the log was written anew"
        }
    }
}

/// The rule that makes a log verifiable, fed line by line.
struct AuditChain {
    private(set) var head = AuditHead.empty
    /// nil until the first record names it.
    private(set) var run: String?
    private let expected: AuditHead?

    /// - Parameters:
    ///   - run: that every record must name; nil takes the first record's.
    ///   - expected: the head that the journal remembers. The log may have gone on since.
    init(run: String? = nil, expected: AuditHead? = nil) {
        self.run = run
        self.expected = expected
    }

    /// Takes a line without its line feed, as the next record or not at all.
    mutating func accept(_ line: ArraySlice<UInt8>) throws(ChainBreakError) -> AuditRecord {
        guard let (unsealed, digest) = AuditLine.split(line) else { throw ChainBreakError(.notARecord) }
        guard SHA256.digest(of: unsealed) == digest else { throw ChainBreakError(.changed) }
        guard let record = try? AuditLine.decode(unsealed) else { throw ChainBreakError(.notARecord) }
        guard record.sequence == head.count + 1 else {
            throw ChainBreakError(.outOfSequence(expected: head.count + 1, found: record.sequence))
        }
        guard record.previous == head.sha256 else { throw ChainBreakError(.otherPredecessor) }
        if let run, record.run != run { throw ChainBreakError(.otherRun(record.run)) }
        let next = AuditHead(count: record.sequence, sha256: digest)
        if let expected, expected.count == next.count, expected != next { throw ChainBreakError(.otherThanJournal) }
        head = next
        run = record.run
        return record.sealed(digest)
    }
}

struct ChainBreakError: Error {
    let reason: ChainBreak

    init(_ reason: ChainBreak) { self.reason = reason }
}
