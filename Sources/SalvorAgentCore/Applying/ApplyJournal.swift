internal import SalvorMessages
internal import SwiftProtobuf

/// Numbers and times the events of one Apply. Its stream holds all of them (they are as many as files), so that a caller
/// that reads slowly never holds a repair up half-way.
struct ApplyJournal: Sendable {
    let events: AsyncStream<Salvor_V1_ApplyEvent>
    private let continuation: AsyncStream<Salvor_V1_ApplyEvent>.Continuation
    private let begin = ContinuousClock.now
    private var sequence: UInt64 = 0

    init() {
        (events, continuation) = AsyncStream.makeStream(of: Salvor_V1_ApplyEvent.self, bufferingPolicy: .unbounded)
    }

    mutating func record(_ event: Salvor_V1_ApplyEvent.OneOf_Event) {
        sequence += 1
        let elapsed = begin.duration(to: .now).components
        continuation.yield(
            .with {
                $0.sequence = sequence
                $0.elapsedNanoseconds =
                    UInt64(elapsed.seconds) * 1_000_000_000 + UInt64(elapsed.attoseconds / 1_000_000_000)
                $0.event = event
            })
    }

    /// The outcome is the last event, always and once.
    mutating func finish(_ outcome: Salvor_V1_Outcome) {
        record(.outcome(outcome))
        continuation.finish()
    }
}

extension Salvor_V1_Step {
    /// The step's name in messages, and in an outcome's `failed_step`.
    var name: String {
        switch self {
        case .select: "select"
        case .mount: "mount"
        case .match: "match"
        case .quarantine: "quarantine"
        case .delete: "delete"
        case .write: "write"
        case .flush: "flush"
        case .verify: "verify"
        case .unspecified, .UNRECOGNIZED: "unknown"
        }
    }
}
