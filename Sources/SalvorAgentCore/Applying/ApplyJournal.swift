internal import SalvorMessages
internal import SwiftProtobuf
internal import Synchronization

/// Numbers, times and keeps the events of one Apply (they are as many as files), so that a caller that reads slowly never
/// holds a repair up half-way, and one whose link was lost has the rest from a later call (SPEC.md A-2).
final class ApplyJournal: Sendable {
    typealias Events = AsyncThrowingStream<Salvor_V1_ApplyEvent, any Error>

    private struct State {
        var events: [Salvor_V1_ApplyEvent] = []
        var readers: [Int: Events.Continuation] = [:]
        var lastReader = 0
        /// How it ended; nil while it goes on.
        var end: Result<Void, AgentError>?
    }

    private let begin = ContinuousClock.now
    private let state = Mutex(State())

    /// Whether no event follows.
    var isEnded: Bool { state.withLock { $0.end != nil } }

    /// Those that follow event `sequence`, what is recorded already first, until the Apply ends.
    /// - Throws: what kept the Apply from beginning.
    func events(after sequence: UInt64 = 0) -> Events {
        let (stream, continuation) = Events.makeStream(bufferingPolicy: .unbounded)
        let end = state.withLock { state -> Result<Void, AgentError>? in
            for event in state.events.dropFirst(Int(clamping: sequence)) { continuation.yield(event) }
            guard state.end == nil else { return state.end }
            state.lastReader += 1
            let number = state.lastReader
            state.readers[number] = continuation
            continuation.onTermination = { [weak self] _ in
                self?.state.withLock { _ = $0.readers.removeValue(forKey: number) }
            }
            return nil
        }
        if let end { continuation.end(with: end) }
        return stream
    }

    /// Returns when no event follows.
    func awaitEnd() async {
        let events = events(after: .max)
        // Of a task of its own: the caller's may be cancelled, and it waits all the same.
        await Task.detached { do { for try await _ in events {} } catch {} }.value
    }

    func record(_ event: Salvor_V1_ApplyEvent.OneOf_Event) {
        let elapsed = begin.duration(to: .now).components
        state.withLock { state in
            let event = Salvor_V1_ApplyEvent.with {
                $0.sequence = UInt64(state.events.count + 1)
                $0.elapsedNanoseconds =
                    UInt64(elapsed.seconds) * 1_000_000_000 + UInt64(elapsed.attoseconds / 1_000_000_000)
                $0.event = event
            }
            state.events.append(event)
            for reader in state.readers.values { reader.yield(event) }
        }
    }

    /// The outcome is the last event, always and once.
    func finish(_ outcome: Salvor_V1_Outcome) {
        record(.outcome(outcome))
        end(.success(()))
    }

    /// It did not come to an outcome, because it never began. Says nothing where there was one.
    func fail(_ error: AgentError) { end(.failure(error)) }

    private func end(_ end: Result<Void, AgentError>) {
        let readers = state.withLock { state -> [Events.Continuation] in
            guard state.end == nil else { return [] }
            state.end = end
            // They take themselves out, which takes the lock.
            return Array(state.readers.values)
        }
        for reader in readers { reader.end(with: end) }
    }
}

extension ApplyJournal.Events.Continuation {
    fileprivate func end(with end: Result<Void, AgentError>) {
        switch end {
        case .success: finish()
        case .failure(let error): finish(throwing: error)
        }
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
