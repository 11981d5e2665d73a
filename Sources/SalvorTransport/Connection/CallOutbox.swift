internal import NIOCore
internal import SalvorWire
internal import Synchronization

/// What one call's task has said and its connection has not taken yet, in order.
///
/// A writer waits only when the room is used up. If it waited for the event loop to take each message, the two would wake
/// each other for every one of them.
final class CallOutbox: Sendable {
    enum Entry: Sendable {
        /// Only those that can be refused have a ticket.
        case headers(WireMetadata, Ticket<Void>?)
        /// Those that have waited have a ticket, which may be settled.
        case message(Message, Ticket<Void>?)
        case halfClose
        case trailers(Trailers)
    }

    private struct State {
        var accepted: CircularBuffer<Entry> = []
        /// Bytes of the messages that are accepted.
        var cost = 0
        /// A message for which there is no room yet, and what was said after it.
        var waiting: CircularBuffer<Entry> = []
        /// The event loop has been asked to take what there is, or knows that it has to.
        var isFlushDue = false
        /// Nothing will be taken any more.
        var failure: WireError?
    }

    private let state = Mutex(State())
    private let room: Int
    private let maxMessage: Int

    /// - Parameters:
    ///   - room: bytes of messages that a writer may be ahead of the event loop (SPEC.md S-9).
    ///   - maxMessage: bytes of the largest message that the peer takes: whether a larger one is refused, its writer waits to
    ///     hear.
    init(room: Int, maxMessage: Int) {
        self.room = room
        self.maxMessage = maxMessage
    }

    /// - Returns: what to wait for, if anything, and whether the event loop is to be asked to take what there is.
    func put(_ message: Message) throws(WireError) -> (ticket: Ticket<Void>?, needsFlush: Bool) {
        var ticket: Ticket<Void>?
        let needsFlush = try put { state in
            let cost = Self.cost(of: message)
            if state.waiting.isEmpty, state.cost + cost <= room, message.byteCountForPeer <= maxMessage {
                state.cost += cost
                return .message(message, nil)
            }
            ticket = Ticket<Void>()
            return .message(message, ticket)
        }
        return (ticket, needsFlush)
    }

    /// - Returns: whether the event loop is to be asked to take what there is.
    func put(_ entry: Entry) throws(WireError) -> Bool { try put { _ in entry } }

    private func put(_ entry: (inout State) -> Entry) throws(WireError) -> Bool {
        let (failure, needsFlush) = state.withLock { state -> (WireError?, Bool) in
            if let failure = state.failure { return (failure, false) }
            let entry = entry(&state)
            if state.waiting.isEmpty, !entry.waits { state.accepted.append(entry) } else { state.waiting.append(entry) }
            defer { state.isFlushDue = true }
            return (nil, !state.isFlushDue)
        }
        if let failure { throw failure }
        return needsFlush
    }

    /// Called on the event loop.
    /// - Returns: what comes next. After nil, and only then, it has to be asked again.
    func take() -> Entry? {
        let (next, admitted) = state.withLock { state -> (Entry?, [Ticket<Void>]) in
            var next = state.accepted.popFirst()
            if case .message(let message, _)? = next { state.cost -= Self.cost(of: message) }
            if next == nil { next = Self.firstThatIsWanted(&state.waiting) }
            let admitted = admit(&state)
            if next == nil { state.isFlushDue = false }
            return (next, admitted)
        }
        // Outside of the lock, which whoever goes on takes at once.
        for ticket in admitted where !ticket.settle(.success(())) { drop(ticket) }
        return next
    }

    /// Lets writers go on, once half of the room is free: what they write then is worth being woken for.
    private func admit(_ state: inout State) -> [Ticket<Void>] {
        var admitted: [Ticket<Void>] = []
        guard !state.waiting.isEmpty, state.cost <= room / 2 else { return admitted }
        while let entry = state.waiting.first {
            if case .message(let message, let ticket) = entry {
                let cost = Self.cost(of: message)
                guard state.cost + cost <= room, message.byteCountForPeer <= maxMessage else { break }
                state.cost += cost
                if let ticket { admitted.append(ticket) }
            }
            state.accepted.append(entry)
            state.waiting.removeFirst()
        }
        return admitted
    }

    /// The writer of a message was cancelled while it waited: it is not sent.
    private func drop(_ ticket: Ticket<Void>) {
        state.withLock { state in
            guard let index = state.accepted.firstIndex(where: { $0.ticket === ticket }) else { return }
            if case .message(let message, _) = state.accepted.remove(at: index) {
                state.cost -= Self.cost(of: message)
            }
        }
    }

    private static func firstThatIsWanted(_ entries: inout CircularBuffer<Entry>) -> Entry? {
        while let entry = entries.popFirst() {
            if case .message(_, let ticket?) = entry, ticket.isSettled { continue }
            return entry
        }
        return nil
    }

    /// Nothing is taken any more: what there is is dropped. The first failure counts.
    func fail(_ error: WireError) {
        let dropped = state.withLock { state -> CircularBuffer<Entry> in
            defer {
                state.failure = state.failure ?? error
                state.accepted = []
                state.waiting = []
            }
            return state.accepted + state.waiting
        }
        for entry in dropped { entry.ticket?.settle(.failure(error)) }
    }

    /// A message of a few bytes takes more memory than that.
    private static func cost(of message: Message) -> Int { max(256, message.bytes.count) }
}

extension CallOutbox.Entry {
    var ticket: Ticket<Void>? {
        switch self {
        case .headers(_, let ticket), .message(_, let ticket): ticket
        case .halfClose, .trailers: nil
        }
    }

    /// Whether it is a message for which there is no room yet.
    fileprivate var waits: Bool { if case .message(_, .some) = self { true } else { false } }
}

extension Message {
    /// What a peer's limit is about.
    fileprivate var byteCountForPeer: Int { max(bytes.count, uncompressedByteCount ?? 0) }
}
