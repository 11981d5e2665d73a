internal import GRPCCore
internal import NIOCore
internal import SalvorWire
internal import Synchronization

/// Messages that count against the peer's window: what they cost, and how many they are.
struct Unread: Sendable {
    private(set) var cost = 0
    private(set) var messages = 0

    mutating func add(_ cost: Int) {
        self.cost += cost
        messages += 1
    }

    mutating func add(_ other: Unread) {
        cost += other.cost
        messages += other.messages
    }
}

/// What has arrived for one call and waits to be read. It has no bound of its own: the stream's window is one.
final class CallInbound: Sendable {
    enum Item: Sendable {
        case metadata(Metadata)
        /// `cost` goes back to the peer's window once the message is out of here.
        case message(Message, cost: Int)
        case status(Status, Metadata)
    }

    private enum End {
        case finished
        case failed(RPCError)
        /// Nobody reads any more.
        case discarded
    }

    private struct State {
        var items: CircularBuffer<Item> = []
        var end: End?
        var reader: Ticket<Item?>?
    }

    private let state = Mutex(State())

    /// Called on the connection's event loop.
    /// - Returns: false when nobody will read it.
    func yield(_ item: Item) -> Bool {
        let (isTaken, reader) = state.withLock { state -> (Bool, Ticket<Item?>?) in
            guard state.end == nil else { return (false, nil) }
            guard let reader = state.reader else {
                state.items.append(item)
                return (true, nil)
            }
            state.reader = nil
            return (true, reader)
        }
        // A reader that was cancelled meanwhile reads no more: its item would be lost, so that it counts as discarded.
        if let reader { return reader.settle(.success(item)) }
        return isTaken
    }

    /// What was yielded can still be read; then comes the end, or the failure. The first end counts.
    func finish(throwing error: RPCError? = nil) {
        let reader = state.withLock { state -> Ticket<Item?>? in
            guard state.end == nil else { return nil }
            state.end = error.map { .failed($0) } ?? .finished
            defer { state.reader = nil }
            return state.reader
        }
        reader?.settle(error.map { .failure($0) } ?? .success(nil))
    }

    /// Lets go of what was yielded and not read yet; the stream that it came on is gone, and its window with it.
    func dropUnread() { state.withLock { $0.items.removeAll() } }

    /// Nothing will be read any more.
    /// - Returns: the messages that were not read.
    func discard() -> Unread {
        state.withLock { state in
            var unread = Unread()
            for case .message(_, let cost) in state.items { unread.add(cost) }
            state.items = []
            state.end = .discarded
            return unread
        }
    }

    /// The next item; nil at the end. One reader at a time.
    func next() async throws -> Item? {
        let reader = Ticket<Item?>()
        let ready = state.withLock { state -> Result<Item?, RPCError>? in
            if let item = state.items.popFirst() { return .success(item) }
            switch state.end {
            case .finished, .discarded: return .success(nil)
            case .failed(let error): return .failure(error)
            case nil: ()
            }
            if state.reader != nil {
                return .failure(RPCError(code: .internalError, message: "two tasks read the same call"))
            }
            state.reader = reader
            return nil
        }
        if let ready { return try ready.get() }
        do {
            return try await reader.value()
        } catch is CancellationError {
            state.withLock { if $0.reader === reader { $0.reader = nil } }
            throw RPCError(code: .cancelled, message: "the task that reads the call was cancelled")
        }
    }
}
