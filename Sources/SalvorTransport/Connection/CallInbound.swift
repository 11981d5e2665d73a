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
        var reader: Ticket<Void>?
        /// The reader is going to be woken.
        var isWakeDue = false
    }

    private let state = Mutex(State())

    /// Called on the connection's event loop.
    /// - Returns: whether somebody will read it, and whether ``wakeReader()`` has to be called for that, soon.
    func yield(_ item: Item) -> (isTaken: Bool, isReaderAsleep: Bool) {
        state.withLock { state in
            guard state.end == nil else { return (false, false) }
            state.items.append(item)
            guard state.reader != nil, !state.isWakeDue else { return (true, false) }
            state.isWakeDue = true
            return (true, true)
        }
    }

    func wakeReader() {
        let reader = state.withLock { Self.takeReader(&$0) }
        reader?.settle(.success(()))
    }

    private static func takeReader(_ state: inout State) -> Ticket<Void>? {
        defer { state.reader = nil }
        state.isWakeDue = false
        return state.reader
    }

    /// What was yielded can still be read; then comes the end, or the failure. The first end counts.
    func finish(throwing error: RPCError? = nil) {
        let reader = state.withLock { state -> Ticket<Void>? in
            guard state.end == nil else { return nil }
            state.end = error.map { .failed($0) } ?? .finished
            return Self.takeReader(&state)
        }
        reader?.settle(.success(()))
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
        while true {
            switch state.withLock({ Self.read(&$0) }) {
            case .item(let item): return item
            case .end: return nil
            case .failure(let error): throw error
            case .wait(let reader): try await wait(reader)
            }
        }
    }

    private enum Reading: Sendable {
        case item(Item)
        case end
        case failure(RPCError)
        case wait(Ticket<Void>)
    }

    private static func read(_ state: inout State) -> Reading {
        if let item = state.items.popFirst() { return .item(item) }
        switch state.end {
        case .finished, .discarded: return .end
        case .failed(let error): return .failure(error)
        case nil: ()
        }
        guard state.reader == nil else {
            return .failure(RPCError(code: .internalError, message: "two tasks read the same call"))
        }
        let reader = Ticket<Void>()
        state.reader = reader
        return .wait(reader)
    }

    private func wait(_ reader: Ticket<Void>) async throws {
        do {
            try await reader.value()
        } catch is CancellationError {
            state.withLock { if $0.reader === reader { _ = Self.takeReader(&$0) } }
            throw RPCError(code: .cancelled, message: "the task that reads the call was cancelled")
        }
    }
}
