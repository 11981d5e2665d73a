/// Whether an audit log is what was written, as far as that can be known.
///
/// The chain finds a record that was changed, removed, inserted or moved. Whoever can write the whole log anew can also make a
/// new chain, and an end that was cut off leaves a good chain: both show only against the head that the journal keeps.
package struct AuditVerdict: Hashable, Sendable {
    package enum Finding: Hashable, Sendable {
        /// Every line is a record of one chain.
        case intact
        /// So, but for a last line without an end, as a crash leaves it.
        case torn(byteCount: UInt64)
        /// The first line that is not the next record; counted from 1.
        case broken(line: UInt64, ChainBreak)
        /// The journal remembers more records than there are.
        case truncated(expected: UInt64)
    }

    package var finding: Finding
    /// Where the proven part of the log ends.
    package var head: AuditHead
    /// Whether the journal's head was there to compare with.
    package var comparedWithJournal: Bool

    package init(finding: Finding, head: AuditHead, comparedWithJournal: Bool) {
        self.finding = finding
        self.head = head
        self.comparedWithJournal = comparedWithJournal
    }

    /// The first bad line, nil where there is none.
    package var firstBadLine: UInt64? {
        switch finding {
        case .intact: nil
        case .torn, .truncated: head.count + 1
        case .broken(let line, _): line
        }
    }

    /// No record was changed, removed or moved. A torn last line is a crash's trace, not a change.
    package var isSound: Bool {
        switch finding {
        case .intact, .torn: true
        case .broken, .truncated: false
        }
    }

    /// What was found, in sentences for the operator.
    package var statement: String {
        let compared =
            comparedWithJournal
            ? "Its end was compared with the journal's."
            : "Its end was not compared with the journal's: records missing at the end would not show."
        switch finding {
        case .intact:
            return "The chain of all \(head.count) records verifies. \(compared)"
        case .torn(let byteCount):
            return
                "The chain of all \(head.count) whole records verifies; \(byteCount) bytes of a record that was never "
                + "finished follow, as a crash leaves them. \(compared)"
        case .broken(let line, let reason):
            return "The chain is broken at line \(line): \(reason.reason). "
                + "Only the \(head.count) records before it are proven."
        case .truncated(let expected):
            return "The log ends after \(head.count) of at least \(expected) records: its end was cut off."
        }
    }
}
